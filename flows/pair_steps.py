"""What the flow `pair` does besides matching: begins the run, finds what is left. No Prefect."""

from pathlib import Path

from flows.runs import Run
from flows.video_runs import PairSummary, begin_video_run, look_at_videos, sum_up_videos
from schemas.requests import PairRequest
from tasks.dataset.states import shards_to_redo
from tasks.video.plan import list_videos, read_video_plan


def start_pairing(request: PairRequest) -> Run:
    """Start the run that a request describes."""
    return begin_video_run(
        "pair",
        request.out,
        data=Path(request.data),
        workers=request.workers,
        accept_rejects=request.accept_rejects,
    )


def find_nothing_to_pair(request: PairRequest) -> PairSummary | None:
    """Sum up a data set that holds all videos of the request already; None when work is left."""
    run = start_pairing(request)
    if not run.folder.description_path.exists() or not run.folder.card_path.exists():
        return None
    if run.folder.read_description().pairing != request.settings:
        return None
    planned = {one.video.video for one in read_video_plan(run.folder)}
    videos = list_videos(Path(request.data), split_seed=request.settings.split_seed)
    status = look_at_videos(run)
    if {ref.video for ref in videos} - planned or shards_to_redo(status):
        return None
    return sum_up_videos(run, status, ())
