"""What `rerun` does with videos: redo those that are not done."""

from pathlib import Path

from flows.video_runs import (
    PairSummary,
    begin_video_run,
    close_video_run,
    look_at_videos,
    make_video_jobs,
)
from flows.video_work import work_on_videos
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.requests import RerunRequest
from tasks.dataset.planning import read_plan
from tasks.dataset.states import shards_to_redo
from tasks.video.plan import read_video_plan
from tasks.video.states import last_video_root


def redo_videos(request: RerunRequest) -> PairSummary | None:
    """Redo failed, missing, corrupt and stale videos; None when the data set plans none.

    Raises RequestError when their root is not there. --data names it where there are no scans.
    """
    folder = DatasetFolder.at(request.uri)
    if not read_video_plan(folder):
        return None
    given = Path(request.data) if request.data and not has_scans(folder) else None
    root = given or last_video_root(folder)
    if root is None or not root.is_dir():
        raise RequestError(
            "--data", found=f"{root or 'no folder'}, as the last run has it",
            expected="the folder that the videos come from",
            hint="Give it to `scanmill pair --data` with the same settings.",
        )  # fmt: skip
    run = begin_video_run(
        "rerun", request.uri, data=root,
        workers=request.workers, accept_rejects=request.accept_rejects,
    )  # fmt: skip
    status = look_at_videos(run, deep=request.deep)
    chosen = shards_to_redo(status, rejects=request.rejects, older_code=request.older_code)
    return close_video_run(run, work_on_videos(run, make_video_jobs(run, status, chosen)))


def has_scans(folder: DatasetFolder) -> bool:
    """Tell whether the data set plans any scan."""
    return bool(read_plan(folder))
