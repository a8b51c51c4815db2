"""The flow `validate`: read a whole data set, or a folder in a published layout, and check it."""

import os
from collections.abc import Callable
from pathlib import Path

from flows.progress import following
from flows.request_flow import request_flow
from flows.run_jobs import as_tasks
from flows.unfinished import UnfinishedWork
from schemas.dataset_folder import DatasetFolder
from schemas.requests import PublishedLayout, ValidateRequest
from schemas.work import MapUnits
from tasks.checks.task import validate_shard_task
from tasks.checks.validation import Validation, validate_dataset
from tasks.formats.hdnet.hdnet_check import LayoutCheck, check_hdnet
from tasks.formats.twok2k.twok2k_check import PublishedCheck, check_2k2k
from tasks.video.plan import read_video_plan
from tasks.video.validation import validate_videos

Findings = Validation | PublishedCheck | LayoutCheck


@request_flow(ValidateRequest, name="validate", run_name="validate {uri}")
def validate(request: ValidateRequest) -> Findings:
    """Read every byte; raises UnfinishedWork with the findings when something does not hold."""
    found = _CHECKS[request.layout](request.uri, request.workers or os.cpu_count() or 1)
    if not found.passed:
        raise UnfinishedWork(f"{len(found.findings)} findings in {request.uri}", found)
    return found


def _check_dataset(uri: str, workers: int) -> Validation:
    folder = DatasetFolder.at(uri)

    def run_in_threads(unit: str) -> MapUnits:
        return as_tasks("validate", unit, validate_shard_task, workers=workers, runs_in="threads")

    found = validate_dataset(folder, run=run_in_threads("shards"))
    if not read_video_plan(folder):
        return found
    videos = validate_videos(folder, run=run_in_threads("videos"))
    return found.model_copy(
        update={
            "videos": videos.videos, "frames": videos.frames, "pairs": videos.pairs,
            "findings": (*found.findings, *videos.findings),
        }
    )  # fmt: skip


def _check_2k2k(path: str, workers: int) -> PublishedCheck:
    with following("validate", unit="views") as follow:
        return check_2k2k(Path(path), workers=workers, progress=follow)


def _check_hdnet(path: str, _workers: int) -> LayoutCheck:
    with following("validate", unit="frames") as follow:
        return check_hdnet(Path(path), progress=follow)


_CHECKS: dict[PublishedLayout | None, Callable[[str, int], Findings]] = {
    None: _check_dataset, "2k2k": _check_2k2k, "hdnet": _check_hdnet,
}  # fmt: skip
