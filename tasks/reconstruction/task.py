"""The Prefect tasks of this room. The work is in methods.py."""

from tasks.reconstruction.methods import finish_photo, prepare_photo
from tasks.reconstruction.outcomes import PhotoOutcome
from tasks.reconstruction.photo_jobs import PhotoJob
from tasks.task import unit_task


@unit_task("prepare-photo")
def prepare_photo_task(job: PhotoJob) -> PhotoOutcome | None:
    """Write what the nets read; returns why the photograph fails, None where it is ready."""
    return prepare_photo(job)


@unit_task("reconstruct-photo")
def reconstruct_photo_task(job: PhotoJob, refusal: str) -> PhotoOutcome:
    """Write the photograph's folder."""
    return finish_photo(job, refusal)
