"""Which samples there are: an index over the committed shards of data sets.

A shard counts when its manifest is there. Nothing but the small columns is read here, and of
those only what the footer does not tell already. Data sets may stand in object stores.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from schemas.dataset_reader import DatasetReader, RowGroups, shard_name
from schemas.errors import InputError, RequestError
from schemas.object_store import open_dataset

INDEX_COLUMNS = ("sample_id", "split", "camera", "width", "height")
TRAINING_COLUMNS = ("image", "shaded", "depth", "keypoints", "intrinsics", "metres_per_unit")
CAMERA = "2k2k"
THREADS = 16
"""Shards looked into at once: an object store answers late, but many at a time."""


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One shard of samples, not open. bytes, sha256: by its manifest."""

    dataset: DatasetReader
    shard_id: str
    bytes: int
    sha256: str

    @property
    def where(self) -> str:
        """Its address, for messages."""
        return self.dataset.files.where(shard_name(self.shard_id))

    def open(self) -> RowGroups:
        """Open it; raises InputError when it is not the file that its manifest names."""
        try:
            return self.dataset.files.open_parquet(shard_name(self.shard_id), self.bytes)
        except (OSError, pa.ArrowInvalid) as error:
            raise unreadable_shard(self, error) from error


@dataclass(frozen=True, slots=True)
class SampleAddress:
    """Where one sample stands, and what decides whether it is wanted."""

    sample_id: str
    split: str
    shard: ShardFile
    row_group: int
    row: int


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """All samples of the wanted camera, in a fixed order, and a digest of their shards."""

    samples: tuple[SampleAddress, ...]
    width: int
    digest: str
    folders: tuple[DatasetReader, ...]

    def of_splits(self, splits: Iterable[str]) -> tuple[SampleAddress, ...]:
        """Return the samples of these splits, in order."""
        wanted = frozenset(splits)
        return tuple(sample for sample in self.samples if sample.split in wanted)


def open_index(uris: Sequence[str]) -> ShardIndex:
    """Read the index of data sets.

    Raises RequestError when a folder is no data set, holds no shard, lacks a column, holds no
    sample of the 2K2K camera, or when samples differ in size or stand there twice.
    """
    datasets = tuple(open_dataset(uri) for uri in uris)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="index") as pool:
        shards = [shard for dataset in datasets for shard in _shards(dataset, pool)]
        looked_into = list(pool.map(_read_shard, shards))
    samples = [sample for found, _, _ in looked_into for sample in found]
    widths = {width for _, found, _ in looked_into for width in found}
    cameras = {camera for _, _, found in looked_into for camera in found}
    _check_found(uris, samples, widths, cameras)
    digest = hashlib.sha256("\n".join(shard.sha256 for shard in shards).encode()).hexdigest()
    return ShardIndex(tuple(samples), widths.pop(), digest, datasets)


def unreadable_shard(shard: ShardFile, error: Exception) -> InputError:
    """Say that a shard is not what its manifest says."""
    return InputError(
        shard.where, met=f"can't be read: {error}", wanted="the shard that its manifest names",
        way_out="Run `scanmill status --deep`, then `scanmill rerun` on the data set.",
    )  # fmt: skip


def _shards(dataset: DatasetReader, pool: ThreadPoolExecutor) -> list[ShardFile]:
    """List the committed shards in order."""
    dataset.files.require()
    shards = dataset.committed_shards()
    if not shards:
        raise RequestError(
            dataset.files.address, met="no committed shard", wanted="at least one shard of samples",
            way_out="Run `scanmill render --out` into it, then `scanmill status`.",
        )  # fmt: skip
    manifests = pool.map(dataset.read_manifest, shards)
    return [ShardFile(dataset, one.shard_id, one.bytes, one.sha256) for one in manifests]


def _read_shard(shard: ShardFile) -> tuple[list[SampleAddress], set[int], set[str]]:
    """Return the samples of the wanted camera, their widths, and all cameras met."""
    file = shard.open()
    try:
        _check_columns(shard.where, file.schema_arrow)
        samples, widths, cameras = [], set(), set()
        for group in range(file.metadata.num_row_groups):
            for place, row in enumerate(_index_rows(file, group)):
                cameras.add(row["camera"])
                if row["camera"] != CAMERA:
                    continue
                widths.add(row["width"])
                address = SampleAddress(row["sample_id"], row["split"], shard, group, place)
                samples.append(address)
    except (OSError, pa.ArrowInvalid) as error:
        raise unreadable_shard(shard, error) from error
    finally:
        file.close()
    return samples, widths, cameras


def _index_rows(file: RowGroups, group: int) -> list[dict[str, Any]]:
    """Return the small columns of a row group; a single row stands in the footer's statistics."""
    told = file.metadata.row_group(group)
    if told.num_rows == 1:
        chunks = [told.column(place) for place in range(told.num_columns)]
        known = {
            chunk.path_in_schema: chunk.statistics.min
            for chunk in chunks
            if chunk.is_stats_set and chunk.statistics.has_min_max
        }
        if known.keys() >= set(INDEX_COLUMNS):
            return [known]
    rows: list[dict[str, Any]] = file.read_row_group(group, columns=list(INDEX_COLUMNS)).to_pylist()
    return rows


def _check_columns(where: str, schema: pa.Schema) -> None:
    missing = [name for name in (*INDEX_COLUMNS, *TRAINING_COLUMNS) if name not in schema.names]
    if missing:
        raise RequestError(
            where, met=f"no column {', '.join(missing)}", wanted="the columns of a sample",
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
