"""The flow `pair`: videos in, shards of frames and of their correspondences out."""

from pathlib import Path

from flows.pair_steps import start_pairing
from flows.request_flow import request_flow
from flows.runs import note_roots
from flows.video_runs import PairSummary, look_at_videos, make_video_jobs
from flows.video_work import finish_video_run, work_on_videos
from schemas.requests import PairRequest
from tasks.dataset.preparation import prepare_pairing
from tasks.dataset.states import shards_to_redo
from tasks.video.plan import list_videos, plan_new_videos


@request_flow(PairRequest, name="pair", run_name="pair {data} to {out}")
def pair(request: PairRequest) -> PairSummary:
    """Pair the videos that the data set does not hold yet; redo what is broken.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    videos = list_videos(Path(request.data), split_seed=request.settings.split_seed)
    run = start_pairing(request)
    prepare_pairing(run.folder, request.settings)
    plan_new_videos(run.folder, videos)
    note_roots(run)
    status = look_at_videos(run)
    outcomes = work_on_videos(run, make_video_jobs(run, status, shards_to_redo(status)))
    return finish_video_run(run, outcomes)
