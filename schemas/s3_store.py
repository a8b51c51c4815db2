"""A data set in a bucket: shards are made in a local temporary folder, uploaded and checked.

    <temporary folder>/scanmill-<user>/   shards in the making; what killed writers left is swept

Every change of an object is a conditional write of the S3 protocol (If-None-Match, If-Match), so
that of two writers one is refused, whatever clocks and caches say. An answer that was lost is told
from another writer by what the object holds now. Other stores that fsspec knows are read only.
"""

import getpass
import hashlib
import posixpath
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from fsspec import AbstractFileSystem

from schemas.atomic_files import remove_leftovers, temporary_file
from schemas.dataset_store import WHATEVER, ConflictError, Seen, StagedFile, Stamp
from schemas.errors import MachineError, RequestError
from schemas.object_cache import ObjectCache
from schemas.object_store import PROBE_PREFIX, ObjectStoreFiles, open_system
from schemas.s3_upload import UploadedFile, digest_parts, upload_file

_DIGEST_KEY = "sha256"
"""Metadata of an object: the digest of its content, checked when it was uploaded."""

_FETCH_BYTES = 16 << 20
_WRITABLE = {"s3", "s3a"}


def open_store(uri: str) -> "S3Store":
    """Take a place in a store by its address; nothing is asked of it yet. Raises as open_system."""
    system, root = open_system(uri)
    return S3Store(uri.rstrip("/"), system, root)


@dataclass(frozen=True, slots=True)
class S3Store(ObjectStoreFiles):
    """A prefix that a data set is written to; see DatasetStore."""

    address: str
    system: AbstractFileSystem
    root: str

    def stamp(self, name: str) -> Stamp | None:
        """Ask for size, ETag and kept digest of an object."""
        try:
            if not self._is_writable:
                info = self.ask(name, lambda: self.system.info(self.path_of(name)))
                return Stamp(info["size"], version_of(info))
            found = self.call(name, "head_object")
        except FileNotFoundError:
            return None
        kept = {key.lower(): value for key, value in found.get("Metadata", {}).items()}
        return Stamp(found["ContentLength"], found["ETag"], kept.get(_DIGEST_KEY))

    def write(self, name: str, data: str | bytes, *, seen: Seen) -> Stamp:
        """Write a small object; raises ConflictError when what was seen is no longer there."""
        body = data.encode() if isinstance(data, str) else data
        digest = hashlib.sha256(body).hexdigest()
        try:
            put = self.call(
                name, "put_object", Body=body, Metadata={_DIGEST_KEY: digest}, **conditions(seen)
            )
        except (ConflictError, FileNotFoundError) as error:
            return self._own_or_refused(name, body, error)
        return Stamp(len(body), put["ETag"], digest)

    def _own_or_refused(self, name: str, body: bytes, error: Exception) -> Stamp:
        """Return the stamp of what is there when it is what we write: the answer was lost."""
        there = self.stamp(name)
        if there is not None and there.size == len(body):
            with suppress(FileNotFoundError):
                if self.read(name) == body and self.stamp(name) == there:
                    return there
        raise ConflictError.at(self.where(name)) from error

    def remove(self, name: str, *, seen: Seen) -> None:
        """Remove an object, if there is one; raises ConflictError when it is another one."""
        if seen is WHATEVER:
            self.call(name, "delete_object")
            return
        there = self.stamp(name)
        if there is None:
            return
        if there != seen:
            raise ConflictError.at(self.where(name))
        with suppress(FileNotFoundError):
            self.call(name, "delete_object", **conditions(seen))

    @contextmanager
    def stage(self, name: str) -> Iterator[StagedFile]:
        """Begin a file in the local temporary folder."""
        place = staging_folder() / posixpath.basename(name)
        with temporary_file(place) as (file, temporary):
            yield _StagedObject(self, name, file, temporary)

    @contextmanager
    def local_file(self, name: str) -> Iterator[Path]:
        """Give a copy in this user's cache of objects."""
        stamp = self.stamp(name)
        if stamp is None:
            raise FileNotFoundError(self.where(name))
        key = f"{self.where(name)} {stamp.version}"

        def fetch(file: BinaryIO) -> None:
            self.fetch(name, stamp, file)

        with ObjectCache.of_user().hold(key, stamp.size, fetch) as path:
            yield path

    def fetch(self, name: str, stamp: Stamp, file: BinaryIO) -> None:
        """Copy an object into a file, by ranges, from its start.

        Raises ConflictError when it is another one meanwhile, MachineError when bytes are missing.
        """
        path = self.path_of(name)
        for first in range(0, stamp.size, _FETCH_BYTES):
            end = min(first + _FETCH_BYTES, stamp.size)

            def read(first: int = first, end: int = end) -> bytes:
                data: bytes = self.system.cat_file(path, start=first, end=end)
                if len(data) != end - first:
                    raise ConnectionError(f"{len(data)} of {end - first} bytes came")
                return data

            file.write(self.ask(name, read))
        if self.stamp(name) != stamp:
            raise ConflictError.at(self.where(name))

    def put_file(self, path: Path, name: str, *, replaces: bool) -> None:
        """Upload a file; raises ConflictError where other content is there and is not replaced."""
        self.upload(path, name, WHATEVER if replaces else None)

    def upload(self, path: Path, name: str, seen: Seen) -> Stamp:
        """Upload a file, and compare size and checksum of what the store holds now."""
        content = digest_parts(path)
        kept = {_DIGEST_KEY: content.sha256}
        try:
            upload_file(self.call, name, content, metadata=kept, conditions=conditions(seen))
        except (ConflictError, FileNotFoundError) as error:
            if not self._holds(name, content):  # else the answer was lost
                raise ConflictError.at(self.where(name)) from error
        stamp = self.stamp(name)
        if stamp is None or not self._holds(name, content):
            raise MachineError(
                self.where(name),
                found=f"{stamp.size if stamp else 0} bytes, not those that were uploaded",
                expected=f"{content.size} bytes with the sha256 {content.sha256}",
                hint="Check the store, then run the command again.",
            )
        return stamp

    def _holds(self, name: str, content: UploadedFile) -> bool:
        """Return whether the store holds this content: by its ETag, else by reading it back."""
        stamp = self.stamp(name)
        if stamp is None or stamp.size != content.size:
            return False
        if stamp.version.strip('"') == content.etag:
            return True
        if stamp.sha256 != content.sha256:
            return False
        with self.local_file(name) as path, path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == content.sha256

    def sweep(self, folders: tuple[str, ...]) -> tuple[str, ...]:
        """Remove what killed writers left in the local temporary folder."""
        del folders
        return tuple(str(path) for path in remove_leftovers(staging_folder()))

    def list_leftovers(self, folder: str) -> tuple[str, ...]:
        """Nothing that is half-written can be seen in a bucket."""
        del folder
        return ()

    def require_writable(self) -> None:
        """Refuse a store that does not write conditionally; makes and removes an object."""
        self._require_scheme()
        name = f"{PROBE_PREFIX}{uuid.uuid4().hex}"
        stamp = self.write(name, "first", seen=None)
        try:
            with suppress(ConflictError):
                self.write(name, "second", seen=None)
                raise MachineError(
                    self.address, found="a store that replaces objects which it must not replace",
                    expected="conditional writes (If-None-Match), as S3 has them",
                    hint="Update the server, or write to a folder and copy the data set there.",
                )  # fmt: skip
        finally:
            self.remove(name, seen=stamp)

    def call(self, name: str, method: str, **arguments: object) -> Mapping[str, Any]:
        """Make a request of the S3 protocol about an object."""
        self._require_scheme()
        bucket, _, key = self.path_of(name).partition("/")

        def request() -> Mapping[str, Any]:
            answer: Mapping[str, Any] = self.system.call_s3(
                method, Bucket=bucket, Key=key, **arguments
            )
            return answer

        return self.ask(name, request)

    @property
    def _is_writable(self) -> bool:
        return self.address.partition("://")[0] in _WRITABLE

    def _require_scheme(self) -> None:
        if not self._is_writable:
            scheme = self.address.partition("://")[0]
            raise RequestError(
                self.address, found=f"the scheme {scheme}://",
                expected="a folder, or an address such as s3://bucket/prefix",
                hint=f"Data sets are read from {scheme}:// but not written there; write to a "
                "folder and copy it.",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _StagedObject:
    """A file in the local temporary folder, uploaded and checked when it is published."""

    store: S3Store
    name: str
    file: BinaryIO
    temporary: Path

    def publish(self, seen: Seen) -> Stamp:
        """Upload, and compare size and checksum of what the store holds now."""
        self.file.flush()
        return self.store.upload(self.temporary, self.name, seen)


def version_of(info: Mapping[str, Any]) -> str:
    """Return what distinguishes an object from what was there before, of a listing's entry."""
    found = info.get("ETag") or info.get("etag") or info.get("mtime") or info.get("created")
    return str(found.timestamp() if isinstance(found, datetime) else found)


def conditions(seen: Seen) -> dict[str, str]:
    """Return the arguments of a request that is refused when something else is there."""
    if seen is WHATEVER:
        return {}
    return {"IfMatch": seen.version} if seen else {"IfNoneMatch": "*"}


def staging_folder() -> Path:
    """Return the local temporary folder of this user (TMPDIR)."""
    return Path(tempfile.gettempdir()) / f"scanmill-{getpass.getuser()}"
