"""The flow `validate`: read a whole data set, or a folder in a published layout, and check it."""

import os
from collections.abc import Callable
from pathlib import Path

from prefect import flow

from flows.progress import following, tracking
from flows.run_requests import PublishedLayout, ValidateRequest
from flows.unfinished import UnfinishedWork
from schemas.dataset_folder import DatasetFolder
from tasks.checks.validation import Validation, validate_dataset
from tasks.formats.hdnet.hdnet_check import LayoutCheck, check_hdnet
from tasks.formats.twok2k.twok2k_check import PublishedCheck, check_2k2k
from tasks.video.plan import read_video_plan
from tasks.video.validation import validate_videos

Findings = Validation | PublishedCheck | LayoutCheck


@flow(name="validate", flow_run_name="validate {request.uri}")
def validate(request: ValidateRequest) -> Findings:
    """Read every byte; raises UnfinishedWork with the findings when something does not hold."""
    found = _CHECKS[request.layout](request.uri, request.workers or os.cpu_count() or 1)
    if not found.passed:
        raise UnfinishedWork(f"{len(found.findings)} findings in {request.uri}", found)
    return found


def _check_dataset(uri: str, workers: int) -> Validation:
    folder = DatasetFolder.at(uri)
    total = len(folder.committed_shards())
    with tracking("validate", total=total, unit="shards") as tracker:
        found = validate_dataset(
            folder, workers=workers, progress=lambda _done, _all: tracker.advance()
        )
    return _add_videos(found, folder)


def _check_2k2k(path: str, workers: int) -> PublishedCheck:
    with following("validate", unit="views") as follow:
        return check_2k2k(Path(path), workers=workers, progress=follow)


def _check_hdnet(path: str, _workers: int) -> LayoutCheck:
    with following("validate", unit="frames") as follow:
        return check_hdnet(Path(path), progress=follow)


_CHECKS: dict[PublishedLayout | None, Callable[[str, int], Findings]] = {
    None: _check_dataset, "2k2k": _check_2k2k, "hdnet": _check_hdnet,
}  # fmt: skip


def _add_videos(found: Validation, folder: DatasetFolder) -> Validation:
    """Read the frames and pairs back too, where there are any."""
    planned = len(read_video_plan(folder))
    if not planned:
        return found
    with tracking("validate", total=planned, unit="videos") as tracker:
        videos = validate_videos(folder, progress=lambda _done, _all: tracker.advance())
    return found.model_copy(
        update={
            "videos": videos.videos, "frames": videos.frames, "pairs": videos.pairs,
            "findings": (*found.findings, *videos.findings),
        }
    )  # fmt: skip
