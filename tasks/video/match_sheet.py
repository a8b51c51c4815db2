"""Images of matches from the shards of a data set: one pair of each of its first videos."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import UInt8

from schemas.codecs import decode_image, encode_png
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError
from schemas.frames import frame_id
from tasks.dataset.shards import RowFile
from tasks.video.match_image import draw_matches

MAX_VIDEOS = 3


def matches_sheet(folder: DatasetFolder, *, limit: int = MAX_VIDEOS) -> bytes | None:
    """Return a PNG with a pair of each of the first videos, None when there are no pairs."""
    images = [image for _, image in islice(draw_widest_pairs(folder), limit)]
    return encode_png(np.concatenate(images)) if images else None


def draw_widest_pairs(folder: DatasetFolder) -> Iterator[tuple[str, UInt8[np.ndarray, "H W 3"]]]:
    """Yield name and image of the pair of each video whose frames lie farthest apart."""
    for shard_id in folder.committed_shards("pairs"):
        drawn = _draw_widest(folder, shard_id)
        if drawn is not None:
            yield drawn


def _draw_widest(
    folder: DatasetFolder, shard_id: str
) -> tuple[str, UInt8[np.ndarray, "H W 3"]] | None:
    """Draw the first of the pairs whose frames lie farthest apart; None when unreadable."""
    try:
        pairs = folder.read_manifest(shard_id, "pairs").sample_ids
        frames = folder.read_manifest(shard_id, "frames").sample_ids
        if not pairs:
            return None
        chosen = max(range(len(pairs)), key=lambda row: (_stride(pairs[row]), -row))
        image = _draw(folder.shard_path(shard_id, "frames"), frames,
                        folder.shard_path(shard_id, "pairs"), chosen)  # fmt: skip
        return pairs[chosen], image
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
            colors.append(decode_image(cast("dict[str, bytes]", cell)["bytes"]))
    part = np.asarray(pair["part"], np.int64)
    pixels = np.asarray(pair["pixels"], np.int64).reshape(-1, 4)
    return draw_matches(colors[0], colors[1], part, pixels)


def _stride(name: str) -> int:
    frame_i, frame_j = name.rpartition("/")[2].split("--")
    return abs(int(frame_j) - int(frame_i))
