"""What the flow `import` does with HDNet's sets: the labelled one, the videos, or both of them."""

import os
from pathlib import Path

from flows.hdnet_answer import HdnetImport
from flows.progress import following
from flows.runs import note_roots
from flows.unfinished import UnfinishedWork
from flows.video_runs import PairSummary, begin_video_run, look_at_videos, make_video_jobs
from flows.video_work import finish_video_run, work_on_videos
from schemas.requests import ImportRequest
from tasks.dataset.imported import ImportSummary
from tasks.dataset.preparation import prepare_pairing
from tasks.dataset.states import shards_to_redo
from tasks.formats.hdnet.hdnet_check import find_published
from tasks.formats.hdnet.hdnet_import import import_labelled
from tasks.formats.hdnet.video_import import list_published_videos, settings_of_published
from tasks.video.plan import plan_new_videos


def import_hdnet(request: ImportRequest) -> HdnetImport:
    """Import what stands in a folder; raises UnfinishedWork with what could not be read."""
    videos, labelled = find_published(Path(request.source))
    made = HdnetImport(
        samples=_import_labelled(request) if labelled else None,
        videos=_import_videos(request) if videos else None,
    )
    if not made.passed:
        raise UnfinishedWork("some frames or pairs could not be imported", made)
    return made


def _import_labelled(request: ImportRequest) -> ImportSummary:
    with following("import", unit="shards") as follow:
        return import_labelled(
            Path(request.source),
            request.out,
            workers=request.workers or os.cpu_count() or 1,
            progress=follow,
        )


def _import_videos(request: ImportRequest) -> PairSummary:
    source = Path(request.source)
    settings = settings_of_published(source)
    videos = list_published_videos(source, split_seed=settings.split_seed)
    run = begin_video_run("import", request.out, data=source, workers=request.workers)
    prepare_pairing(run.folder, settings)
    plan_new_videos(run.folder, videos)
    note_roots(run)
    status = look_at_videos(run)
    outcomes = work_on_videos(run, make_video_jobs(run, status, shards_to_redo(status)))
    try:
        return finish_video_run(run, outcomes)
    except UnfinishedWork as unfinished:
        if isinstance(unfinished.answer, PairSummary):
            return unfinished.answer
        raise
