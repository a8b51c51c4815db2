"""A data set on a local or mounted disk: written under temporary names, flushed and renamed.

    plan/.lease.lock   locked for the microseconds in which a file is compared and changed

A shared folder needs file locks that work between its hosts, as those of NFS 4 do.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from schemas.atomic_files import (
    flush_file,
    flush_folder,
    leftovers,
    link_new,
    remove_leftovers,
    storage_errors,
    temporary_file,
)
from schemas.dataset_reader import LocalFiles
from schemas.dataset_store import WHATEVER, ConflictError, Seen, StagedFile, Stamp
from schemas.path_checks import check_writable

_LOCK_NAME = "plan/.lease.lock"


@dataclass(frozen=True, slots=True)
class LocalStore(LocalFiles):
    """A folder that a data set is written to. Owns: nothing that must be closed."""

    def stamp(self, name: str) -> Stamp | None:
        """Look at size, time and inode."""
        try:
            status = (self.root / name).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stamp(status.st_size, f"{status.st_ino}-{status.st_mtime_ns}")

    def write(self, name: str, data: str | bytes, *, seen: Seen) -> Stamp:
        """Write a whole file; raises ConflictError when what was seen is no longer there."""
        with self.stage(name) as staged:
            staged.file.write(data.encode() if isinstance(data, str) else data)
            return staged.publish(seen)

    def remove(self, name: str, *, seen: Seen) -> None:
        """Remove a file, if there is one; raises ConflictError when it is another one."""
        if seen is WHATEVER:
            (self.root / name).unlink(missing_ok=True)
        elif self.stamp(name) is not None:
            with self.locked():
                if self.stamp(name) not in {None, seen}:
                    raise ConflictError.at(self.where(name))
                (self.root / name).unlink(missing_ok=True)

    @contextmanager
    def stage(self, name: str) -> Iterator[StagedFile]:
        """Begin a file under a temporary name in its own folder."""
        with temporary_file(self.root / name) as (file, temporary):
            yield _StagedLocally(self, name, file, temporary)

    @contextmanager
    def local_file(self, name: str) -> Iterator[Path]:
        """Give the file itself; whoever opens it sees whether it is there."""
        yield self.root / name

    def sweep(self, folders: tuple[str, ...]) -> tuple[str, ...]:
        """Remove the temporary files whose writers are gone; what is being written stays."""
        return tuple(
            f"{folder}/{path.name}"
            for folder in folders
            for path in remove_leftovers(self.root / folder)
        )

    def list_leftovers(self, folder: str) -> tuple[str, ...]:
        """List the temporary files whose writers are gone."""
        return tuple(path.name for path in leftovers(self.root / folder))

    def require_writable(self) -> None:
        """Refuse a folder that can't be made or written to."""
        check_writable("--out", self.root)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other writers from comparing and changing, on this host and on others."""
        path = self.root / _LOCK_NAME
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.open("a+b")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@dataclass(frozen=True, slots=True)
class _StagedLocally:
    """A file under its temporary name, in the folder where it belongs: nothing is copied."""

    store: LocalStore
    name: str
    file: BinaryIO
    temporary: Path

    def publish(self, seen: Seen) -> Stamp:
        """Flush and rename; raises ConflictError when what was seen is no longer there."""
        path = self.store.root / self.name
        with storage_errors(path):
            flush_file(self.file)
            if seen is WHATEVER:
                self.temporary.replace(path)
            else:
                self._replace(path, seen)
            flush_folder(path.parent)
        status = os.fstat(self.file.fileno())
        return Stamp(status.st_size, f"{status.st_ino}-{status.st_mtime_ns}")

    def _replace(self, path: Path, seen: Stamp | None) -> None:
        with self.store.locked():
            if self.store.stamp(self.name) != seen:
                raise ConflictError.at(str(path))
            try:
                self.temporary.replace(path) if seen else link_new(self.temporary, path)
            except FileExistsError as error:
                raise ConflictError.at(str(path)) from error
