"""The flow `export`: data sets into a published folder layout."""

import os
from pathlib import Path

from flows.progress import tracking
from flows.request_flow import request_flow
from flows.unfinished import UnfinishedWork
from schemas.dataset_folder import DatasetFolder
from schemas.requests import ExportRequest
from tasks.formats.hdnet.hdnet_export import ExportReport, count_pieces, export_hdnet
from tasks.formats.twok2k.twok2k_export import ExportSummary, count_samples, export_2k2k

Summary = ExportSummary | ExportReport


@request_flow(ExportRequest, name="export", run_name="export {layout} to {to}")
def export(request: ExportRequest) -> Summary:
    """Write every sample; raises UnfinishedWork with those that could not be written."""
    return _export_hdnet(request) if request.layout == "hdnet" else _export_2k2k(request)


def _export_hdnet(request: ExportRequest) -> ExportReport:
    folders = [DatasetFolder.at(uri) for uri in request.uris]
    with tracking("export", total=count_pieces(folders), unit="shards") as tracker:
        return export_hdnet(
            folders,
            Path(request.to),
            workers=request.workers or os.cpu_count() or 1,
            progress=lambda _done, _all: tracker.advance(),
        )


def _export_2k2k(request: ExportRequest) -> ExportSummary:
    with tracking("export", total=count_samples(request.uris), unit="samples") as tracker:
        summary = export_2k2k(
            request.uris,
            Path(request.to),
            allow_other_resolution=request.allow_other_resolution,
            workers=request.workers or os.cpu_count() or 1,
            progress=lambda _done, _all: tracker.advance(),
        )
    if not summary.passed:
        failed, missing = len(summary.failures), len(summary.missing)
        sentence = f"{failed} samples could not be exported, {missing} shards are missing"
        raise UnfinishedWork(sentence, summary)
    return summary
