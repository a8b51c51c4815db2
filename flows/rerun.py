"""The flow `rerun`: redo only what is not done."""

from flows.request_flow import request_flow
from flows.rerun_steps import choose_shards, start_rerun
from flows.runs import note_roots
from flows.scan_runs import check_device, look_at_shards
from flows.shard_work import finish_run, make_jobs, render_jobs
from flows.summary import RunSummary
from flows.unfinished import judge
from flows.video_rerun import has_scans, redo_videos
from schemas.dataset_folder import DatasetFolder
from schemas.requests import RerunRequest


@request_flow(RerunRequest, name="rerun", run_name="rerun {uri}")
def rerun(request: RerunRequest) -> RunSummary:
    """Redo failed, missing, corrupt and stale shards; others when asked.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    videos = redo_videos(request)
    if videos is not None and not has_scans(DatasetFolder.at(request.uri)):
        return judge(videos)
    run = start_rerun(request)
    check_device(request.device, run.folder.read_description().settings)
    note_roots(run)
    status = look_at_shards(run, deep=request.deep)
    outcomes = render_jobs(run, make_jobs(run, status, choose_shards(request, status)))
    summary = finish_run(run, outcomes)
    return summary if videos is None or videos.is_done else judge(videos)
