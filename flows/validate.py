"""The flow `validate`: read a whole data set back and check it."""

import os

from prefect import flow

from flows.progress import tracking
from flows.run_requests import ValidateRequest
from flows.unfinished import UnfinishedWork
from schemas.dataset_folder import DatasetFolder
from tasks.checks.validation import Validation, validate_dataset
from tasks.video.plan import read_video_plan
from tasks.video.validation import validate_videos


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
    found = _add_videos(found, folder)
    if not found.passed:
        raise UnfinishedWork(f"{len(found.findings)} findings in {request.uri}", found)
    return found


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
