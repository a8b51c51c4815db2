"""Which samples there are: an index over the committed shards of data sets.

A shard counts when its manifest is there. Nothing but the small columns is read here.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError

INDEX_COLUMNS = ("sample_id", "split", "camera", "width", "height")
TRAINING_COLUMNS = ("image", "shaded", "depth", "keypoints", "intrinsics", "metres_per_unit")
CAMERA = "2k2k"


@dataclass(frozen=True, slots=True)
class SampleAddress:
    """Where one sample stands, and what decides whether it is wanted."""

    sample_id: str
    split: str
    path: Path
    row_group: int
    row: int


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """All samples of the wanted camera, in a fixed order, and a digest of their shards."""

    samples: tuple[SampleAddress, ...]
    width: int
    digest: str
    folders: tuple[DatasetFolder, ...]

    def of_splits(self, splits: Iterable[str]) -> tuple[SampleAddress, ...]:
        """Return the samples of these splits, in order."""
        wanted = frozenset(splits)
        return tuple(sample for sample in self.samples if sample.split in wanted)


def open_index(uris: Sequence[str]) -> ShardIndex:
    """Read the index of data sets.

    Raises RequestError when a folder is no data set, holds no shard, lacks a column, holds no
    sample of the 2K2K camera, or when samples differ in size or stand there twice.
    """
    folders = tuple(DatasetFolder.at(uri) for uri in uris)
    samples: list[SampleAddress] = []
    widths: set[int] = set()
    hashes: list[str] = []
    cameras: set[str] = set()
    for folder in folders:
        for shard in _shards(folder):
            hashes.append(folder.read_manifest(shard).sha256)
            found, sizes, seen = _read_shard(folder.shard_path(shard))
            samples += found
            widths |= sizes
            cameras |= seen
    _check_found(uris, samples, widths, cameras)
    digest = hashlib.sha256("\n".join(hashes).encode()).hexdigest()
    return ShardIndex(tuple(samples), widths.pop(), digest, folders)


def _shards(folder: DatasetFolder) -> tuple[str, ...]:
    if not folder.root.is_dir():
        raise RequestError(
            str(folder.root), met="no such folder", wanted="a scanmill data set",
            way_out="Give the folder that `scanmill render --out` wrote.",
        )  # fmt: skip
    shards = folder.committed_shards()
    if not shards:
        raise RequestError(
            str(folder.root), met="no committed shard", wanted="at least one shard of samples",
            way_out="Run `scanmill render --out` into it, then `scanmill status`.",
        )  # fmt: skip
    return shards


def _read_shard(path: Path) -> tuple[list[SampleAddress], set[int], set[str]]:
    """Return the samples of the wanted camera, their widths, and all cameras met."""
    with _open(path) as file:
        _check_columns(path, file.schema_arrow)
        samples, widths, cameras = [], set(), set()
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=list(INDEX_COLUMNS)).to_pylist()
            for place, row in enumerate(rows):
                cameras.add(row["camera"])
                if row["camera"] != CAMERA:
                    continue
                widths.add(row["width"])
                address = SampleAddress(row["sample_id"], row["split"], path, group, place)
                samples.append(address)
    return samples, widths, cameras


def _open(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, memory_map=True)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputError(
            str(path), met=f"can't be read: {error}", wanted="the shard that its manifest names",
            way_out="Run `scanmill status --deep`, then `scanmill rerun` on the data set.",
        ) from error  # fmt: skip


def _check_columns(path: Path, schema: pa.Schema) -> None:
    missing = [name for name in (*INDEX_COLUMNS, *TRAINING_COLUMNS) if name not in schema.names]
    if missing:
        raise RequestError(
            str(path), met=f"no column {', '.join(missing)}", wanted="the columns of a sample",
            way_out="Render the data set with this version of scanmill.",
        )  # fmt: skip


def _check_found(
    uris: Sequence[str], samples: Sequence[SampleAddress], widths: set[int], cameras: set[str]
) -> None:
    where = ", ".join(uris)
    if not samples:
        raise RequestError(
            where, met=f"samples of camera {', '.join(sorted(cameras)) or 'none'} only",
            wanted=f"samples of camera {CAMERA}",
            way_out="Render with --camera 2k2k.",
        )  # fmt: skip
    if len(widths) > 1:
        raise RequestError(
            where, met=f"samples {' and '.join(map(str, sorted(widths)))} pixels wide",
            wanted="one size", way_out="Train on data sets of one resolution at a time.",
        )  # fmt: skip
    ids = [sample.sample_id for sample in samples]
    if len(set(ids)) < len(ids):
        twice = next(name for name in ids if ids.count(name) > 1)
        raise RequestError(
            where, met=f"sample {twice} twice", wanted="every sample once",
            way_out="Name each data set once, and none that holds the same views as another.",
        )  # fmt: skip
