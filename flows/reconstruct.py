"""The flow `reconstruct`: photographs in, people out, one folder each."""

from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from flows.artifacts import ProgressBoard
from flows.cancelling import ending_when_cancelled
from flows.progress import Tracker, tracking
from flows.request_flow import request_flow
from flows.summary import UnfinishedWork
from schemas.prediction import PredictionJob
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.outcomes import PhotoOutcome, ReconstructSummary
from tasks.reconstruction.photo_folder import work_folder
from tasks.reconstruction.photo_jobs import PhotoJob, ask_nets, plan_photos
from tasks.reconstruction.pose_networks import check_installed
from tasks.reconstruction.predicting import predict_photos
from tasks.reconstruction.task import prepare_photo_task, reconstruct_photo_task

PHOTOS_AT_ONCE = 16
"""Between two starts of the nets; their arrays take 0.2 GB each at 2048."""


@request_flow(ReconstructRequest, name="reconstruct", run_name="reconstruct {method} to {out}")
def reconstruct(request: ReconstructRequest) -> ReconstructSummary:
    """Reconstruct every photograph that is not done; one that fails, fails alone.

    Raises RequestError before any work, DependencyError when people are to be found and nothing
    for it is installed, UnfinishedWork with the photographs that failed.
    """
    began_s, plan = monotonic(), plan_photos(request)
    if plan.jobs and request.finds_people:
        check_installed(request.pose_networks)
    found, memory_mib = dict(plan.known), 0
    board = ProgressBoard("reconstruct-progress", "reconstruct: photographs", len(plan.jobs))
    with (
        work_folder(Path(request.out)) as work, ending_when_cancelled(),
        tracking("reconstruct", total=len(plan.jobs), unit="photographs") as tracker,
    ):  # fmt: skip
        ending = Ending(found, tracker, board)
        for first in range(0, len(plan.jobs), PHOTOS_AT_ONCE):
            jobs = [replace(job, work=work) for job in plan.jobs[first : first + PHOTOS_AT_ONCE]]
            memory_mib = max(memory_mib, reconstruct_jobs(jobs, work, ending))
    summary = ReconstructSummary(
        method=request.method, out=request.out,
        photos=tuple(found[name] for name in plan.names), memory_mib=memory_mib,
        seconds=monotonic() - began_s,
    )  # fmt: skip
    if not summary.passed:
        raise UnfinishedWork(summary.sentence, summary)
    return summary


@dataclass(frozen=True, slots=True)
class Ending:
    """Takes the outcomes of photographs. Owns: nothing; shows progress."""

    found: dict[str, PhotoOutcome]
    tracker: Tracker
    board: ProgressBoard

    def take(self, outcome: PhotoOutcome) -> None:
        """Keep and show an outcome."""
        self.found[outcome.name] = outcome
        self.tracker.advance(note=f"{outcome.name}: {outcome.reason}" if outcome.reason else "")
        self.board.show(len(self.found))


def reconstruct_jobs(jobs: list[PhotoJob], work: Path, ending: Ending) -> int:
    """Prepare photographs, run the nets over them, write their folders; returns MiB of the nets."""
    ready: dict[str, PhotoJob] = {}
    for job in jobs:
        failure = prepare_photo_task(job)
        if failure is None:
            ready[job.token] = job
        else:
            ending.take(failure)
    if not ready:
        return 0

    def finish(asked: PredictionJob, refusal: str) -> None:
        ending.take(reconstruct_photo_task(ready[asked.name], refusal))

    return predict_photos(ask_nets(list(ready.values())), work, finish).memory_mib
