"""The names of everything that a data set holds on a disk.

dataset.json  README.md  backgrounds.json
plan/00000.json                      runs/<time>.json
samples/shard-00000.parquet          frames/ and pairs/ as samples/
manifests/samples/shard-00000.json   the commit record of a shard
failed/samples/shard-00000.json      why a shard could not be written

Source: docs/dataset-folder.md.
"""

from dataclasses import dataclass
from pathlib import Path

from schemas.dataset_reader import (
    BACKGROUNDS_NAME,
    DESCRIPTION_NAME,
    PARTS,
    DatasetReader,
    LocalFiles,
    Part,
    manifest_name,
    shard_name,
)
from schemas.errors import RequestError
from schemas.manifest import BackgroundList, DatasetDescription, FailedShard, Manifest, parse_record

__all__ = ["PARTS", "DatasetFolder", "Part"]


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """Paths of one data set. Owns: the names. Never reads images."""

    root: Path

    @staticmethod
    def at(uri: str) -> "DatasetFolder":
        """Take a local folder by path or file:// address; raises RequestError for other schemes."""
        scheme, separator, rest = uri.partition("://")
        if separator and scheme != "file":
            raise RequestError(
                uri, found=f"the scheme {scheme}://",
                expected="a folder on a local or mounted disk",
                hint="Give a path; only `scanmill train` reads from object stores so far.",
            )  # fmt: skip
        return DatasetFolder(Path(rest if separator else uri))

    @property
    def description_path(self) -> Path:
        """dataset.json."""
        return self.root / DESCRIPTION_NAME

    @property
    def backgrounds_path(self) -> Path:
        """backgrounds.json."""
        return self.root / BACKGROUNDS_NAME

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
        return self.root / shard_name(shard_id, part)

    def manifest_path(self, shard_id: str, part: Part = "samples") -> Path:
        """manifests/<part>/<shard_id>.json."""
        return self.root / manifest_name(shard_id, part)

    def failure_path(self, shard_id: str, part: Part = "samples") -> Path:
        """failed/<part>/<shard_id>.json."""
        return self.root / "failed" / part / f"{shard_id}.json"

    @property
    def places(self) -> tuple[Path, ...]:
        """Every folder that files are written to."""
        by_part = (self.root / name / part for name in ("manifests", "failed") for part in PARTS)
        parts = (self.root / part for part in PARTS)
        return (self.root, self.plan_folder, self.runs_folder, *parts, *by_part)

    @property
    def reader(self) -> DatasetReader:
        """The folder as everything that only reads sees it."""
        return DatasetReader(LocalFiles(self.root))

    def committed_shards(self, part: Part = "samples") -> tuple[str, ...]:
        """List the ids of the shards whose manifest is there, in order."""
        return self.reader.committed_shards(part)

    def read_description(self) -> DatasetDescription:
        """Read dataset.json; raises RequestError when the folder is no data set."""
        return self.reader.read_description()

    def read_manifest(self, shard_id: str, part: Part = "samples") -> Manifest:
        """Read the commit record of a shard; raises FileNotFoundError."""
        return self.reader.read_manifest(shard_id, part)

    def read_backgrounds(self) -> BackgroundList:
        """Read the frozen backgrounds; none are frozen yet: black."""
        return self.reader.read_backgrounds() or BackgroundList(images=())

    def read_failure(self, shard_id: str, part: Part = "samples") -> FailedShard:
        """Read why a shard could not be written; raises FileNotFoundError."""
        path = self.failure_path(shard_id, part)
        return parse_record(FailedShard, path.read_bytes(), source=str(path))
