"""The commands on networks: `scanmill train`, `prepare-and-train`."""

from flows.cli.answers import Json, Verbose, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from flows.new_runs import resolve
from flows.prepare_steps import NAMED, PrepareSummary, find_finished_preparation
from flows.progress import format_seconds
from schemas.prepare_request import PrepareRequest
from schemas.train_request import TrainRequest
from tasks.launching.training_results import (
    PredictSummary,
    StageSummary,
    TrainSummary,
    find_finished_stage,
)

EXAMPLES = {
    "train": (
        "scanmill train 2k2k-normal --data sets/rp --out runs/normal --epochs 20",
        "scanmill train 2k2k-depth --data sets/rp --out runs/depth --init runs/normal --epochs 20",
        "scanmill train hdnet-normal --data sets/labelled --out runs/hdnet --steps 100000",
        "scanmill train hdnet-predict-normals --data sets/dances --init runs/hdnet --out runs/seen",
        "scanmill train hdnet-video --data sets/labelled --data sets/dances --init runs/depth \\",
        "    --out runs/video --steps 100000",
        "scanmill train 2k2k-normal --data sets/a --data sets/b --out runs/n --nproc 2 --batch 4",
        "scanmill train 2k2k-normal --data sets/rp --out runs/small --width 0.25 --resolution 256",
        "On two machines that see the same folders, the second one with --node-rank 1:",
        "scanmill train 2k2k-normal --data sets/rp --out runs/n --nnodes 2 --node-rank 0 \\",
        "    --rdzv node0:29400",
    ),
    "prepare-and-train": (
        "scanmill prepare-and-train --data DIR --dataset RP --out runs/rp --train-epochs 20",
        "scanmill prepare-and-train --data DIR --dataset RP --out runs/rp --resolution 1024 \\",
        "    --train-nproc 2 --train-precision bf16 --max-reject-share 0.1",
        "scanmill prepare-and-train --data DIR --dataset RP --camera hdnet --out runs/hdnet",
        "After new scans came, into a new folder, with the shards that are there already:",
        "scanmill prepare-and-train --data DIR --dataset RP --shards runs/a/dataset --out runs/b",
        "scanmill prepare-and-train --config night.yaml --out runs/rp   (as render takes it)",
    ),
}


@request_command(TrainRequest)
def train(request: TrainRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Train a network from data sets; goes on where an interrupted run stopped.

    Repeat the command to go on: model and data settings have to be those it began with.
    """
    answer_flow(
        "train", request, answer=StageSummary, show=_show_stage, json=json, verbose=verbose,
        find_finished=lambda: find_finished_stage(request),
    )  # fmt: skip


def _show_stage(summary: StageSummary) -> None:
    """Say what came out of a stage, for people."""
    if isinstance(summary, PredictSummary):
        took = f"in {format_seconds(summary.seconds)}" if summary.worked else "were done already"
        say(f"{summary.stage}: {summary.steps} frames {took}, {summary.committed} videos written")
    elif isinstance(summary, TrainSummary):
        _show_training(summary)


def _show_training(summary: TrainSummary) -> None:
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


@request_command(PrepareRequest)
def prepare_and_train(
    request: PrepareRequest, *, json: Json = False, verbose: Verbose = False
) -> None:
    """From scans to a trained method, 2K2K or HDNet, and its figures; only what is left to do.

    Inspects, renders, validates and trains both phases of 2K2K; with --camera hdnet it pairs videos
    too and trains all stages of HDNet. Then it reconstructs and measures the people of the test
    split and writes a report. Repeat the command to go on after anything stopped it. The options
    --train-X are those of scanmill train, for each stage that knows them.
    """
    resolved = request.model_copy(update={"render": resolve(request.render)})
    answer_flow(
        "prepare_and_train", request, answer=PrepareSummary, show=_show_preparation, json=json,
        verbose=verbose, find_finished=lambda: find_finished_preparation(resolved),
    )  # fmt: skip


def _show_preparation(summary: PrepareSummary) -> None:
    for one in summary.lost[:NAMED]:
        say(f"lost  {one.scan_id}: {one.reason}")
    more = f", {len(summary.lost)} of them lost" if summary.lost else ""
    say(f"{summary.dataset}: {summary.samples} samples of {summary.scans} scans{more}")
    for trained in summary.trainings:
        _show_stage(trained)
    if summary.evaluation is not None:
        for line in summary.evaluation.lines:
            say(f"  evaluation  {line}")
        say(f"  report      {summary.report}")
    say(f"prepare-and-train: done in {format_seconds(summary.seconds)}.")
