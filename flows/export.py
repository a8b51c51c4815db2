"""The flow `export`: data sets into a published folder layout."""

import os
from pathlib import Path

from flows.request_flow import request_flow
from flows.run_jobs import as_tasks
from flows.summary import UnfinishedWork
from schemas.dataset_folder import DatasetFolder
from schemas.output_folder import output_folder
from schemas.requests import ExportRequest
from tasks.formats.exporting import ExportTarget
from tasks.formats.outcomes import ExportOutcome
from tasks.formats.registry import FORMATS
from tasks.formats.task import export_shard_task


@request_flow(ExportRequest, name="export", run_name="export {layout} to {to}")
def export(request: ExportRequest) -> ExportOutcome:
    """Write every sample; raises UnfinishedWork with those that could not be written."""
    with output_folder(request.to) as to:
        outcome = _write(request, to).model_copy(update={"to": request.to})
    if not outcome.passed:
        failed, missing = len(outcome.failures), len(outcome.missing)
        sentence = f"{failed} samples could not be exported, {missing} shards are missing"
        raise UnfinishedWork(sentence, outcome)
    return outcome


def _write(request: ExportRequest, to: Path) -> ExportOutcome:
    target = ExportTarget(to, request.allow_other_resolution)
    folders = [DatasetFolder.at(uri) for uri in request.uris]
    plan = FORMATS[request.layout].plan_export(folders, target)
    workers = request.workers or os.cpu_count() or 1
    run = as_tasks("export", "shards", export_shard_task, workers=workers, runs_in="processes")
    return plan.run(target, run=run)
