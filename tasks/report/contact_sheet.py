"""Small images of samples for people to look at: strips of all layers, a wall of views."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from renderers.projected_joints import draw_overlay
from schemas.codecs import bounding_window
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.stored_rows import read_stored_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.reconstruction.overview import color_normals

STRIP_COLUMNS = (
    "sample_id", "dataset", "item", "yaw", "width", "image", "color_front", "color_back",
    "shaded", "mask", "depth", "normals", "keypoints", "keypoint_occluded",
)  # fmt: skip
LAYERS = (
    "image",
    "joints",
    "front",
    "back",
    "lit",
    "normals",
    "back normals",
    "depth",
    "back depth",
)

_GAP = 4
_MARGIN_FACTOR = 1.08
_PAPER = 245
_DIMMED = np.float32(0.6)
"""Of the image under the joints."""
_NEAR_COLOR, _FAR_COLOR = 235, 30


@dataclass(frozen=True, slots=True)
class Tile:
    """An image with its name."""

    name: str
    image: UInt8[np.ndarray, "H W 3"]


def sample_strips(folder: DatasetFolder, *, limit: int, side: int) -> Iterator[Tile]:
    """Draw all layers of one sample a scan, the one that looks straightest at the camera."""
    settings = folder.read_description().settings
    for row in straightest_samples(folder, limit):
        sample = StoredSample(row, settings)
        yield Tile(sample.sample_id, draw_strip(sample, side))


def straightest_samples(folder: DatasetFolder, limit: int) -> Iterator[dict[str, object]]:
    """Read, for each of the first scans, the sample with the smallest yaw."""
    given = 0
    for shard_id in folder.committed_shards():
        best: dict[object, tuple[float, object]] = {}
        for row in read_stored_rows(folder, shard_id, columns=("sample_id", "item", "yaw")):
            candidate = (abs(float(str(row["yaw"]))), row["sample_id"])
            best[row["item"]] = min(best.get(row["item"], candidate), candidate)
        chosen = {sample_id for _, sample_id in list(best.values())[: limit - given]}
        rows = read_stored_rows(folder, shard_id, columns=STRIP_COLUMNS)
        yield from (row for row in rows if row["sample_id"] in chosen)
        given += len(chosen)
        if given >= limit:
            return


def sample_wall(folder: DatasetFolder, *, limit: int, side: int) -> Iterator[Tile]:
    """Give the training images of the first samples, small."""
    settings = folder.read_description().settings
    rows = (
        row
        for shard_id in folder.committed_shards()
        for row in read_stored_rows(folder, shard_id, columns=("sample_id", "image"))
    )
    for row in islice(rows, limit):
        sample = StoredSample(row, settings)
        yield Tile(sample.sample_id, shrink(sample.image("image"), side))


def contact_sheet(folder: DatasetFolder, *, limit: int = 8, side: int = 160) -> bytes | None:
    """Draw the strips of the first scans below one another as one PNG; None without samples."""
    strips = [tile.image for tile in sample_strips(folder, limit=limit, side=side)]
    if not strips:
        return None
    gap = np.full((_GAP, strips[0].shape[1], 3), _PAPER, np.uint8)
    rows = [part for strip in strips for part in (strip, gap)][:-1]
    return encode_for_page(np.concatenate(rows), ".png")


def draw_strip(sample: StoredSample, side: int) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the layers of one sample side by side, in the order of LAYERS."""
    inside = sample.mask
    layers = (
        sample.image("image"),
        _draw_joints(sample),
        *(sample.image(name) for name in ("color_front", "color_back", "shaded")),
        *(color_normals(one, inside) for one in sample.normals),
        *(_shade_depth(one, inside) for one in sample.depth),
    )
    window = square_around(inside)
    gap = np.full((side, _GAP, 3), _PAPER, np.uint8)
    parts = [part for layer in layers for part in (shrink(layer[window], side), gap)][:-1]
    return np.concatenate(parts, axis=1)


def square_around(mask: Bool[np.ndarray, "H W"]) -> tuple[slice, slice]:
    """Return rows and columns of a square that holds the mask with a margin, inside the image."""
    left, top, right, bottom = bounding_window(mask)
    height, width = mask.shape
    side = min(height, width, round(max(right - left, bottom - top) * _MARGIN_FACTOR) + 1)
    first_row = min(max((top + bottom - side) // 2, 0), height - side)
    first_column = min(max((left + right - side) // 2, 0), width - side)
    return slice(first_row, first_row + side), slice(first_column, first_column + side)


def shrink(image: UInt8[np.ndarray, "H W 3"], side: int) -> UInt8[np.ndarray, "S S 3"]:
    """Bring a square image to a side."""
    small: UInt8[np.ndarray, "S S 3"] = cv2.resize(
        image, (side, side), interpolation=cv2.INTER_AREA
    )
    return small


def encode_for_page(image: UInt8[np.ndarray, "H W 3"], suffix: str = ".jpg") -> bytes:
    """Encode an image for the page."""
    _, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return data.tobytes()


def _draw_joints(sample: StoredSample) -> UInt8[np.ndarray, "H W 3"]:
    dimmed = (sample.image("color_front") * _DIMMED).astype(np.uint8)
    occluded = sample.numbers("keypoint_occluded").astype(np.uint8)
    return draw_overlay(dimmed, sample.keypoints.astype(np.float32), occluded)


def _shade_depth(
    depth: Float32[np.ndarray, "H W"], inside: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Shade a depth map: near is bright, far is dark, over the depths that occur."""
    values = depth[inside]
    near, extent = (float(values.min()), float(np.ptp(values))) if values.size else (0.0, 1.0)
    share = (depth - near) / np.float32(extent or 1.0)
    grey = np.where(inside, _NEAR_COLOR + (_FAR_COLOR - _NEAR_COLOR) * share, 0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
