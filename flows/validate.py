"""The flow `validate`: read a whole data set back and check it."""

import os

from prefect import flow

from flows.progress import tracking
from flows.run_requests import ValidateRequest
from flows.unfinished import UnfinishedWork
from schemas.dataset_folder import DatasetFolder
from tasks.validation import Validation, validate_dataset


@flow(name="validate", flow_run_name="validate {request.uri}")
def validate(request: ValidateRequest) -> Validation:
    """Read every byte; raises UnfinishedWork with the findings when something does not hold."""
    folder = DatasetFolder.at(request.uri)
    total = len(folder.committed_shards())
    with tracking("validate", total=total, unit="shards") as tracker:
        found = validate_dataset(
            folder,
            workers=request.workers or os.cpu_count() or 1,
            progress=lambda _done, _all: tracker.advance(),
        )
    if not found.passed:
        raise UnfinishedWork(f"{len(found.findings)} findings in {request.uri}", found)
    return found
