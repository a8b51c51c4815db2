"""Files that appear whole or not at all, and one error for a place that takes no more of them.

A file is written under a temporary name in its own folder, flushed to disk and renamed. A reader
sees the old file or the new one, never a part. Every file that others read is written here.
"""

import errno
import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from schemas.errors import StorageError

TEMPORARY_PREFIX = ".tmp-"
_NO_HARD_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
"""A full disk, no inode left (ENOSPC too), a quota, a limit of file sizes, a read-only mount."""


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when whole, flushed and closed.

    After an error nothing is left behind. The writer locks its temporary file, so that what a
    killed one left can be told from work in progress. Raises StorageError when the place is full.
    """
    with storage_errors(path):
        with temporary_file(path) as (file, temporary):
            yield file
            flush_file(file)
            temporary.replace(path)
        flush_folder(path.parent)


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a whole file, or none; raises StorageError when the place is full."""
    with atomic_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn the OSError of a full or read-only place into a StorageError; others pass.

    path: what is written in the block; an error that names another file names that one.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        named = Path(os.fsdecode(error.filename)) if error.filename else path
        is_own = named.name.startswith(TEMPORARY_PREFIX)
        raise _describe_full(path if is_own else named, error) from error


def flush_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, so that a renaming survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def leftovers(folder: Path) -> tuple[Path, ...]:
    """List the temporary files of this folder whose writers are gone: nobody holds their lock."""
    found = sorted(folder.glob(f"{TEMPORARY_PREFIX}*")) if folder.is_dir() else []
    return tuple(path for path in found if _is_abandoned(path))


def remove_leftovers(folder: Path) -> tuple[Path, ...]:
    """Remove what killed writers left in this folder; returns the removed files."""
    return tuple(path for path in leftovers(folder) if _is_abandoned(path, remove=True))


@contextmanager
def temporary_file(path: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """Yield a locked new file beside a path; it is removed after the block unless renamed.

    Raises StorageError when the place is full, while the block takes room there too.
    """
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        file, temporary = _open_temporary(path)
    try:
        with storage_errors(path), file:
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


def link_new(temporary: Path, path: Path) -> None:
    """Give a whole file its name unless the name is taken; raises FileExistsError."""
    try:
        os.link(temporary, path)
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        if path.exists():
            raise FileExistsError(str(path)) from error
        temporary.replace(path)


def _is_abandoned(path: Path, *, remove: bool = False) -> bool:
    try:
        with path.open("r+b") as file:  # NFS locks only what is open for writing
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if remove:  # while the lock is held, so that its writer, if any, sees it gone
                path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def flush_file(file: BinaryIO) -> None:
    """Flush what was written to the disk, so that it survives a power cut."""
    file.flush()
    os.fsync(file.fileno())


def _describe_full(path: Path, error: OSError) -> StorageError:
    return StorageError(
        str(path), found=f"{error.strerror}{_free_space(path)}", expected="room to write the file",
        hint="Free space there or choose another folder, then run the command again.",
    )  # fmt: skip


def _free_space(path: Path) -> str:
    """Say what the file system of a path has left; nothing where it can't be asked."""
    existing = next((one for one in (path, *path.parents) if one.exists()), Path("/"))
    try:
        status = os.statvfs(existing)
    except OSError:
        return ""
    return f" ({status.f_bavail * status.f_frsize} bytes and {status.f_favail} inodes are free)"
