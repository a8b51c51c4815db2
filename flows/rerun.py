"""The flow `rerun`: redo only what is not done."""

from prefect import flow

from flows.rerun_steps import choose_shards, start_rerun
from flows.run_requests import RerunRequest, check_rerun
from flows.runs import check_device, look_at_shards, note_roots
from flows.shard_work import finish_run, make_jobs, render_jobs
from flows.summary import RunSummary


@flow(name="rerun", flow_run_name="rerun {request.uri}")
def rerun(request: RerunRequest) -> RunSummary:
    """Redo failed, missing, corrupt and stale shards; others when asked.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    check_rerun(request)
    run = start_rerun(request)
    check_device(request.device, run.folder.read_description().settings)
    note_roots(run)
    status = look_at_shards(run, deep=request.deep)
    outcomes = render_jobs(run, make_jobs(run, status, choose_shards(request, status)))
    return finish_run(run, outcomes)
