"""Where everything of a data set stands, and how files come to stand there: whole or absent.

URI/dataset.json, plan/00000.json, backgrounds.json, samples/shard-00000.parquet,
manifests/samples/shard-00000.json, runs/<time>.json. Source: contract.md.
"""

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from schemas.errors import RequestError
from schemas.manifest import DatasetDescription, Manifest, parse_record

Part = Literal["samples", "frames", "pairs"]

TEMPORARY_PREFIX = ".tmp-"
_SHARD_NAME = re.compile(r"^shard-\d{5,}$")


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """Paths of one data set. Owns: the names. Never reads pictures."""

    root: Path

    @staticmethod
    def at(uri: str) -> "DatasetFolder":
        """Take a local folder by path or file:// address; raises RequestError for other schemes."""
        scheme, separator, rest = uri.partition("://")
        if separator and scheme != "file":
            raise RequestError(
                uri, met=f"the scheme {scheme}://", wanted="a folder on a local or mounted disk",
                way_out="Give a path; object stores are not supported by this version.",
            )  # fmt: skip
        return DatasetFolder(Path(rest if separator else uri))

    @property
    def description_path(self) -> Path:
        """dataset.json."""
        return self.root / "dataset.json"

    @property
    def backgrounds_path(self) -> Path:
        """backgrounds.json."""
        return self.root / "backgrounds.json"

    @property
    def card_path(self) -> Path:
        """README.md, the data set card."""
        return self.root / "README.md"

    @property
    def plan_folder(self) -> Path:
        """plan/."""
        return self.root / "plan"

    @property
    def runs_folder(self) -> Path:
        """runs/."""
        return self.root / "runs"

    def shard_path(self, shard_id: str, part: Part = "samples") -> Path:
        """<part>/<shard_id>.parquet."""
        return self.root / part / f"{shard_id}.parquet"

    def manifest_path(self, shard_id: str, part: Part = "samples") -> Path:
        """manifests/<part>/<shard_id>.json."""
        return self.root / "manifests" / part / f"{shard_id}.json"

    def committed_shards(self, part: Part = "samples") -> tuple[str, ...]:
        """List the ids of the shards whose manifest is there, in order."""
        folder = self.root / "manifests" / part
        stems = (path.stem for path in folder.glob("*.json"))
        return tuple(sorted(stem for stem in stems if _SHARD_NAME.match(stem)))

    def read_description(self) -> DatasetDescription:
        """Read dataset.json; raises RequestError when the folder is no data set."""
        if not self.description_path.is_file():
            raise RequestError(
                str(self.root), met="no dataset.json in it", wanted="a scanmill data set",
                way_out="Give the folder that `scanmill render --out` wrote.",
            )  # fmt: skip
        text = self.description_path.read_bytes()
        return parse_record(DatasetDescription, text, source=str(self.description_path))

    def read_manifest(self, shard_id: str, part: Part = "samples") -> Manifest:
        """Read the commit record of a shard."""
        path = self.manifest_path(shard_id, part)
        return parse_record(Manifest, path.read_bytes(), source=str(path))


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file that appears under its name only when whole, flushed and closed.

    Written under a temporary name in the same folder, flushed to disk, renamed. After an error
    nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f"{TEMPORARY_PREFIX}{path.name}-{uuid.uuid4().hex}"
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a whole file, or none."""
    with atomic_file(path) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def _flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
