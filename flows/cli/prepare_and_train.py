"""`scanmill prepare-and-train`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.answers import print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.model_options import given_options, with_options
from flows.cli.options import (
    Backgrounds,
    BodyModels,
    DataRoot,
    Dataset,
    Device,
    Json,
    Splits,
    Verbose,
    Workers,
    Yaws,
    fill,
)
from flows.cli.render import make_request, read_config
from flows.cli.train import describe
from flows.prepare_requests import PrepareRequest, PrepareSummary, check_prepare
from flows.prepare_steps import NAMED, resolve
from flows.progress import format_seconds
from schemas.train_request import TrainOptions

EXAMPLES = (
    "scanmill prepare-and-train --data DIR --dataset RP --out runs/rp --train-epochs 20",
    "scanmill prepare-and-train --data DIR --dataset RP --out runs/rp --resolution 1024 \\",
    "    --train-nproc 2 --train-precision bf16 --max-reject-share 0.1",
    "After new scans came, into a new folder, with the shards that are there already:",
    "scanmill prepare-and-train --data DIR --dataset RP --shards runs/rp/dataset --out runs/rp2",
    "scanmill prepare-and-train --config night.yaml --out runs/rp   (as scanmill render takes it)",
)
TRAIN = "train_"


@with_options(TrainOptions, prefix=TRAIN)
def prepare_and_train(
    *,
    out: Annotated[
        str, typer.Option(metavar="DIR", help="For the trainings 2k2k-normal and 2k2k-depth.")
    ],
    data: DataRoot = None,
    dataset: Dataset = None,
    shards: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Data set to make or add to.  [default: OUT/dataset]"),
    ] = None,
    max_reject_share: Annotated[
        float, typer.Option(help="Lost scans of all, from 0 to 1, with which it still trains.")
    ] = 0.02,
    resolution: Annotated[
        int | None, typer.Option(help="Pixels a side of the samples.  [default: 2048]")
    ] = None,
    yaws: Yaws = None,
    backgrounds: Backgrounds = None,
    smplx_models: BodyModels = None,
    splits: Splits = None,
    workers: Workers = None,
    device: Device = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="All other options and settings of render."),
    ] = None,
    json: Json = False,
    verbose: Verbose = False,
    **options: object,
) -> None:
    """Inspect, render, validate and train both phases of 2K2K; only what is left to do.

    Repeat the command to go on after anything stopped it. The options --train-X are those of
    scanmill train, for both phases.
    """
    given: dict[str, object] = {
        "data": data, "dataset": dataset, "resolution": resolution, "yaws": yaws,
        "backgrounds": backgrounds, "smplx_models": smplx_models, "splits": splits,
        "workers": workers, "device": device, "out": shards,
    }  # fmt: skip
    stored = {"out": str(Path(out) / "dataset")} | (read_config(config) if config else {})
    render = make_request(
        stored | {key: value for key, value in given.items() if value is not None},
        source=str(config or ""),
    )
    train = fill(TrainOptions, given_options(options, prefix=TRAIN), source="scanmill train")
    request = fill(
        PrepareRequest,
        {"render": render, "out": out, "train": train, "max_reject_share": max_reject_share},
        source="",
    )
    request = resolve(request)
    check_prepare(request)
    summary = run_flow(
        "prepare_and_train", request, answer=PrepareSummary, style=style_of(json=json),
        verbose=verbose,
    )  # fmt: skip
    if json:
        print_json(summary)
    else:
        _show(summary)


def _show(summary: PrepareSummary) -> None:
    for one in summary.lost[:NAMED]:
        say(f"lost  {one.scan_id}: {one.reason}")
    more = f", {len(summary.lost)} of them lost" if summary.lost else ""
    say(f"{summary.dataset}: {summary.samples} samples of {summary.scans} scans{more}")
    for trained in summary.trainings:
        for line in describe(trained):
            say(line)
    say(f"prepare-and-train: done in {format_seconds(summary.seconds)}.")
