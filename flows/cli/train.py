"""`scanmill train`."""

from typing import Annotated

import typer

from flows.cli.answers import print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Verbose
from flows.launching import TrainRequest, TrainSummary

EXAMPLES = (
    "scanmill train 2k2k-normal --data sets/rp --out runs/normal --epochs 20",
    "scanmill train 2k2k-normal --data sets/a --data sets/b --out runs/n --nproc 2 --batch 4",
    "scanmill train 2k2k-normal --data sets/rp --out runs/coarse --nets coarse --resolution 256",
    "All further options go to the training program: python -m training.run --help lists them.",
)


def train(
    context: typer.Context,
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="As in 2k2k-normal.")],
    *,
    data: Annotated[list[str], typer.Option(metavar="URI", help="Data set; may be repeated.")],
    out: Annotated[str, typer.Option(metavar="DIR", help="Folder of the training run.")],
    nproc: Annotated[int, typer.Option(min=1, help="Processes that train together.")] = 1,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Train a network from data sets; goes on where an interrupted run stopped."""
    request = TrainRequest(
        stage=stage, data=tuple(data), out=out, ranks=nproc, options=tuple(context.args)
    )
    summary = run_flow(
        "train", request, answer=TrainSummary, style=style_of(json=json), verbose=verbose
    )
    if json:
        print_json(summary)
        return
    say(
        f"train: {summary.steps} steps, loss {summary.first_loss:.4g} -> {summary.last_loss:.4g}; "
        f"curve in {summary.curve}"
    )
