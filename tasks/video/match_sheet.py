"""Pictures of matches from the shards of a data set: one pair of each of its first videos."""

from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import UInt8

from schemas.codecs import decode_picture, encode_png
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError
from schemas.frames import frame_id
from tasks.shards import RowFile
from tasks.video.match_picture import draw_matches

MOST_VIDEOS = 3


def matches_sheet(folder: DatasetFolder, *, limit: int = MOST_VIDEOS) -> bytes | None:
    """Return a PNG with a pair of each of the first videos, None when there are no pairs."""
    pictures = []
    for shard_id in folder.committed_shards("pairs"):
        picture = _draw_widest(folder, shard_id)
        if picture is not None:
            pictures.append(picture)
        if len(pictures) == limit:
            break
    return encode_png(np.concatenate(pictures)) if pictures else None


def _draw_widest(folder: DatasetFolder, shard_id: str) -> UInt8[np.ndarray, "H W 3"] | None:
    """Draw the pair whose frames lie farthest apart, the first of these; None when unreadable."""
    try:
        pairs = folder.read_manifest(shard_id, "pairs").sample_ids
        frames = folder.read_manifest(shard_id, "frames").sample_ids
        if not pairs:
            return None
        chosen = max(range(len(pairs)), key=lambda row: (_stride(pairs[row]), -row))
        return _draw(folder.shard_path(shard_id, "frames"), frames,
                     folder.shard_path(shard_id, "pairs"), chosen)  # fmt: skip
    except (InputError, OSError, ValueError):
        return None


def _draw(
    frames_path: Path, names: tuple[str, ...], pairs_path: Path, row: int
) -> UInt8[np.ndarray, "H W 3"]:
    with RowFile(pairs_path) as pairs, RowFile(frames_path) as frames:
        pair = pairs.read(row)
        colors = []
        for end in ("frame_i", "frame_j"):
            name = frame_id(str(pair["video"]), cast("int", pair[end]))
            cell = frames.read(names.index(name), ["color"])["color"]
            colors.append(decode_picture(cast("dict[str, bytes]", cell)["bytes"]))
    part = np.asarray(pair["part"], np.int64)
    pixels = np.asarray(pair["pixels"], np.int64).reshape(-1, 4)
    return draw_matches(colors[0], colors[1], part, pixels)


def _stride(name: str) -> int:
    frame_i, frame_j = name.rpartition("/")[2].split("--")
    return abs(int(frame_j) - int(frame_i))
