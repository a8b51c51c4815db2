"""The flow `import`: a published folder layout into a data set."""

import os
from pathlib import Path

from flows.request_flow import request_flow
from flows.run_jobs import as_tasks
from flows.runs import begin_run
from flows.shard_jobs import make_shards
from flows.summary import PairSummary, RunSummary, UnfinishedWork
from schemas.requests import ImportRequest
from tasks.dataset.planning import plan_new_videos
from tasks.dataset.preparation import prepare_pairing
from tasks.dataset.run_records import VIDEO_ROOT
from tasks.formats.importing import SampleSource, VideoSource, import_samples
from tasks.formats.outcomes import ImportOutcome
from tasks.formats.registry import FORMATS
from tasks.formats.task import import_batch_task
from tasks.video.video_shards import VIDEOS


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
    workers = request.workers or os.cpu_count() or 1
    run = as_tasks("import", "shards", import_batch_task, workers=workers, runs_in="threads")
    read_sample = FORMATS[request.layout].read_sample
    return import_samples(Path(request.source), request.out, source, read_sample, run=run)


def _import_videos(request: ImportRequest, source: VideoSource) -> RunSummary:
    roots = {VIDEO_ROOT: Path(request.source)}
    run = begin_run(VIDEOS, "import", request.out, roots=roots, workers=request.workers)
    prepare_pairing(run.folder, source.settings)
    plan_new_videos(run.folder, source.videos)
    return make_shards(run)


def _add_videos(outcome: ImportOutcome, videos: RunSummary) -> ImportOutcome:
    return outcome.model_copy(
        update={
            "videos": videos.worked_on,
            "frames": videos.frames if isinstance(videos, PairSummary) else 0,
            "pairs": videos.samples,
            "failures": (*outcome.failures, *videos.failures),
            "unfinished": videos.unfinished,
            "warnings": videos.warnings,
        }
    )
