"""What a data set lets be read, wherever it is: on a disk or in an object store.

Owns: the names below a data set's root, and what is asked of the place that holds them. Nothing
here writes; `schemas.dataset_folder` does, on disks. Source of the names: docs/dataset-folder.md.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, get_args, runtime_checkable

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.errors import RequestError
from schemas.file_status import measure_file
from schemas.manifest import BackgroundList, DatasetDescription, Manifest, parse_record
from schemas.size_limits import check_row_group_sizes

Part = Literal["samples", "frames", "pairs"]
PARTS: tuple[Part, ...] = get_args(Part)

DESCRIPTION_NAME = "dataset.json"
BACKGROUNDS_NAME = "backgrounds.json"
CARD_NAME = "README.md"
PLAN_FOLDER, RUNS_FOLDER = "plan", "runs"
_SHARD_ID = re.compile(r"^shard-\d{5,}$")
_JSON = ".json"
_RENDERED = "Give the folder that `scanmill render --out` wrote."


def shard_name(shard_id: str, part: Part = "samples") -> str:
    """Return the name of a shard's rows."""
    return f"{part}/{shard_id}.parquet"


def manifest_folder_name(part: Part = "samples") -> str:
    """Return the name of the folder of the commit records."""
    return f"manifests/{part}"


def manifest_name(shard_id: str, part: Part = "samples") -> str:
    """Return the name of a shard's commit record."""
    return f"{manifest_folder_name(part)}/{shard_id}{_JSON}"


def failure_name(shard_id: str, part: Part = "samples") -> str:
    """Return the name of the record of why a shard could not be written."""
    return f"failed/{part}/{shard_id}{_JSON}"


def claim_name(shard_id: str, part: Part = "samples") -> str:
    """Return the name of the lease of who is making a shard."""
    return f"claims/{part}/{shard_id}{_JSON}"


@runtime_checkable
class RowGroups(Protocol):
    """An open Parquet file, as `pyarrow.parquet.ParquetFile` names things."""

    @property
    def metadata(self) -> pq.FileMetaData:
        """The footer."""

    @property
    def schema_arrow(self) -> pa.Schema:
        """Names and types of the columns."""

    def read_row_group(self, i: int, columns: list[str]) -> pa.Table:
        """Read these columns of a row group, and nothing else."""

    def close(self) -> None:
        """Give back what is open."""


@runtime_checkable
class DatasetFiles(Protocol):
    """The place that holds a data set. Names are relative, with forward slashes."""

    @property
    def address(self) -> str:
        """The data set's own address, for messages."""

    def where(self, name: str) -> str:
        """Return the address of a file, for messages."""

    def require(self) -> None:
        """Raise RequestError when there is nothing, MachineError when the place is silent."""

    def list_names(self, folder: str) -> tuple[str, ...]:
        """List the last names of what a folder holds; none where there is no folder."""

    def read(self, name: str) -> bytes:
        """Read a whole small file; raises FileNotFoundError."""

    def open_parquet(self, name: str, size: int) -> RowGroups:
        """Open rows; size: bytes, by the manifest. Raises OSError or ArrowInvalid when broken."""


@dataclass(frozen=True, slots=True)
class LocalFiles:
    """A folder on a local or mounted disk."""

    root: Path

    @property
    def address(self) -> str:
        """The folder's path."""
        return str(self.root)

    def where(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.root / name)

    def require(self) -> None:
        """Raise RequestError when there is no such folder."""
        if not self.root.is_dir():
            raise RequestError(
                self.address, found="no such folder", expected="a scanmill data set",
                hint=_RENDERED,
            )  # fmt: skip

    def list_names(self, folder: str) -> tuple[str, ...]:
        """List the names in a folder; none where there is no folder."""
        return tuple(path.name for path in (self.root / folder).glob("*"))

    def read(self, name: str) -> bytes:
        """Read a whole small file; raises FileNotFoundError."""
        try:
            return (self.root / name).read_bytes()
        except NotADirectoryError as error:
            raise FileNotFoundError(self.where(name)) from error

    def open_parquet(self, name: str, size: int) -> RowGroups:
        """Map a shard into memory; what is not read is not touched."""
        del size
        measure_file(self.root / name)
        file: RowGroups = pq.ParquetFile(self.root / name, memory_map=True)
        groups = range(file.metadata.num_row_groups)
        sizes = (file.metadata.row_group(index).total_byte_size for index in groups)
        check_row_group_sizes(self.where(name), sizes)
        return file


@dataclass(frozen=True, slots=True)
class DatasetReader:
    """A data set to be read. Equal for equal places."""

    files: DatasetFiles

    def committed_shards(self, part: Part = "samples") -> tuple[str, ...]:
        """List the ids of the shards whose manifest is there, in order."""
        names = self.files.list_names(manifest_folder_name(part))
        stems = (name.removesuffix(_JSON) for name in names if name.endswith(_JSON))
        return tuple(sorted(stem for stem in stems if _SHARD_ID.match(stem)))

    def read_description(self) -> DatasetDescription:
        """Read dataset.json; raises RequestError when the place holds no data set."""
        try:
            text = self.files.read(DESCRIPTION_NAME)
        except FileNotFoundError as error:
            raise RequestError(
                self.files.address, found=f"no {DESCRIPTION_NAME} in it",
                expected="a scanmill data set", hint=_RENDERED,
            ) from error  # fmt: skip
        return parse_record(DatasetDescription, text, source=self.files.where(DESCRIPTION_NAME))

    def read_manifest(self, shard_id: str, part: Part = "samples") -> Manifest:
        """Read the commit record of a shard; raises FileNotFoundError."""
        name = manifest_name(shard_id, part)
        return parse_record(Manifest, self.files.read(name), source=self.files.where(name))

    def read_backgrounds(self) -> BackgroundList | None:
        """Read the frozen list of backgrounds; None where the data set has none."""
        try:
            text = self.files.read(BACKGROUNDS_NAME)
        except FileNotFoundError:
            return None
        return parse_record(BackgroundList, text, source=self.files.where(BACKGROUNDS_NAME))
