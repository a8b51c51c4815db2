"""What a method does with a photograph before and after its nets, as a table."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2

from schemas.errors import ScanmillError, StorageError
from schemas.prediction import Method
from schemas.wording import shorten_text
from tasks.reconstruction import person_photo, surface_photo
from tasks.reconstruction.outcomes import PhotoOutcome
from tasks.reconstruction.photo_jobs import PhotoJob

ONE_PHOTO_ALONE = (
    ScanmillError, MemoryError, cv2.error, ValueError, ArithmeticError, LookupError, OSError,
)  # fmt: skip
"""What a photograph may fail of without the others; a full disk is no such thing."""


@dataclass(frozen=True, slots=True)
class PhotoMethod:
    """prepare: writes the input of the nets. finish: writes the folder; returns seconds."""

    prepare: Callable[[PhotoJob], None]
    finish: Callable[[PhotoJob], float]


METHODS: dict[Method, PhotoMethod] = {
    "2k2k": PhotoMethod(person_photo.prepare, person_photo.finish),
    "hdnet": PhotoMethod(surface_photo.prepare, surface_photo.finish),
}


def prepare_photo(job: PhotoJob) -> PhotoOutcome | None:
    """Write what the nets read; returns why the photograph fails, None where it is ready."""
    try:
        METHODS[job.request.method].prepare(job)
    except StorageError:
        raise
    except ONE_PHOTO_ALONE as error:
        return job.outcome("failed", reason=_explain(error))
    return None


def finish_photo(job: PhotoJob, refusal: str) -> PhotoOutcome:
    """Write the photograph's folder; refusal: why the nets refused it, empty where they did not."""
    try:
        if refusal:
            return job.outcome("failed", reason=refusal)
        seconds = METHODS[job.request.method].finish(job)
        return job.outcome("done", seconds=seconds)
    except StorageError:
        raise
    except ONE_PHOTO_ALONE as error:
        return job.outcome("failed", reason=_explain(error))
    finally:
        job.input.unlink(missing_ok=True)
        job.output.unlink(missing_ok=True)


def _explain(error: BaseException) -> str:
    said = str(error) or "not enough memory"
    return said if isinstance(error, ScanmillError) else shorten_text(said, 300)
