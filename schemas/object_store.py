"""Data sets in an object store, or anywhere else that fsspec reaches: read only, by ranges.

s3:// addresses need the extra `s3`; AWS_ENDPOINT_URL and the usual AWS variables and files are
honoured, and FSSPEC_S3_ANON=true reads a public bucket without credentials.
"""

import errno
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from schemas.dataset_reader import DatasetReader, LocalFiles, RowGroups
from schemas.errors import (
    DependencyError,
    MachineError,
    RequestError,
    ScanmillError,
)
from schemas.parquet_ranges import Range, RangedParquet

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 8
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

_WAYS_OUT: Mapping[str, str] = {
    "s3": (
        "Check the network, AWS_ENDPOINT_URL, and the credentials (AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or a profile; for a public bucket FSSPEC_S3_ANON=true)."
    ),
}
_HINT = "Check the network, the address and the credentials of the store."


def open_dataset(uri: str) -> DatasetReader:
    """Take a folder by path or file:// address, or a place that fsspec knows by its scheme.

    Nothing is asked of the place yet. Raises DependencyError when the scheme's driver is not
    installed, RequestError when nobody knows the scheme.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme == "file":
        return DatasetReader(LocalFiles(Path(rest if separator else uri)))
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
    return DatasetReader(ObjectStoreFiles(uri.rstrip("/"), system, root.rstrip("/")))


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
            with self._asking(self.address):
                self.system.ls(self.root, detail=False)
        except FileNotFoundError as error:
            raise RequestError(
                self.address, found=f"no such bucket or prefix: {error}",
                expected="a scanmill data set",
                hint="Check the address; copy the folder that `scanmill render --out` wrote "
                "there as it is.",
            ) from error  # fmt: skip

    def list_names(self, folder: str) -> tuple[str, ...]:
        """List the last names below a prefix; none where there is no such prefix."""
        place = posixpath.join(self.root, folder)
        try:
            with self._asking(self.where(folder)):
                found = self.system.ls(place, detail=False)
        except FileNotFoundError:
            return ()
        return tuple(posixpath.basename(path.rstrip("/")) for path in found)

    def read(self, name: str) -> bytes:
        """Read a whole small file; raises FileNotFoundError."""
        with self._asking(self.where(name)):
            data: bytes = self.system.cat_file(posixpath.join(self.root, name))
        return data

    def open_parquet(self, name: str, size: int) -> RowGroups:
        """Read a shard's footer; rows come by ranges of bytes when they are asked for."""
        path = posixpath.join(self.root, name)

        def fetch(ranges: Sequence[Range]) -> list[bytes]:
            starts, ends = [first for first, _ in ranges], [end for _, end in ranges]
            paths = [path] * len(ranges)
            with self._asking(self.where(name)):
                fetched: list[bytes] = self.system.cat_ranges(paths, starts, ends, on_error="raise")
            if [len(data) for data in fetched] != [end - first for first, end in ranges]:
                raise OSError(errno.EINVAL, f"shorter than the {size} bytes of its manifest")
            return fetched

        return RangedParquet(fetch, size)

    @contextmanager
    def _asking(self, where: str) -> Iterator[None]:
        """Turn what the store's driver raises into our errors.

        A file that is absent or too short stays OSError: that is the data's fault.
        """
        try:
            yield
        except Exception as error:
            if isinstance(error, ScanmillError) or _lies_in_the_file(error):
                raise
            scheme = self.address.partition("://")[0]
            refused = "access refused: " if isinstance(error, PermissionError) else ""
            raise MachineError(
                where, found=f"{refused}{type(error).__name__}: {error}",
                expected="an answer from the store", hint=_WAYS_OUT.get(scheme, _HINT),
            ) from error  # fmt: skip


def _lies_in_the_file(error: Exception) -> bool:
    return isinstance(error, OSError) and (
        isinstance(error, FileNotFoundError) or error.errno == errno.EINVAL
    )
