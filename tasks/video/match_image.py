"""An image of matches: two frames side by side, a line for some of their matches."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from jaxtyping import Int, UInt8

from schemas.codecs import decode_image, encode_png
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError
from schemas.frames import PART_COUNT, frame_id
from tasks.dataset.shards import RowFile

SCALE = 3
"""Frames are drawn larger than they are, so that single pixels can be told apart."""

GAP_PX = 12
DEFAULT_LINES = 72
_BACKDROP, _FADE = 24, 0.55
_SUB_BITS = 4
"""OpenCV draws at sixteenths of a pixel."""

MAX_VIDEOS = 3
_HUES, _STEPS = 180, 7
"""OpenCV counts hues to 180; parts that are neighbours in number get hues far apart."""


def draw_matches(
    color_i: UInt8[np.ndarray, "H W 3"],
    color_j: UInt8[np.ndarray, "H W 3"],
    part: Int[np.ndarray, " N"],
    pixels: Int[np.ndarray, "N 4"],
    *,
    lines: int = DEFAULT_LINES,
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw frame i on the left, frame j on the right, and evenly chosen matches between them.

    pixels: row and column in i, row and column in j, counted from 0. Each part has its colour.
    """
    canvas = _lay_side_by_side(color_i, color_j)
    chosen = np.unique(np.linspace(0, len(part) - 1, min(lines, len(part))).astype(int))
    palette = colors_of_parts()
    shift = color_i.shape[1] * SCALE + GAP_PX
    for row in chosen if len(part) else ():
        color = tuple(int(level) for level in palette[part[row]])
        start, end = _centre(pixels[row, :2], 0), _centre(pixels[row, 2:], shift)
        cv2.line(canvas, start, end, color, 1, cv2.LINE_AA, _SUB_BITS)
        for place in (start, end):
            cv2.circle(canvas, place, SCALE << _SUB_BITS, color, -1, cv2.LINE_AA, _SUB_BITS)
    return canvas


def colors_of_parts() -> UInt8[np.ndarray, "25 3"]:
    """Return an RGB colour for each part; entry 0 is never drawn."""
    hues = np.arange(PART_COUNT + 1) * _STEPS * _HUES // (PART_COUNT + 1) % _HUES
    hsv = np.stack([hues, np.full_like(hues, 190), np.full_like(hues, 255)], axis=-1)
    rgb: UInt8[np.ndarray, "25 3"] = cv2.cvtColor(
        hsv.astype(np.uint8)[None], cv2.COLOR_HSV2RGB
    ).reshape(-1, 3)
    return rgb


def _lay_side_by_side(
    color_i: UInt8[np.ndarray, "H W 3"], color_j: UInt8[np.ndarray, "H W 3"]
) -> UInt8[np.ndarray, "h w 3"]:
    height = max(color_i.shape[0], color_j.shape[0]) * SCALE
    width = (color_i.shape[1] + color_j.shape[1]) * SCALE + GAP_PX
    canvas = np.full((height, width, 3), _BACKDROP, np.uint8)
    for color, left in ((color_i, 0), (color_j, color_i.shape[1] * SCALE + GAP_PX)):
        large = color.repeat(SCALE, axis=0).repeat(SCALE, axis=1)
        faded = np.rint(large * _FADE).astype(np.uint8)
        canvas[: large.shape[0], left : left + large.shape[1]] = faded
    return canvas


def _centre(place: Int[np.ndarray, " 2"], shift: int) -> tuple[int, int]:
    """Return the middle of a pixel on the canvas, x then y, in sixteenths."""
    row, column = (int(value) for value in place)
    unit = SCALE << _SUB_BITS
    return column * unit + unit // 2 + (shift << _SUB_BITS), row * unit + unit // 2


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
        with (
            folder.local_shard(shard_id, "frames") as frames_path,
            folder.local_shard(shard_id, "pairs") as pairs_path,
        ):
            return pairs[chosen], _draw(frames_path, frames, pairs_path, chosen)
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
