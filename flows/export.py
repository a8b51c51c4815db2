"""The flow `export`: data sets into a published folder layout."""

import os
from pathlib import Path

from prefect import flow

from flows.progress import tracking
from flows.run_requests import ExportRequest
from flows.unfinished import UnfinishedWork
from tasks.published.export import ExportSummary, count_samples, export_2k2k


@flow(name="export", flow_run_name="export {request.layout} to {request.to}")
def export(request: ExportRequest) -> ExportSummary:
    """Write every sample; raises UnfinishedWork with those that could not be written."""
    with tracking("export", total=count_samples(request.uris), unit="samples") as tracker:
        summary = export_2k2k(
            request.uris,
            Path(request.to),
            allow_other_resolution=request.allow_other_resolution,
            workers=request.workers or os.cpu_count() or 1,
            progress=lambda _done, _all: tracker.advance(),
        )
    if not summary.passed:
        raise UnfinishedWork(f"{len(summary.failures)} samples could not be exported", summary)
    return summary
