"""The flow `import`: a published folder layout into a data set."""

import os
from pathlib import Path

from flows.progress import following
from flows.request_flow import request_flow
from flows.runs import note_roots
from flows.unfinished import UnfinishedWork
from flows.video_runs import PairSummary, begin_video_run, look_at_videos, make_video_jobs
from flows.video_work import finish_video_run, work_on_videos
from schemas.requests import ImportRequest
from tasks.dataset.preparation import prepare_pairing
from tasks.dataset.states import shards_to_redo
from tasks.formats.importing import SampleSource, VideoSource, import_samples
from tasks.formats.outcomes import ImportOutcome
from tasks.formats.registry import FORMATS
from tasks.video.plan import plan_new_videos


@request_flow(ImportRequest, name="import", run_name="import {layout} from {source}")
def import_(request: ImportRequest) -> ImportOutcome:
    """Import every scan, frame or video; raises UnfinishedWork with what could not be read."""
    source = FORMATS[request.layout].open_folder(Path(request.source))
    outcome = ImportOutcome(uri=request.out)
    if source.samples is not None:
        outcome = _import_samples(request, source.samples)
    if source.videos is not None:
        outcome = _add_videos(outcome, _import_videos(request, source.videos))
    if not outcome.passed:
        raise UnfinishedWork("some of the folder could not be imported", outcome)
    return outcome


def _import_samples(request: ImportRequest, source: SampleSource) -> ImportOutcome:
    with following("import", unit="shards") as follow:
        return import_samples(
            Path(request.source), request.out, source, FORMATS[request.layout].read_sample,
            workers=request.workers or os.cpu_count() or 1, progress=follow,
        )  # fmt: skip


def _import_videos(request: ImportRequest, source: VideoSource) -> PairSummary:
    root = Path(request.source)
    run = begin_video_run("import", request.out, data=root, workers=request.workers)
    prepare_pairing(run.folder, source.settings)
    plan_new_videos(run.folder, source.videos)
    note_roots(run)
    status = look_at_videos(run)
    outcomes = work_on_videos(run, make_video_jobs(run, status, shards_to_redo(status)))
    try:
        return finish_video_run(run, outcomes)
    except UnfinishedWork as unfinished:
        if isinstance(unfinished.answer, PairSummary):
            return unfinished.answer
        raise


def _add_videos(outcome: ImportOutcome, videos: PairSummary) -> ImportOutcome:
    return outcome.model_copy(
        update={
            "videos": videos.worked_on, "frames": videos.frames, "pairs": videos.samples,
            "failures": (*outcome.failures, *videos.failures),
            "unfinished": videos.unfinished, "warnings": videos.warnings,
        }
    )  # fmt: skip
