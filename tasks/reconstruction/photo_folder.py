"""The folder of one photograph: whole or absent, and whether it is still what is asked for.

Its record, reconstruction.json, says what it was made of: while that stays the same, the
photograph is done.
"""

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.atomic_files import TEMPORARY_PREFIX, flush_folder, storage_errors, write_atomically
from schemas.errors import InputError
from schemas.reconstruct_request import ReconstructRequest
from schemas.regular_files import read_whole

RECORD, LOCK = "reconstruction.json", "lock"
FORMAT_VERSION = 1
MAX_RECORD_BYTES = 1 << 20
NO_PART_OF_IT = frozenset({"photos", "out", "device", "checkpoint", "normal_checkpoint"})
"""Options that change no file, or count by their content."""


class PhotoRecord(BaseModel):
    """reconstruction.json. made_of: digest of photograph, its files, weights and options.

    resolution: pixels a side of all maps. scale: what scene units were multiplied by. window:
    left, top, side of what the nets saw, in the photograph's pixels. keypoints: x, y, known in
    pixels of the maps. files: sha256 by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    method: str
    photo: str
    made_of: str
    resolution: int
    scale: float
    window: tuple[float, float, float]
    keypoints: list[tuple[float, float, float]] = []
    meshing: str = ""
    seconds: dict[str, float] = {}
    files: dict[str, str] = {}


def digest_inputs(
    request: ReconstructRequest, photo_sha256: str, beside: dict[str, str], weights: str
) -> str:
    """Return a digest of all that decides a photograph's files. beside: sha256 of its files."""
    options = request.model_dump(mode="json", exclude=set(NO_PART_OF_IT))
    parts = {"options": options, "photo": photo_sha256, "beside": beside, "weights": weights}
    text = json.dumps({"format": FORMAT_VERSION, **parts}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_record(folder: Path) -> PhotoRecord | None:
    """Read a photograph's record; None where there is none that can be read."""
    try:
        data = read_whole(folder / RECORD, MAX_RECORD_BYTES)
        return PhotoRecord.model_validate_json(data)
    except (InputError, ValidationError):
        return None


def is_done(folder: Path, made_of: str) -> bool:
    """Return whether a folder is whole and made of the same."""
    record = read_record(folder)
    if record is None or record.made_of != made_of:
        return False
    return all((folder / name).is_file() for name in record.files)


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Yield a folder below OUT for what is not whole yet; it is removed afterwards.

    It holds a locked file, so that what a killed run left is known, and removed here.
    """
    with storage_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        for left in out.glob(f"{TEMPORARY_PREFIX}*/{LOCK}"):
            _remove_abandoned(left)
        work = Path(mkdtemp(prefix=TEMPORARY_PREFIX, dir=out))
    try:
        with (work / LOCK).open("xb") as lock:
            with suppress(OSError):  # without locks nothing is ever taken for a leftover
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def new_folder(final: Path, work: Path) -> Iterator[Path]:
    """Yield a folder that gets its name, in place of an older one, when the block ends well.

    work: below the same parent, where it is made.
    """
    temporary = work / uuid4().hex
    with storage_errors(final):
        temporary.mkdir(parents=True)
        try:
            yield temporary
            _replace(temporary, final, work)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def write_record(folder: Path, record: PhotoRecord) -> None:
    """Write the record of all files in the folder, as the last one."""
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    whole = record.model_copy(update={"files": files})
    write_atomically(folder / RECORD, whole.model_dump_json(indent=1) + "\n")


def _remove_abandoned(lock: Path) -> None:
    """Remove a work folder whose lock nobody holds."""
    with suppress(OSError), lock.open("r+b") as file:  # NFS locks only what is open for writing
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(lock.parent, ignore_errors=True)


def _replace(temporary: Path, final: Path, work: Path) -> None:
    """Exchange folders; between the two steps there is none, never a part of one."""
    old = work / uuid4().hex
    if final.exists():
        final.rename(old)
    temporary.rename(final)
    flush_folder(final.parent)
    shutil.rmtree(old, ignore_errors=True)
