"""Which surface point lies under each texel: the atlas rasterised, gutters filled.

Points vary smoothly inside a chart, so they are rasterised coarsely and enlarged for painting.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, Int32
from scipy.ndimage import distance_transform_edt

from people.atlas import Atlas
from people.densepose_parts import CELL_UNITS, CELLS

FACES_AT_ONCE = 20_000
EDGE = -1e-4
RASTER_LIMIT = 1024
"""A finer raster than this only repeats the triangles' own flatness."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One part's rectangle of the texture.

    rows, columns: its texels, row 0 at the top. values: vertex values at the texels of the coarse
    raster, gutter included.
    """

    part: int
    rows: slice
    columns: slice
    values: Float32[np.ndarray, "h w C"]

    def enlarge(self, values: Float32[np.ndarray, "h w C"]) -> Float32[np.ndarray, "H W C"]:
        """Bring coarse values to the cell's own texels."""
        size = (self.columns.stop - self.columns.start, self.rows.stop - self.rows.start)
        return _resize(values, size)


def rasterise_atlas(
    atlas: Atlas, size: int
) -> tuple[Int32[np.ndarray, "S S"], Float32[np.ndarray, "S S 2"]]:
    """Return for every texel centre the face that covers it (-1: none) and two of its weights."""
    pixels = atlas.uv * size
    pixels[:, 1] = size - pixels[:, 1]
    return rasterise(pixels, atlas.faces, (size, size))


def rasterise(
    pixels: Float64[np.ndarray, "T 2"], faces: Int32[np.ndarray, "F 3"], shape: tuple[int, int]
) -> tuple[Int32[np.ndarray, "h w"], Float32[np.ndarray, "h w 2"]]:
    """Return for every pixel centre the triangle that covers it (-1: none) and two of its weights.

    pixels: corners, x right and y down from the corner of the top-left pixel. shape: rows, columns.
    """
    face = np.full(shape, -1, np.int32)
    share = np.zeros((*shape, 2), np.float32)
    for start in range(0, len(faces), FACES_AT_ONCE):
        chunk = np.arange(start, min(start + FACES_AT_ONCE, len(faces)))
        rows, columns, owner, weights = _covered(pixels[faces[chunk]])
        inside = (rows >= 0) & (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        rows, columns, owner, weights = (a[inside] for a in (rows, columns, owner, weights))
        face[rows, columns] = chunk[owner]
        share[rows, columns] = weights
    return face, share


def _covered(
    corners: Float64[np.ndarray, "F 3 2"],
) -> tuple[
    Int32[np.ndarray, " n"],
    Int32[np.ndarray, " n"],
    Int32[np.ndarray, " n"],
    Float32[np.ndarray, "n 2"],
]:
    low = np.ceil(corners.min(axis=1) - 0.5).astype(np.int32)
    high = np.floor(corners.max(axis=1) - 0.5).astype(np.int32)
    extent = np.maximum(high - low + 1, 0)
    counts = extent[:, 0] * extent[:, 1]
    owner = np.repeat(np.arange(len(corners), dtype=np.int32), counts)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = low[owner, 0] + order % extent[owner, 0]
    rows = low[owner, 1] + order // extent[owner, 0]
    a, b, c = (corners[:, i] for i in range(3))
    det = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    det[det == 0] = np.inf  # a triangle without area covers the texels of its first corner at most
    x, y = columns + 0.5 - a[owner, 0], rows + 0.5 - a[owner, 1]
    v = (x * (c - a)[owner, 1] - y * (c - a)[owner, 0]) / det[owner]
    w = (y * (b - a)[owner, 0] - x * (b - a)[owner, 1]) / det[owner]
    hit = (v >= EDGE) & (w >= EDGE) & (v + w <= 1 - EDGE)
    weights = np.stack([v[hit], w[hit]], axis=1).astype(np.float32)
    return rows[hit].astype(np.int32), columns[hit].astype(np.int32), owner[hit], weights


def texel_cells(
    atlas: Atlas,
    values: Float32[np.ndarray, "V C"],
    texture_size: int,
    *,
    raster_limit: int = RASTER_LIMIT,
) -> Iterator[Cell]:
    """Yield every part's cell with vertex values interpolated over it."""
    size = min(texture_size, raster_limit)
    face, share = rasterise_atlas(atlas, size)
    corner_values = values[atlas.vertex]
    for part in CELLS:
        rows, columns = cell_slices(part, size)
        own_face, own_share = face[rows, columns], share[rows, columns]
        coarse = interpolate(corner_values, atlas.faces[own_face], own_share)
        filled = fill_gutter(coarse, own_face >= 0)
        rows, columns = cell_slices(part, texture_size)
        yield Cell(part, rows, columns, filled)


def cell_slices(part: int, size: int) -> tuple[slice, slice]:
    """Return the rows and columns of a part's cell in a texture of `size` texels a side."""
    left, bottom, width, height = (value * size // CELL_UNITS for value in CELLS[part])
    return slice(size - bottom - height, size - bottom), slice(left, left + width)


def interpolate(
    values: Float32[np.ndarray, "T C"],
    corners: Int32[np.ndarray, "h w 3"],
    share: Float32[np.ndarray, "h w 2"],
) -> Float32[np.ndarray, "h w C"]:
    """Mix the values at three corners; share: weights of the second and the third."""
    second, third = share[..., :1], share[..., 1:]
    mixed: Float32[np.ndarray, "h w C"] = (
        values[corners[..., 0]] * (1 - second - third)
        + values[corners[..., 1]] * second
        + values[corners[..., 2]] * third
    )
    return mixed


def fill_gutter(
    values: Float[np.ndarray, "h w C"], covered: np.ndarray
) -> Float[np.ndarray, "h w C"]:
    """Repeat the nearest covered texel wherever none is covered."""
    _, (row, column) = distance_transform_edt(~covered, return_indices=True)
    filled: Float[np.ndarray, "h w C"] = values[row, column]
    return filled


def _resize(
    values: Float32[np.ndarray, "h w C"], size: tuple[int, int]
) -> Float32[np.ndarray, "H W C"]:
    if values.shape[1::-1] == size:
        return values
    layers = [
        cv2.resize(np.ascontiguousarray(values[..., i]), size, interpolation=cv2.INTER_LINEAR)
        for i in range(values.shape[2])
    ]
    return np.stack(layers, axis=-1)
