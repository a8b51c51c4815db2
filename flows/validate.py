"""The flow `validate`: read a whole data set, or a folder in a published layout, and check it."""

import os
from collections.abc import Callable
from pathlib import Path

from flows.request_flow import request_flow
from flows.run_jobs import as_tasks
from flows.summary import UnfinishedWork
from schemas.addresses import address_of
from schemas.dataset_folder import DatasetFolder
from schemas.requests import ValidateRequest
from schemas.work import MapUnits
from tasks.checks.findings import Checked
from tasks.checks.task import validate_shard_task
from tasks.checks.validation import validate_dataset
from tasks.dataset.planning import read_video_plan
from tasks.formats.registry import FORMATS
from tasks.video.video_validation import validate_videos


@request_flow(ValidateRequest, name="validate", run_name="validate {uri}")
def validate(request: ValidateRequest) -> Checked:
    """Read every byte; raises UnfinishedWork with the findings when something does not hold."""

    def in_threads(unit: str) -> MapUnits:
        workers = request.workers or os.cpu_count() or 1
        return as_tasks("validate", unit, validate_shard_task, workers=workers, runs_in="threads")

    if request.layout is None:
        found = _check_dataset(DatasetFolder.at(request.uri), in_threads)
    else:
        check = FORMATS[request.layout].check_folder
        found = check(Path(request.uri), in_threads("parts"))
    if not found.passed:
        place = address_of(Path(request.uri)) if request.layout else request.uri
        raise UnfinishedWork(f"{len(found.findings)} findings in {place}", found)
    return found


def _check_dataset(folder: DatasetFolder, in_threads: Callable[[str], MapUnits]) -> Checked:
    found = validate_dataset(folder, run=in_threads("shards"))
    if not read_video_plan(folder):
        return found
    return found.add(validate_videos(folder, run=in_threads("videos")))
