"""`scanmill prepare-and-train`."""

from flows.cli.answers import Json, Verbose, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from flows.cli.train import show_training
from flows.prepare_steps import NAMED, PrepareSummary, find_finished_preparation
from flows.progress import format_seconds
from flows.resolve import resolve
from schemas.prepare_request import PrepareRequest

EXAMPLES = (
    "scanmill prepare-and-train --data DIR --dataset RP --out runs/rp --train-epochs 20",
    "scanmill prepare-and-train --data DIR --dataset RP --out runs/rp --resolution 1024 \\",
    "    --train-nproc 2 --train-precision bf16 --max-reject-share 0.1",
    "After new scans came, into a new folder, with the shards that are there already:",
    "scanmill prepare-and-train --data DIR --dataset RP --shards runs/rp/dataset --out runs/rp2",
    "scanmill prepare-and-train --config night.yaml --out runs/rp   (as scanmill render takes it)",
)


@request_command(PrepareRequest)
def prepare_and_train(
    request: PrepareRequest, *, json: Json = False, verbose: Verbose = False
) -> None:
    """Inspect, render, validate and train both phases of 2K2K; only what is left to do.

    Repeat the command to go on after anything stopped it. The options --train-X are those of
    scanmill train, for both phases.
    """
    resolved = request.model_copy(update={"render": resolve(request.render)})
    answer_flow(
        "prepare_and_train", request, answer=PrepareSummary, show=_show, json=json,
        verbose=verbose, find_finished=lambda: find_finished_preparation(resolved),
    )  # fmt: skip


def _show(summary: PrepareSummary) -> None:
    for one in summary.lost[:NAMED]:
        say(f"lost  {one.scan_id}: {one.reason}")
    more = f", {len(summary.lost)} of them lost" if summary.lost else ""
    say(f"{summary.dataset}: {summary.samples} samples of {summary.scans} scans{more}")
    for trained in summary.trainings:
        show_training(trained)
    say(f"prepare-and-train: done in {format_seconds(summary.seconds)}.")
