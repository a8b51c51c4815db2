"""The flow `render`: scans in, shards of training samples out."""

from flows.progress import say
from flows.render_steps import (
    find_scans,
    freeze_backgrounds,
    list_shortages,
    plan_scans,
    start_render,
)
from flows.request_flow import request_flow
from flows.resolve import resolve
from flows.runs import note_roots
from flows.scan_runs import check_device, look_at_shards
from flows.shard_work import finish_run, make_jobs, render_jobs
from flows.summary import RunSummary
from schemas.requests import RenderRequest
from tasks.dataset.preparation import prepare_dataset
from tasks.dataset.states import shards_to_redo


@request_flow(RenderRequest, name="render", run_name="render {dataset} to {out}")
def render(request: RenderRequest) -> RunSummary:
    """Render what a data root holds and the data set does not yet; redo what is broken.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    request = resolve(request)
    check_device(request.device, request.settings)
    run = start_render(request)
    found = find_scans(request)
    prepare_dataset(run.folder, request.settings)
    frozen = freeze_backgrounds(run, request)
    for shortage in list_shortages(request, frozen):
        say(f"render: {shortage}")
    plan_scans(run, request, found)
    note_roots(run)
    status = look_at_shards(run)
    outcomes = render_jobs(run, make_jobs(run, status, shards_to_redo(status)))
    return finish_run(run, outcomes)
