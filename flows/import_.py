"""The flow `import`: a published folder layout into a data set."""

import os
from pathlib import Path

from flows.hdnet_answer import HdnetImport
from flows.hdnet_import import import_hdnet
from flows.progress import following
from flows.request_flow import request_flow
from flows.unfinished import UnfinishedWork
from schemas.requests import ImportRequest
from tasks.dataset.imported import ImportSummary
from tasks.formats.twok2k.twok2k_import import import_2k2k


@request_flow(ImportRequest, name="import", run_name="import {layout} from {source}")
def import_(request: ImportRequest) -> ImportSummary | HdnetImport:
    """Import every scan, frame or video; raises UnfinishedWork with what could not be read."""
    return import_hdnet(request) if request.layout == "hdnet" else _import_2k2k(request)


def _import_2k2k(request: ImportRequest) -> ImportSummary:
    with following("import", unit="scans") as follow:
        summary = import_2k2k(
            Path(request.source),
            request.out,
            workers=request.workers or os.cpu_count() or 1,
            progress=follow,
        )
    if not summary.passed:
        raise UnfinishedWork(f"{len(summary.failures)} views could not be imported", summary)
    return summary
