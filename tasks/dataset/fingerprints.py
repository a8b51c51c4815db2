"""A local memory of file digests, so that a quick look need not read what has not changed.

    <user cache>/scanmill/fingerprints/<data set>/<shard>.json   path -> size, version, sha256

One small file a shard, so that processes don't wait for each other. Losing it costs time only:
size and version must both agree, else the file is hashed again. The version is the modification
time on a disk, the ETag in an object store.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from schemas.atomic_files import write_atomically
from schemas.cache_folder import cache_folder
from schemas.dataset_folder import DatasetFolder
from schemas.dataset_store import Stamp
from schemas.errors import InputError, MachineError, StorageError
from schemas.file_status import is_readable_file
from schemas.local_store import LocalStore
from schemas.regular_files import digest_regular_file
from schemas.scan import InputFile

CACHE_VERSION = 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a file was when it was last hashed; version: nanoseconds since 1970, or an ETag."""

    size: int
    version: int | str
    sha256: str


@dataclass(slots=True)
class FingerprintCache:
    """Digests of one data set's files and inputs. Owns: its folder below the user's cache.

    deep: believe nothing that is remembered; every file is read once.
    """

    dataset: DatasetFolder
    deep: bool = False
    _known: dict[str, Fingerprint] = field(default_factory=dict)
    _hashed: dict[str, Fingerprint | None] = field(default_factory=dict)

    def recall(self, shard_id: str) -> None:
        """Load what is remembered of a shard; silently nothing when it is lost or unreadable."""
        if not self.deep:
            self._known.update(_read(self._path(shard_id)))

    def digest(self, path: Path) -> Fingerprint | None:
        """Return size and sha256 of a file, None where there is none; reads it only if it must."""
        key = _key(path)
        if key not in self._hashed:
            self._hashed[key] = self._look(path, key)
        return self._hashed[key]

    def digest_stored(self, name: str) -> Fingerprint | None:
        """Return size and sha256 of one of the data set's own files, None where there is none."""
        store = self.dataset.store
        if isinstance(store, LocalStore):
            return self.digest(store.root / name)
        key, stamp = store.where(name), store.stamp(name)
        if stamp is None or key in self._hashed:
            return self._hashed.get(key)
        known = self._known.get(key)
        if known is None or (known.size, known.version) != (stamp.size, stamp.version):
            known = self._read_stored(name, stamp)
        self._hashed[key] = known
        return known

    def _read_stored(self, name: str, stamp: Stamp) -> Fingerprint:
        """Believe the digest that was checked when an object was uploaded; deep: read it all."""
        if stamp.sha256 is not None and not self.deep:
            return Fingerprint(stamp.size, stamp.version, stamp.sha256)
        with self.dataset.store.local_file(name) as path:
            return Fingerprint(stamp.size, stamp.version, digest_regular_file(path)[1])

    def compare(self, path: Path, recorded: InputFile) -> str:
        """Say how a file differs from its record as an input; empty: not at all."""
        try:
            found = self.digest(path)
        except (OSError, MachineError) as error:
            reason = error.found if isinstance(error, MachineError) else error.strerror
            return f"{recorded.path} can't be read: {reason}"
        if found is None:
            return f"{recorded.path} is gone" if recorded.sha256 else ""
        if recorded.sha256 is None:
            return f"{recorded.path} was absent and is there now"
        return "" if found.sha256 == recorded.sha256 else f"{recorded.path} changed"

    def remember(
        self,
        shard_id: str,
        paths: tuple[Path, ...],
        *,
        stored: tuple[str, ...] = (),
    ) -> None:
        """Store the fingerprints of a shard's files; does nothing where there is no cache.

        paths: of its inputs. stored: names of its own files in the data set.
        """
        found = {_key(path): self.digest(path) for path in paths}
        found |= {self._stored_key(name): self.digest_stored(name) for name in stored}
        self._store(shard_id, found)
        for key in found:  # another shard that has this input recalls it by itself
            self._known.pop(key, None)

    def _store(self, shard_id: str, found: Mapping[str, Fingerprint | None]) -> None:
        entries = {key: [one.size, one.version, one.sha256] for key, one in found.items() if one}
        target = self._path(shard_id)
        if (
            all(self._known.get(key) == one for key, one in found.items() if one)
            and target.exists()
        ):
            return
        try:
            write_atomically(target, json.dumps({"version": CACHE_VERSION, "files": entries}))
        except (OSError, StorageError):
            return  # a cache that can't be written costs time only

    def trust(self, path: Path, sha256: str, *, unchanged_since_ns: int | None = None) -> None:
        """Take a digest that was computed while the file was written or read.

        unchanged_since_ns: when the work began; a file that changed later is not trusted.
        """
        try:
            status = path.stat()
        except OSError:
            return
        if unchanged_since_ns is None or status.st_mtime_ns < unchanged_since_ns:
            fingerprint = Fingerprint(status.st_size, status.st_mtime_ns, sha256)
            self._hashed[_key(path)] = fingerprint

    def trust_stored(self, name: str, sha256: str) -> None:
        """Take the digest that was computed while one of the data set's own files was written."""
        store = self.dataset.store
        if isinstance(store, LocalStore):
            self.trust(store.root / name, sha256)
        elif (stamp := store.stamp(name)) is not None:
            self._hashed[store.where(name)] = Fingerprint(stamp.size, stamp.version, sha256)

    def _look(self, path: Path, key: str) -> Fingerprint | None:
        try:
            if not is_readable_file(path):
                return None
            status = path.stat()
            known = self._known.get(key)
            if known and (known.size, known.version) == (status.st_size, status.st_mtime_ns):
                return known
            _, digest = digest_regular_file(path)
            return Fingerprint(status.st_size, status.st_mtime_ns, digest)
        except (FileNotFoundError, InputError):  # it vanished meanwhile
            return None

    def _stored_key(self, name: str) -> str:
        store = self.dataset.store
        return _key(store.root / name) if isinstance(store, LocalStore) else store.where(name)

    def _path(self, shard_id: str) -> Path:
        key = hashlib.sha256(_identity(self.dataset.uri).encode()).hexdigest()[:24]
        return cache_folder() / "fingerprints" / key / f"{shard_id}.json"


def _key(path: Path) -> str:
    return os.path.abspath(path)  # noqa: PTH100 - absolute() keeps "..", so one file had two keys


def _identity(uri: str) -> str:
    """Return an address as it is, and a path without its links."""
    return uri if "://" in uri else str(Path(uri).resolve())


def _read(path: Path) -> Mapping[str, Fingerprint]:
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != CACHE_VERSION:
            return {}
        return {
            key: Fingerprint(int(size), _version(version), str(sha256))
            for key, (size, version, sha256) in content["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _version(stored: object) -> int | str:
    return stored if isinstance(stored, str) else int(str(stored))
