"""Inputs in an object store: their names in a folder here, their content fetched when it is read.

    <user cache>/scanmill/inputs/s3/bucket/prefix/...              a hollow file for each object
    <user cache>/scanmill/inputs/s3/bucket/prefix/.scanmill-inputs.json   ETags

A hollow file has the size of its object and takes no room; its time changes with the ETag. Code
that lists, looks for and compares inputs works on these; what opens one, by
`schemas.regular_files.open_regular_file`, gets the copy of the object in `schemas.object_cache`
instead, which bounds what lies on the disk.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import BinaryIO

from schemas.addresses import address_of, is_mirrored, path_of_root
from schemas.atomic_files import write_atomically
from schemas.dataset_store import Stamp
from schemas.errors import InputError, RequestError
from schemas.object_cache import ObjectCache
from schemas.s3_store import open_store, version_of

INDEX = ".scanmill-inputs.json"
_LOCK = ".scanmill-inputs.lock"
LISTED_AGAIN_S = 10.0
"""A root that this process has just listed is not listed again."""

_NS = 10**9
_LISTED: dict[str, float] = {}
Files = Mapping[str, tuple[int, str, int]]
"""Size, version and time (nanoseconds since 1970) of each object, by its name below the root."""


def open_root(text: str) -> Path:
    """Bring the names of inputs up to date, and return their folder; a path is returned as it is.

    Raises RequestError when nothing is there, MachineError when the store is silent.
    """
    root = path_of_root(text)
    if not is_mirrored(root):
        return root
    address = address_of(root)
    if monotonic() - _LISTED.get(str(root), -LISTED_AGAIN_S) < LISTED_AGAIN_S:
        return root
    files = _list_objects(address)
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _bring_up_to_date(root, _read_index(root)[1], files)
        write_atomically(root / INDEX, json.dumps({"address": address, "files": files}))
    _LISTED[str(root)] = monotonic()
    return root


def open_mirrored(path: Path) -> BinaryIO:
    """Open the content of a hollow file; the caller closes it.

    Raises InputError when its object is not known, MachineError when the store fails.
    """
    root = next((one for one in path.parents if (one / INDEX).exists()), None)
    address, files = _read_index(root) if root else ("", {})
    name = path.relative_to(root).as_posix() if root else ""
    if name not in files:
        raise InputError(
            address_of(path), found="no such object", expected="an object that was listed",
            hint="Run the command again, which lists the store.",
        )  # fmt: skip
    size, version, _ = files[name]
    store = open_store(address)

    def fetch(file: BinaryIO) -> None:
        store.fetch(name, Stamp(size, version), file)

    return ObjectCache.of_user().open(f"{address}/{name} {version}", size, fetch)


def _list_objects(address: str) -> Files:
    store = open_store(address)
    try:
        found = store.ask("", lambda: store.system.find(store.root, detail=True))
    except FileNotFoundError:
        found = {}
    files = {}
    for place, info in found.items():
        name = place.removeprefix(store.root).lstrip("/")
        if _is_safe(name):
            version = version_of(info)
            files[name] = (int(info["size"]), version, _time_of(info, version))
    if not files:
        raise RequestError(
            address, found="nothing is there", expected="objects below this address",
            hint="Check the address; give the one that the files are below.",
        )  # fmt: skip
    return files


def _is_safe(name: str) -> bool:
    """Return whether an object can be a file below a folder; others are left out."""
    parts = PurePosixPath(name).parts
    is_plain = bool(parts) and "\0" not in name and not name.endswith("/") and "//" not in name
    return is_plain and ".." not in parts and parts[-1] not in {INDEX, _LOCK}


def _time_of(info: Mapping[str, object], version: str) -> int:
    """Return a time that is the object's to the second, and another one for another version."""
    changed = info.get("LastModified") or info.get("created")
    seconds = int(changed.timestamp()) if isinstance(changed, datetime) else 0
    return seconds * _NS + int(hashlib.sha256(version.encode()).hexdigest()[:8], 16) % _NS


def _bring_up_to_date(root: Path, known: Files, files: Files) -> None:
    for name in set(known) - set(files):
        (root / name).unlink(missing_ok=True)
        for folder in (root / name).relative_to(root).parents:
            with suppress(OSError):  # other files are in it
                (root / folder).rmdir()
    root.mkdir(parents=True, exist_ok=True)
    for name, (size, version, time_ns) in files.items():
        path = root / name
        if name in known and tuple(known[name]) == (size, version, time_ns) and path.is_file():
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            os.truncate(file.fileno(), size)
        os.utime(path, ns=(time_ns, time_ns))


def _read_index(root: Path) -> tuple[str, Files]:
    try:
        return _parse_index(root / INDEX, (root / INDEX).stat().st_mtime_ns)
    except FileNotFoundError:
        return "", {}


@lru_cache(maxsize=8)
def _parse_index(path: Path, _time_ns: int) -> tuple[str, Files]:
    content = json.loads(path.read_bytes())
    return content["address"], {name: tuple(one) for name, one in content["files"].items()}
