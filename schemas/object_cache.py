"""Copies of objects on a disk, up to a bound: what was used longest ago goes first.

    <user cache>/scanmill/objects/<key>   one file an object and version; locked while it is used

SCANMILL_STORE_CACHE_GB sets the bound. A file that is in use is never removed, so that files in use
may pass the bound together.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from schemas.atomic_files import TEMPORARY_PREFIX, remove_leftovers, storage_errors, temporary_file
from schemas.cache_folder import cache_folder
from schemas.errors import RequestError

BOUND_VARIABLE = "SCANMILL_STORE_CACHE_GB"
DEFAULT_BOUND_GB = 20.0
_GB = 1e9

Fetch = Callable[[BinaryIO], None]
"""Writes an object's content into a file."""


@dataclass(frozen=True, slots=True)
class ObjectCache:
    """A folder of copies. bound: bytes that may lie there while nothing is in use."""

    root: Path
    bound: int

    @staticmethod
    def of_user() -> "ObjectCache":
        """Return this user's cache; raises RequestError when its bound is no number."""
        return ObjectCache(cache_folder() / "objects", int(_read_bound_gb() * _GB))

    @contextmanager
    def hold(self, key: str, size: int, fetch: Fetch) -> Iterator[Path]:
        """Give the copy of an object for the length of a block; fetched where there is none.

        key: address and version. size: bytes, for which room is made before they are fetched.
        Raises StorageError when the disk is full, and what fetch raises.
        """
        with self.open(key, size, fetch) as file:
            yield Path(file.name)

    def open(self, key: str, size: int, fetch: Fetch) -> BinaryIO:
        """Open the copy of an object as `hold` does; it is in use until it is closed."""
        path = self.root / hashlib.sha256(key.encode()).hexdigest()
        while True:
            with suppress(FileNotFoundError):
                file = path.open("rb")
                fcntl.flock(file, fcntl.LOCK_SH)
                if os.fstat(file.fileno()).st_nlink:  # else it was removed before the lock
                    os.utime(path)
                    return file
                file.close()
            self._make_room(size)
            with storage_errors(path), temporary_file(path) as (new, temporary):
                fetch(new)
                new.flush()
                temporary.replace(path)

    def _make_room(self, size: int) -> None:
        """Remove what was used longest ago and is not in use, until an object of a size fits."""
        remove_leftovers(self.root)
        found = sorted(_list_files(self.root), key=lambda one: one[1])
        left = sum(bytes_ for _, _, bytes_ in found) + size
        for path, _, bytes_ in found:
            if left <= self.bound:
                return
            if _remove_unused(path):
                left -= bytes_


def _list_files(root: Path) -> Iterator[tuple[Path, float, int]]:
    """Yield path, time of the last use, and bytes of each copy."""
    for path in root.glob("*"):
        with suppress(FileNotFoundError):
            status = path.stat()
            if not path.name.startswith(TEMPORARY_PREFIX):
                yield path, status.st_mtime, status.st_size


def _remove_unused(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def _read_bound_gb() -> float:
    text = os.environ.get(BOUND_VARIABLE, "") or str(DEFAULT_BOUND_GB)
    try:
        bound = float(text)
    except ValueError:
        bound = -1.0
    if not 0 <= bound < float("inf"):
        raise RequestError(
            BOUND_VARIABLE, found=text, expected="a number of gigabytes",
            hint=f"Unset it for {DEFAULT_BOUND_GB:g}, or write a number.",
        )  # fmt: skip
    return bound
