"""The flow `rerun`: redo only what is not done."""

from flows.progress import say
from flows.request_flow import request_flow
from flows.reruns import begin_reruns, find_nothing_to_redo
from flows.shard_jobs import make_shards
from flows.summary import RunSummary, judge
from schemas.requests import RerunRequest
from tasks.machine.device_probe import check_device


@request_flow(RerunRequest, name="rerun", run_name="rerun {uri}")
def rerun(request: RerunRequest) -> RunSummary:
    """Redo failed, missing, corrupt and stale shards of videos and scans; others when asked.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    finished = None if request.deep else find_nothing_to_redo(request)
    if finished is not None:
        say(finished.sentence)
        return judge(finished)
    summaries = []
    for run in begin_reruns(request):
        if run.kind.has_views:
            check_device(request.device, run.folder.read_description().settings.resolution)
        summaries.append(
            make_shards(
                run, deep=request.deep, rejects=request.rejects, older_code=request.older_code
            )
        )
    for summary in reversed(summaries):
        judge(summary)
    return summaries[-1]
