"""Which video frames and pairs there are: an index over committed shards, as of samples.

Frames and the pairs of the same video lie in shards of one name.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from schemas.dataset_reader import DatasetReader, Part, RowGroups
from schemas.errors import RequestError
from schemas.frames import frame_id
from schemas.object_store import open_dataset
from training.data.shard_index import SampleAddress, ShardFile, read_small, unreadable_shard

FRAME_COLUMNS = ("frame_id", "video", "frame", "split")
PAIR_COLUMNS = ("pair_id", "video", "frame_i", "frame_j")
NORMALS = "pred_normals"
NULL_BYTES = 128
"""A null in a row group of its own takes fewer; the header of an OpenEXR file alone takes more."""

MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class FrameShard:
    """The frames of a shard in their order. predicted_by: as in its commit record.

    bare: places of the frames without predicted normals.
    """

    file: ShardFile
    frames: tuple[SampleAddress, ...]
    predicted_by: str | None
    bare: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PairAddress:
    """A pair and its frames. split: that of the video."""

    pair_id: str
    split: str
    matches: SampleAddress
    frame_i: SampleAddress
    frame_j: SampleAddress


def open_frame_shards(uris: Sequence[str]) -> tuple[FrameShard, ...]:
    """List the committed frames; raises RequestError when a folder is no data set."""
    datasets = (open_dataset(uri) for uri in uris)
    return tuple(
        _read_frames(dataset, shard_id)
        for dataset in datasets
        for shard_id in _list_shards(dataset)
    )


def open_pairs(shards: Sequence[FrameShard]) -> tuple[tuple[PairAddress, ...], str]:
    """Return the pairs of these frames, and a digest of both kinds of shards.

    Raises RequestError naming frames of pairs that lack predicted normals.
    """
    pairs, hashes, bare = list[PairAddress](), list[str](), list[str]()
    for shard in shards:
        file = _shard_file(shard.file.dataset, shard.file.shard_id, "pairs")
        found = _read_pairs(file, {one.sample_id: one for one in shard.frames})
        used = {one.sample_id for pair in found for one in (pair.frame_i, pair.frame_j)}
        bare += [
            name for place in shard.bare if (name := shard.frames[place].sample_id) in used
        ]  # fmt: skip
        pairs += found
        hashes += [shard.file.sha256, file.sha256]
    if bare:
        more = f" and {len(bare) - MAX_NAMED} more" if len(bare) > MAX_NAMED else ""
        raise RequestError(
            shards[0].file.dataset.files.address,
            found=f"no pred_normals in {', '.join(bare[:MAX_NAMED])}{more}",
            expected="predicted normals in every frame of a pair",
            hint="Run `scanmill train hdnet-predict-normals --data URI --init RUN` on it first.",
        )  # fmt: skip
    return tuple(pairs), hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _list_shards(dataset: DatasetReader) -> tuple[str, ...]:
    """List the videos of which both files are committed."""
    dataset.files.require()
    both = (frozenset(dataset.committed_shards(part)) for part in ("frames", "pairs"))
    return tuple(sorted(frozenset.intersection(*both)))


def _shard_file(dataset: DatasetReader, shard_id: str, part: Part) -> ShardFile:
    manifest = dataset.read_manifest(shard_id, part)
    return ShardFile(dataset, shard_id, manifest.bytes, manifest.sha256, part)


def _read_frames(dataset: DatasetReader, shard_id: str) -> FrameShard:
    shard = _shard_file(dataset, shard_id, "frames")
    frames, bare = list[SampleAddress](), list[int]()
    for group, place, row, file in _small_rows(shard, FRAME_COLUMNS):
        if _is_bare(file, group, place):
            bare.append(len(frames))
        frames.append(SampleAddress(row["frame_id"], row["split"], shard, group, place))
    predicted_by = dataset.read_manifest(shard_id, "frames").predicted_by
    return FrameShard(shard, tuple(frames), predicted_by, tuple(bare))


def _read_pairs(shard: ShardFile, frames: Mapping[str, SampleAddress]) -> list[PairAddress]:
    pairs = []
    for group, place, row, _ in _small_rows(shard, PAIR_COLUMNS):
        ends = [frames.get(frame_id(row["video"], row[name])) for name in ("frame_i", "frame_j")]
        if ends[0] is not None and ends[1] is not None:
            split = ends[0].split
            matches = SampleAddress(row["pair_id"], split, shard, group, place)
            pairs.append(PairAddress(row["pair_id"], split, matches, ends[0], ends[1]))
    return pairs


def _small_rows(
    shard: ShardFile, columns: Sequence[str]
) -> Iterator[tuple[int, int, dict[str, Any], RowGroups]]:
    """Yield row group, place in it, small columns and the open file, row by row."""
    file = shard.open()
    try:
        for group in range(file.metadata.num_row_groups):
            for place, row in enumerate(read_small(file, group, columns)):
                yield group, place, row, file
    except (OSError, pa.ArrowException) as error:
        raise unreadable_shard(shard, error) from error
    finally:
        file.close()


def _is_bare(file: RowGroups, group: int, place: int) -> bool:
    """Say whether a frame has no predicted normals; what they are is not read if it can be."""
    described = file.metadata.row_group(group)
    chunks = (described.column(number) for number in range(described.num_columns))
    if described.num_rows == 1:
        sizes = (one.total_uncompressed_size for one in chunks if one.path_in_schema == NORMALS)
        return all(size < NULL_BYTES for size in sizes)
    stored = file.read_row_group(group, columns=[NORMALS]).column(NORMALS)
    return not stored[place].is_valid
