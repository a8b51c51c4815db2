"""Data sets in an object store, or anywhere else that fsspec reaches: read by ranges.

`schemas.s3_store` writes them.

s3:// addresses need the extra `s3`; AWS_ENDPOINT_URL and the usual AWS variables and files are
honoured, and FSSPEC_S3_ANON=true reads a public bucket without credentials.
"""

import errno
import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from schemas.dataset_reader import DatasetReader, LocalFiles, RowGroups
from schemas.dataset_store import ConflictError
from schemas.errors import DependencyError, RequestError, ScanmillError
from schemas.parquet_ranges import Range, RangedParquet
from schemas.store_errors import explain_store_error, is_conflict, is_no_bucket, patiently

R = TypeVar("R")

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 8
PROBE_PREFIX = ".scanmill-"
"""Of objects that are made to see whether a place can be written to."""

ATTEMPTS = 2
"""At the request itself, and once more at an answer that broke off: nobody waits for minutes."""

_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "s3": {
        "use_listings_cache": False,
        "config_kwargs": {
            "connect_timeout": CONNECT_TIMEOUT_S,
            "read_timeout": READ_TIMEOUT_S,
            "retries": {"total_max_attempts": ATTEMPTS, "mode": "standard"},
        },
    },
}
"""What a file system is opened with, by scheme; its own environment variables come on top."""


def open_dataset(uri: str) -> DatasetReader:
    """Take a folder by path or file:// address, or a place that fsspec knows by its scheme.

    Nothing is asked of the place yet. Raises as open_system does.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        return DatasetReader(LocalFiles(Path(rest if separator else uri)))
    system, root = open_system(uri)
    return DatasetReader(ObjectStoreFiles(uri.rstrip("/"), system, root))


def open_system(uri: str) -> tuple[AbstractFileSystem, str]:
    """Open the file system of an address; returns it, and the place as it names it.

    Nothing is asked of the place yet. Raises DependencyError when the scheme's driver is not
    installed, RequestError when nobody knows the scheme, or the address holds more than a place.
    """
    scheme = uri.partition("://")[0]
    if "@" in uri or "?" in uri:
        raise RequestError(
            f"{scheme}://...", found="credentials or options in an address",
            expected="an address such as s3://bucket/prefix",
            hint="Give credentials by the environment: addresses are kept in records.",
        )  # fmt: skip
    try:
        system, root = url_to_fs(uri, **_OPTIONS.get(scheme, {}))
    except ImportError as error:
        raise DependencyError(
            uri, found=f"{error}", expected=f"the driver for {scheme}:// addresses",
            hint="For s3:// run `pip install 'scanmill[s3]'` (`make setup` does); or copy the "
            "data set to a disk.",
        ) from error  # fmt: skip
    except ValueError as error:
        raise RequestError(
            uri, found=f"{error}", expected="a path, or an address such as s3://bucket/prefix",
            hint="Write the address of the data set's folder.",
        ) from error  # fmt: skip
    if hasattr(system, "retries"):
        system.retries = ATTEMPTS
    return system, root.rstrip("/")


@dataclass(frozen=True, slots=True)
class ObjectStoreFiles:
    """A prefix in a store. address: as given; root: as the file system names it."""

    address: str
    system: AbstractFileSystem
    root: str

    def where(self, name: str) -> str:
        """Return the address of a file."""
        return posixpath.join(self.address, name)

    def require(self) -> None:
        """Raise RequestError when nothing is there, MachineError when the store is silent."""
        try:
            self.ask("", lambda: self.system.ls(self.root, detail=False))
        except FileNotFoundError as error:
            raise RequestError(
                self.address, found=f"no such bucket or prefix: {error}",
                expected="a scanmill data set",
                hint="Check the address; copy the folder that `scanmill render --out` wrote "
                "there as it is.",
            ) from error  # fmt: skip

    def list_names(self, folder: str) -> tuple[str, ...]:
        """List the last names below a prefix; none where there is no such prefix."""
        place = posixpath.join(self.root, folder).rstrip("/")
        try:
            found = self.ask(folder, lambda: self.system.ls(place, detail=False))
        except FileNotFoundError:
            return ()
        return tuple(posixpath.basename(path.rstrip("/")) for path in found)

    def read(self, name: str) -> bytes:
        """Read a whole small file; raises FileNotFoundError."""
        data: bytes = self.ask(name, lambda: self.system.cat_file(self.path_of(name)))
        return data

    def open_parquet(self, name: str, size: int) -> RowGroups:
        """Read a shard's footer; rows come by ranges of bytes when they are asked for."""
        path = self.path_of(name)

        def fetch(ranges: Sequence[Range]) -> list[bytes]:
            starts, ends = [first for first, _ in ranges], [end for _, end in ranges]
            paths = [path] * len(ranges)
            fetched: list[bytes] = self.ask(
                name, lambda: self.system.cat_ranges(paths, starts, ends, on_error="raise")
            )
            if [len(data) for data in fetched] != [end - first for first, end in ranges]:
                raise OSError(errno.EINVAL, f"shorter than the {size} bytes of its manifest")
            return fetched

        return RangedParquet(fetch, size)

    def path_of(self, name: str) -> str:
        """Return the place of a file as the file system names it."""
        return posixpath.join(self.root, name)

    def ask(self, name: str, request: Callable[[], R]) -> R:
        """Make a request about a file, patiently; turn what the driver raises into our errors.

        A file that is absent or too short stays OSError: that is the data's fault.
        """
        where = self.where(name) if name and not name.startswith(PROBE_PREFIX) else self.address
        try:
            return patiently(request)
        except Exception as error:
            if isinstance(error, ScanmillError) or _lies_in_the_file(error):
                raise
            if is_conflict(error):
                raise ConflictError.at(where) from error
            raise explain_store_error(where, error) from error


def _lies_in_the_file(error: Exception) -> bool:
    if is_no_bucket(error) or is_conflict(error):
        return False
    return isinstance(error, OSError) and (
        isinstance(error, FileNotFoundError) or error.errno == errno.EINVAL
    )
