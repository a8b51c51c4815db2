"""What a data set is written through: one small protocol, whatever holds the files.

    schemas.local_store.LocalStore     a folder on a local or mounted disk
    schemas.object_store               a prefix in a bucket

Every durable step of the shard life cycle (plan, lease, commit, record) is one call of it, so that
a store which fails on purpose can take its place. A file is whole or absent; whoever changes what
others may change too says what it saw there before, and is refused when that is no longer so.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, runtime_checkable

from schemas.dataset_reader import DatasetFiles
from schemas.errors import MachineError


class _Whatever(Enum):
    WHATEVER = "whatever is there"


WHATEVER = _Whatever.WHATEVER
"""As `seen`: replace or remove whatever is there, seen or not."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file was when it was looked at; equal stamps mean that it is unchanged.

    size: bytes. version: inode and time of a local file, ETag of an object. sha256: of the
    content, hex, where the place keeps it.
    """

    size: int
    version: str
    sha256: str | None = field(default=None, compare=False)


Seen = Stamp | None | Literal[_Whatever.WHATEVER]
"""What must be there for a change to happen: a stamped file, none, or whatever."""


class ConflictError(MachineError):
    """Another writer changed a file between the look at it and the change; nothing was done."""

    @staticmethod
    def at(where: str) -> "ConflictError":
        """Name the file."""
        return ConflictError(
            where, found="another writer changed it meanwhile", expected="the file as it was seen",
            hint="Nothing was overwritten; run the command again.",
        )  # fmt: skip


@runtime_checkable
class StagedFile(Protocol):
    """A big file in the making: a local temporary file, which nobody sees yet."""

    @property
    def file(self) -> BinaryIO:
        """Where the content is written, from its start to its end."""

    def publish(self, seen: Seen) -> Stamp:
        """Give the whole file its name, flushed and checked; raises as DatasetStore.write."""


@runtime_checkable
class DatasetStore(DatasetFiles, Protocol):
    """The place that a data set is written to. Names are relative, with forward slashes.

    A full place raises StorageError, one that does not answer MachineError.
    """

    def stamp(self, name: str) -> Stamp | None:
        """Look at a file without reading it; None where there is none."""

    def write(self, name: str, data: str | bytes, *, seen: Seen) -> Stamp:
        """Write a whole small file; raises ConflictError when what was seen is no longer there."""

    def remove(self, name: str, *, seen: Seen) -> None:
        """Remove a file, if there is one; raises ConflictError when it is another one."""

    def stage(self, name: str) -> AbstractContextManager[StagedFile]:
        """Begin a big file; nothing is left of it after the block unless it was published."""

    def local_file(self, name: str) -> AbstractContextManager[Path]:
        """Give a file as one on a disk for the length of a block; raises FileNotFoundError."""

    def sweep(self, folders: tuple[str, ...]) -> tuple[str, ...]:
        """Remove what killed writers left half-written in these folders; returns the names."""

    def list_leftovers(self, folder: str) -> tuple[str, ...]:
        """List the last names of what killed writers left half-written in a folder."""

    def require_writable(self) -> None:
        """Refuse a place that can't be written to as this protocol promises."""
