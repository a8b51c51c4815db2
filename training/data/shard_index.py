"""Which samples there are: an index over the committed shards of data sets.

A shard counts when its manifest is there. Nothing but the small columns is read here, and of
those only what the footer does not hold already. Data sets may lie in object stores.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa

from schemas.dataset_reader import DatasetReader, Part, RowGroups, shard_name
from schemas.errors import InputError, RequestError
from schemas.object_store import open_dataset

INDEX_COLUMNS = ("sample_id", "split", "camera", "width", "height")
MAX_NAMED = 3
"""Samples that one message names; of the others it says how many they are."""

HASH_SHOWN = 12
"""Digits of a shard's hash in run.json: enough to see that it is another one."""

THREADS = 16
"""Shards looked into at once: an object store answers late, but many at a time."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which samples a stage can be trained on.

    camera: the others are left out. columns: every shard has them. filled: the image column that
    must not be null; without_it: what to do where it is.
    """

    camera: str
    columns: tuple[str, ...]
    filled: str | None = None
    without_it: str = ""


@dataclass(frozen=True, slots=True)
class ShardFile:
    """One shard file, not open: samples by default. bytes, sha256: by its manifest."""

    dataset: DatasetReader
    shard_id: str
    bytes: int
    sha256: str
    part: Part = "samples"

    @property
    def where(self) -> str:
        """Its address, for messages."""
        return self.dataset.files.where(shard_name(self.shard_id, self.part))

    def open(self) -> RowGroups:
        """Open it; raises InputError when it is not the file that its manifest names."""
        try:
            name = shard_name(self.shard_id, self.part)
            return self.dataset.files.open_parquet(name, self.bytes)
        except (OSError, pa.ArrowException) as error:
            raise unreadable_shard(self, error) from error


@dataclass(frozen=True, slots=True)
class SampleAddress:
    """The place of one sample, and what decides whether it is used."""

    sample_id: str
    split: str
    shard: ShardFile
    row_group: int
    row: int


@dataclass(frozen=True, slots=True)
class ShardIndex:
    """All samples of the selected camera, in a fixed order, and a digest of their shards.

    shards: what `name_shards` says of them.
    """

    samples: tuple[SampleAddress, ...]
    width: int
    digest: str
    datasets: tuple[DatasetReader, ...]
    shards: tuple[str, ...]

    def of_splits(self, splits: Iterable[str]) -> tuple[SampleAddress, ...]:
        """Return the samples of these splits, in order."""
        expected = frozenset(splits)
        return tuple(sample for sample in self.samples if sample.split in expected)

    def to_train(self, splits: Iterable[str]) -> tuple[SampleAddress, ...]:
        """Return what is trained on; raises RequestError when there is nothing."""
        asked = tuple(splits)
        trained = self.of_splits(asked)
        if trained:
            return trained
        raise RequestError(
            ", ".join(one.files.address for one in self.datasets),
            found=f"no sample of split {', '.join(asked)}", expected="samples to train on",
            hint="Name another --split, or render more subjects.",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    """What one shard holds of the selected camera; empty: ids of samples that lack `filled`."""

    samples: tuple[SampleAddress, ...]
    widths: frozenset[int]
    cameras: frozenset[str]
    empty: tuple[str, ...]


def open_index(uris: Sequence[str], selection: Selection) -> ShardIndex:
    """Read the index of data sets.

    Raises RequestError when a folder is no data set, holds no shard, lacks a column, holds no
    sample of the selected camera or one that lacks what must be filled, or when samples differ in
    size or occur twice.
    """
    datasets = tuple(open_dataset(uri) for uri in uris)
    with ThreadPoolExecutor(THREADS, thread_name_prefix="index") as pool:
        shards = [shard for dataset in datasets for shard in _shards(dataset, pool)]
        found = list(pool.map(partial(_read_shard, selection=selection), shards))
    _check_found(uris, found, selection)
    samples = tuple(sample for shard in found for sample in shard.samples)
    width = next(width for shard in found for width in shard.widths)
    digest = hashlib.sha256("\n".join(shard.sha256 for shard in shards).encode()).hexdigest()
    return ShardIndex(samples, width, digest, datasets, name_shards(shards))


def name_shards(shards: Sequence[ShardFile]) -> tuple[str, ...]:
    """Return number of the data set, part, name and beginning of the hash of each, for run.json."""
    addresses = list(dict.fromkeys(shard.dataset.files.address for shard in shards))
    return tuple(
        f"{addresses.index(shard.dataset.files.address)}/{shard.part}/{shard.shard_id} "
        f"{shard.sha256[:HASH_SHOWN]}"
        for shard in shards
    )


def unreadable_shard(shard: ShardFile, error: Exception) -> InputError:
    """Say that a shard is not what its manifest says."""
    return InputError(
        shard.where, found=f"can't be read: {error}", expected="the shard that its manifest names",
        hint="Run `scanmill status --deep`, then `scanmill rerun` on the data set.",
    )  # fmt: skip


def _shards(dataset: DatasetReader, pool: ThreadPoolExecutor) -> list[ShardFile]:
    """List the committed shards in order."""
    dataset.files.require()
    shards = dataset.committed_shards()
    if not shards:
        raise RequestError(
            dataset.files.address, found="no committed shard",
            expected="at least one shard of samples",
            hint="Run `scanmill render --out` into it, then `scanmill status`.",
        )  # fmt: skip
    manifests = pool.map(dataset.read_manifest, shards)
    return [ShardFile(dataset, one.shard_id, one.bytes, one.sha256) for one in manifests]


def _read_shard(shard: ShardFile, selection: Selection) -> _Found:
    file = shard.open()
    try:
        _check_columns(shard.where, file.schema_arrow, selection)
        samples, widths, cameras, empty = [], set(), set(), []
        for group in range(file.metadata.num_row_groups):
            rows = read_small(file, group, INDEX_COLUMNS)
            cameras |= {row["camera"] for row in rows}
            expected = [
                place for place, row in enumerate(rows) if row["camera"] == selection.camera
            ]
            if expected and selection.filled:
                filled = _filled(file, group, selection.filled)
                empty += [rows[place]["sample_id"] for place in expected if not filled[place]]
            for place in expected:
                row = rows[place]
                widths.add(row["width"])
                samples.append(SampleAddress(row["sample_id"], row["split"], shard, group, place))
    except (OSError, pa.ArrowException) as error:
        raise unreadable_shard(shard, error) from error
    finally:
        file.close()
    return _Found(tuple(samples), frozenset(widths), frozenset(cameras), tuple(empty))


def _filled(file: RowGroups, group: int, column: str) -> list[bool]:
    """Return which rows hold an image, by its path: the image itself is not read."""
    images = file.read_row_group(group, columns=[f"{column}.path"]).column(column)
    filled: list[bool] = images.is_valid().to_pylist()
    return filled


def read_small(file: RowGroups, group: int, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return the small columns of a row group; of a single row from the footer."""
    described = file.metadata.row_group(group)
    if described.num_rows == 1:
        chunks = [described.column(place) for place in range(described.num_columns)]
        known = {
            chunk.path_in_schema: chunk.statistics.min
            for chunk in chunks
            if chunk.is_stats_set and chunk.statistics.has_min_max
        }
        if known.keys() >= set(columns):
            return [known]
    rows: list[dict[str, Any]] = file.read_row_group(group, columns=list(columns)).to_pylist()
    return rows


def _check_columns(where: str, schema: pa.Schema, selection: Selection) -> None:
    expected = dict.fromkeys((*INDEX_COLUMNS, *selection.columns))
    missing = [name for name in expected if name not in schema.names]
    if missing:
        raise RequestError(
            where, found=f"no column {', '.join(missing)}", expected="the columns of a sample",
            hint="Render the data set with this version of scanmill.",
        )  # fmt: skip


def _check_found(uris: Sequence[str], found: Sequence[_Found], selection: Selection) -> None:
    where = ", ".join(uris)
    ids = [sample.sample_id for shard in found for sample in shard.samples]
    cameras = sorted({camera for shard in found for camera in shard.cameras})
    widths = sorted({width for shard in found for width in shard.widths})
    empty = [name for shard in found for name in shard.empty]
    if not ids:
        raise RequestError(
            where, found=f"samples of camera {', '.join(cameras) or 'none'} only",
            expected=f"samples of camera {selection.camera}",
            hint=f"Render with --camera {selection.camera}.",
        )  # fmt: skip
    if empty:
        more = f" and {len(empty) - MAX_NAMED} more" if len(empty) > MAX_NAMED else ""
        raise RequestError(
            where, found=f"no {selection.filled} in {', '.join(empty[:MAX_NAMED])}{more}",
            expected=f"{selection.filled} in every sample", hint=selection.without_it,
        )  # fmt: skip
    if len(widths) > 1:
        raise RequestError(
            where, found=f"samples {' and '.join(map(str, widths))} pixels wide",
            expected="one size", hint="Train on data sets of one resolution at a time.",
        )  # fmt: skip
    if len(set(ids)) < len(ids):
        twice = Counter(ids).most_common(1)[0][0]
        raise RequestError(
            where, found=f"sample {twice} twice", expected="every sample once",
            hint="Name each data set once, and none that holds the same views as another.",
        )  # fmt: skip
