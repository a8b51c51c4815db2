"""A local memory of shards that were done, and of the files that said so: for quick looks.

    <user cache>/scanmill/states/<data set>-<kind>.json

A shard is what it was while none of these files changed by size, modification or status change
time, and while code, settings, backgrounds and roots are the same. Files that changed while they
were being looked at are not believed. Losing the memory costs time only.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns

from schemas.atomic_files import write_atomically
from schemas.cache_folder import cache_folder
from schemas.errors import StorageError

MEMORY_VERSION = 1
Entry = tuple[str, list[str], object]
"""Stamp of the files, their paths, and what was kept of the shard."""


@dataclass(slots=True)
class KnownStates:
    """What is remembered of one data set's shards of one kind. Owns: its file.

    key: digest of all that decides states besides files. began_ns: when this look began.
    """

    path: Path
    key: str
    began_ns: int = field(default_factory=time_ns)
    _entries: dict[str, Entry] = field(default_factory=dict)
    _is_new: bool = False

    @staticmethod
    def load(root: Path, kind: str, decided_by: str) -> "KnownStates":
        """Load what is remembered; nothing when it is lost or was decided by other things.

        root: folder of the data set. kind: of shards. decided_by: all that the key is made of.
        """
        name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:24]
        path = cache_folder() / "states" / f"{name}-{kind or 'samples'}.json"
        key = hashlib.sha256(f"{MEMORY_VERSION} {decided_by}".encode()).hexdigest()
        return KnownStates(path, key, _entries=_read(path, key))

    def recall(self, shard_id: str) -> object:
        """Return what was kept of a shard; None when it is not known or a file changed."""
        entry = self._entries.get(shard_id)
        return entry[2] if entry and _stamp(entry[1])[0] == entry[0] else None

    def remember(self, shard_id: str, paths: Iterable[Path], kept: object) -> None:
        """Keep something of a shard while these files, there or absent, don't change."""
        names = [os.path.abspath(path) for path in paths]  # noqa: PTH100 - as fingerprints do
        stamp, newest_ns = _stamp(names)
        if newest_ns < self.began_ns:
            self._entries[shard_id] = (stamp, names, kept)
            self._is_new = True

    def flush(self) -> None:
        """Store what was remembered; does nothing where there is no cache."""
        if not self._is_new:
            return
        content = {"version": MEMORY_VERSION, "key": self.key, "shards": self._entries}
        try:
            write_atomically(self.path, json.dumps(content, separators=(",", ":")))
        except (OSError, StorageError):
            return  # a memory that can't be written costs time only


def _stamp(paths: Iterable[str]) -> tuple[str, int]:
    """Digest what the system says of files; and when one of them last changed, in nanoseconds."""
    found, newest_ns = [], 0
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - a hundred thousand times
        except OSError:
            found.append("")
            continue
        found.append(f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}")
        newest_ns = max(newest_ns, status.st_ctime_ns)
    return hashlib.blake2b("|".join(found).encode(), digest_size=16).hexdigest(), newest_ns


def _read(path: Path, key: str) -> dict[str, Entry]:
    try:
        content = json.loads(path.read_bytes())
        if (content["version"], content["key"]) != (MEMORY_VERSION, key):
            return {}
        return {
            str(shard_id): (str(stamp), list(map(str, paths)), kept)
            for shard_id, (stamp, paths, kept) in content["shards"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
