"""The flow `pair`: videos in, shards of frames and of their correspondences out."""

from pathlib import Path

from flows.new_runs import begin_pairing
from flows.progress import say
from flows.request_flow import request_flow
from flows.shard_jobs import make_shards
from flows.summary import RunSummary, judge
from schemas.requests import PairRequest
from tasks.dataset.planning import plan_new_videos
from tasks.dataset.preparation import prepare_pairing
from tasks.scans.files import show
from tasks.video.sequences import find_empty_folders
from tasks.video.video_shards import list_videos


@request_flow(PairRequest, name="pair", run_name="pair {data} to {out}")
def pair(request: PairRequest) -> RunSummary:
    """Pair the videos that the data set does not hold yet; redo what is broken.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    videos = list_videos(Path(request.data), split_seed=request.settings.split_seed)
    for folder in find_empty_folders(Path(request.data)):
        say(f"pair: {show(str(folder))}: passed over, it lacks color, densepose and mask folders")
    run = begin_pairing(request)
    prepare_pairing(run.folder, request.settings)
    plan_new_videos(run.folder, videos)
    return judge(make_shards(run))
