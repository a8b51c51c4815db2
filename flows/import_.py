"""The flow `import`: a published folder layout into a data set."""

import os
from pathlib import Path

from prefect import flow

from flows.progress import tracking
from flows.run_requests import ImportRequest
from flows.runs import note_roots
from flows.unfinished import UnfinishedWork
from flows.video_runs import (
    PairSummary,
    begin_video_run,
    look_at_videos,
    make_video_jobs,
)
from flows.video_work import finish_video_run, work_on_videos
from tasks.dataset.preparation import prepare_pairing
from tasks.dataset.states import shards_to_redo
from tasks.hdnet.importing import list_published_videos, settings_of_published
from tasks.published.folder_views import list_folder
from tasks.published.import_set import ImportSummary, import_2k2k
from tasks.video.plan import plan_new_videos


@flow(name="import", flow_run_name="import {request.layout} from {request.source}")
def import_(request: ImportRequest) -> ImportSummary | PairSummary:
    """Import every scan or video; raises UnfinishedWork with what could not be read."""
    return _import_hdnet(request) if request.layout == "hdnet" else _import_2k2k(request)


def _import_hdnet(request: ImportRequest) -> PairSummary:
    source = Path(request.source)
    settings = settings_of_published(source)
    videos = list_published_videos(source, split_seed=settings.split_seed)
    run = begin_video_run("import", request.out, data=source, workers=request.workers)
    prepare_pairing(run.folder, settings)
    plan_new_videos(run.folder, videos)
    note_roots(run)
    status = look_at_videos(run)
    outcomes = work_on_videos(run, make_video_jobs(run, status, shards_to_redo(status)))
    return finish_video_run(run, outcomes)


def _import_2k2k(request: ImportRequest) -> ImportSummary:
    source = Path(request.source)
    scans = len(list_folder(source, split_seed=0).scans)
    with tracking("import", total=scans, unit="scans") as tracker:
        summary = import_2k2k(
            source,
            request.out,
            workers=request.workers or os.cpu_count() or 1,
            progress=lambda _done, _all: tracker.advance(),
        )
    if not summary.passed:
        raise UnfinishedWork(f"{len(summary.failures)} views could not be imported", summary)
    return summary
