"""`scanmill train`."""

from flows.cli.answers import Json, Verbose, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from flows.progress import format_seconds
from schemas.train_request import TrainRequest
from tasks.launching.training_results import TrainSummary, find_finished_training

EXAMPLES = (
    "scanmill train 2k2k-normal --data sets/rp --out runs/normal --epochs 20",
    "scanmill train 2k2k-depth --data sets/rp --out runs/depth --init runs/normal --epochs 20",
    "scanmill train hdnet-normal --data sets/labelled --out runs/hdnet --steps 100000",
    "scanmill train 2k2k-normal --data sets/a --data sets/b --out runs/n --nproc 2 --batch 4",
    "scanmill train 2k2k-normal --data sets/rp --out runs/small --width 0.25 --resolution 256",
    "On two machines that see the same folders, the second one with --node-rank 1:",
    "scanmill train 2k2k-normal --data sets/rp --out runs/n --nnodes 2 --node-rank 0 \\",
    "    --rdzv node0:29400",
)


@request_command(TrainRequest)
def train(request: TrainRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Train a network from data sets; goes on where an interrupted run stopped.

    Repeat the command to go on: model and data settings have to be those it began with.
    """
    answer_flow(
        "train", request, answer=TrainSummary, show=show_training, json=json, verbose=verbose,
        find_finished=lambda: find_finished_training(request),
    )  # fmt: skip


def show_training(summary: TrainSummary) -> None:
    """Say what came out of a training, for people."""
    again = f", {summary.restarts} restarts" if summary.restarts else ""
    took = f"in {format_seconds(summary.seconds)}" if summary.worked else "were done already"
    loss = f"loss {summary.first_loss:.4g} -> {summary.last_loss:.4g}"
    say(f"{summary.stage}: {summary.steps} steps {took}{again}; {loss}")
    if summary.validation:
        measures = (f"{name} {value:.4g}" for name, value in summary.validation.items())
        say(f"  validation  {', '.join(measures)}")
    say(f"  curve       {summary.curve}")
    say(f"  weights     {summary.out}")
