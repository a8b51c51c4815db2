"""The flow `evaluate`: a mesh against a scan, or checkpoints on the samples of a data set.

OUT/evaluation.json  figures with all that they depend on     beside it: tables (Markdown, CSV, TeX)
OUT/items/           the figures of each sample and checkpoint, which are not made again
OUT/people/          meshes, images and pages of some samples
"""

from collections.abc import Sequence
from pathlib import Path

from flows.artifacts import ProgressBoard
from flows.cancelling import ending_when_cancelled
from flows.progress import Tracker, say, tracking
from flows.request_flow import request_flow
from flows.summary import UnfinishedWork
from schemas.evaluate_request import EvaluateRequest
from schemas.evaluation import EvaluateAnswer, ItemResult
from schemas.prediction import PredictionJob
from schemas.train_forms import DeviceChoice
from tasks.evaluation.data_evaluation import (
    ItemJob,
    ask_nets,
    plan_jobs,
    sum_up,
    write_data_result,
)
from tasks.evaluation.evaluation_summary import EvaluationSummary, sum_up_answer, with_split
from tasks.evaluation.tables import write_mesh_result
from tasks.evaluation.task import evaluate_item_task, evaluate_mesh_task, prepare_item_task
from tasks.reconstruction.photo_folder import work_folder
from tasks.reconstruction.predicting import predict_photos

ITEMS_AT_ONCE = 16
"""Between two starts of the nets; their arrays take 0.2 GB each at 2048."""


@request_flow(EvaluateRequest, name="evaluate", run_name="evaluate to {out}")
def evaluate(request: EvaluateRequest) -> EvaluateAnswer:
    """Measure, and write figures and tables; a sample that fails, fails alone.

    Raises RequestError before any work, InputError for a mesh that can't be read, UnfinishedWork
    with the answer when samples failed.
    """
    answer = evaluate_data(request) if request.is_of_data else evaluate_mesh(request)
    if answer.failed:
        raise UnfinishedWork(f"{answer.failed} samples have no figures", answer)
    return answer


def evaluate_mesh(request: EvaluateRequest) -> EvaluateAnswer:
    """Measure one mesh."""
    result = evaluate_mesh_task(
        Path(str(request.mesh)), Path(str(request.truth)), request.protocol.protocol,
        request.cm_per_unit, say,
    )  # fmt: skip
    files = write_mesh_result(Path(request.out), result)
    return EvaluateAnswer(files=tuple(map(str, files)), mesh=result)


def evaluate_data(request: EvaluateRequest) -> EvaluateAnswer:
    """Predict and measure every sample that has no figures yet."""
    with work_folder(Path(request.out)) as work:
        jobs = plan_jobs(request, work)
        known = {job.key: found for job in jobs if (found := job.read_record()) is not None}
        left = [job for job in jobs if job.key not in known]
        if not left:
            say("evaluate: every sample has its figures already.")
        board = ProgressBoard("evaluate-progress", "evaluate: samples", len(left))
        with (
            ending_when_cancelled(),
            tracking("evaluate", total=len(left), unit="samples") as tracker,
        ):
            for group in _groups(left):
                known |= _run_group(group, work, tracker, request.device)
                board.show(len(known) - len(jobs) + len(left))
    result = sum_up(request, jobs, [known[job.key] for job in jobs])
    files = write_data_result(Path(request.out), result)
    return EvaluateAnswer(files=tuple(map(str, files)), data=result)


def _groups(jobs: Sequence[ItemJob]) -> list[list[ItemJob]]:
    """Split jobs into groups of one checkpoint each, that one start of the nets serves."""
    by_checkpoint = [
        [job for job in jobs if job.candidate == candidate]
        for candidate in dict.fromkeys(job.candidate for job in jobs)
    ]
    return [
        own[first : first + ITEMS_AT_ONCE]
        for own in by_checkpoint
        for first in range(0, len(own), ITEMS_AT_ONCE)
    ]


def _run_group(
    jobs: list[ItemJob], work: Path, tracker: Tracker, device: DeviceChoice
) -> dict[str, ItemResult]:
    """Prepare samples, run the nets over them, measure each as soon as it is predicted."""
    found: dict[str, ItemResult] = {}
    ready: dict[str, ItemJob] = {}

    def take(result: ItemResult) -> None:
        found[result.key] = result
        tracker.advance(note=f"{result.sample_id}: {result.error}" if result.error else "")

    def finish(asked: PredictionJob, refusal: str) -> None:
        take(evaluate_item_task(ready[asked.name], refusal))

    for job in jobs:
        failure = prepare_item_task(job)
        if failure is None:
            ready[job.key] = job
        else:
            take(failure)
    if ready:
        predict_photos(ask_nets(list(ready.values()), device), work, finish)
    return found


def evaluate_trained(request: EvaluateRequest) -> EvaluationSummary:
    """Evaluate on the first split that has samples; samples that fail are said, and counted.

    Raises what the flow evaluate raises but UnfinishedWork.
    """
    asked = with_split(request)
    if asked.split != ("test",):
        say(f"evaluate: no people of split test; those of split {asked.split[0]} are taken")
    try:
        answer = evaluate(asked)
    except UnfinishedWork as unfinished:
        if not isinstance(unfinished.answer, EvaluateAnswer):
            raise
        say(f"evaluate: {unfinished}")
        answer = unfinished.answer
    summary = sum_up_answer(asked, answer)
    for line in summary.lines:
        say(f"evaluate: {line}")
    return summary
