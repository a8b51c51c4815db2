"""Where everything of a data set stands, and how files come to stand there: whole or absent.

URI/dataset.json, plan/00000.json, backgrounds.json, samples/shard-00000.parquet,
manifests/samples/shard-00000.json, runs/<time>.json. Source: docs/dataset-folder.md.
"""

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from schemas.dataset_reader import (
    BACKGROUNDS_NAME,
    DESCRIPTION_NAME,
    PARTS,
    DatasetReader,
    LocalFiles,
    Part,
    manifest_name,
    shard_name,
)
from schemas.errors import RequestError
from schemas.manifest import DatasetDescription, Manifest

__all__ = [
    "PARTS", "TEMPORARY_PREFIX", "DatasetFolder", "Part", "atomic_file", "create_atomically",
    "leftovers", "remove_leftovers", "write_atomically",
]  # fmt: skip

TEMPORARY_PREFIX = ".tmp-"
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """Paths of one data set. Owns: the names. Never reads images."""

    root: Path

    @staticmethod
    def at(uri: str) -> "DatasetFolder":
        """Take a local folder by path or file:// address; raises RequestError for other schemes."""
        scheme, separator, rest = uri.partition("://")
        if separator and scheme != "file":
            raise RequestError(
                uri, found=f"the scheme {scheme}://",
                expected="a folder on a local or mounted disk",
                hint="Give a path; only `scanmill train` reads from object stores so far.",
            )  # fmt: skip
        return DatasetFolder(Path(rest if separator else uri))

    @property
    def description_path(self) -> Path:
        """dataset.json."""
        return self.root / DESCRIPTION_NAME

    @property
    def backgrounds_path(self) -> Path:
        """backgrounds.json."""
        return self.root / BACKGROUNDS_NAME

    @property
    def card_path(self) -> Path:
        """README.md, the data set card."""
        return self.root / "README.md"

    @property
    def plan_folder(self) -> Path:
        """plan/."""
        return self.root / "plan"

    @property
    def runs_folder(self) -> Path:
        """runs/."""
        return self.root / "runs"

    def shard_path(self, shard_id: str, part: Part = "samples") -> Path:
        """<part>/<shard_id>.parquet."""
        return self.root / shard_name(shard_id, part)

    def manifest_path(self, shard_id: str, part: Part = "samples") -> Path:
        """manifests/<part>/<shard_id>.json."""
        return self.root / manifest_name(shard_id, part)

    @property
    def reader(self) -> DatasetReader:
        """The folder as everything that only reads sees it."""
        return DatasetReader(LocalFiles(self.root))

    def committed_shards(self, part: Part = "samples") -> tuple[str, ...]:
        """List the ids of the shards whose manifest is there, in order."""
        return self.reader.committed_shards(part)

    def read_description(self) -> DatasetDescription:
        """Read dataset.json; raises RequestError when the folder is no data set."""
        return self.reader.read_description()

    def read_manifest(self, shard_id: str, part: Part = "samples") -> Manifest:
        """Read the commit record of a shard."""
        return self.reader.read_manifest(shard_id, part)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when whole, flushed and closed.

    Written under a temporary name in the same folder, flushed to disk, renamed. After an error
    nothing is left behind. The writer locks its temporary file, so that what a killed one left
    can be told from work in progress.
    """
    with _temporary_file(path) as (file, temporary):
        yield file
        _flush_file(file)
        temporary.replace(path)
    _flush_folder(path.parent)


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a whole file, or none."""
    with atomic_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def create_atomically(path: Path, data: bytes | str) -> None:
    """Write a whole file where none stands; raises FileExistsError, and leaves what is there.

    Of several writers at once exactly one succeeds. Where the file system knows no hard links,
    the check and the renaming are two steps; callers that race hold a lease besides.
    """
    with _temporary_file(path) as (file, temporary):
        file.write(data.encode() if isinstance(data, str) else data)
        _flush_file(file)
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            if path.exists():
                raise FileExistsError(str(path)) from error
            temporary.replace(path)
    _flush_folder(path.parent)


def leftovers(folder: Path) -> tuple[Path, ...]:
    """List the temporary files of this folder whose writers are gone: nobody holds their lock."""
    found = sorted(folder.glob(f"{TEMPORARY_PREFIX}*")) if folder.is_dir() else []
    return tuple(path for path in found if _is_abandoned(path))


def remove_leftovers(folder: Path) -> tuple[Path, ...]:
    """Remove what killed writers left in this folder, and say what it was."""
    return tuple(path for path in leftovers(folder) if _is_abandoned(path, remove=True))


@contextmanager
def _temporary_file(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    path.parent.mkdir(parents=True, exist_ok=True)
    file, temporary = _open_temporary(path)
    try:
        with file:
            yield file, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _open_temporary(path: Path) -> tuple[BinaryIO, Path]:
    """Open and lock a new file; one that was taken for a leftover before the lock is replaced."""
    while True:
        temporary = path.parent / f"{TEMPORARY_PREFIX}{path.name}-{uuid.uuid4().hex}"
        file = temporary.open("xb")
        with suppress(OSError):  # without locks nothing is ever taken for a leftover
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file, temporary
        file.close()


def _is_abandoned(path: Path, *, remove: bool = False) -> bool:
    try:
        with path.open("r+b") as file:  # NFS locks only what is open for writing
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if remove:  # while the lock is held, so that its writer, if any, sees it gone
                path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _flush_file(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
