"""A garment's tile: its cloth, what is sewn on, and the light that its folds leave.

Texture coordinates of a garment are centimetres of cloth, so threads and stripes need no surface;
where buttons, pockets and hems lie is read from values at the vertices, rasterised coarsely.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.ndimage import distance_transform_edt

from people.cloth_grain import Panels, panel_grain
from people.cloth_grid import Grid, Look
from people.fabrics import paint_pattern, weave
from people.garment_marks import MARKS
from people.pieces import TilePaint
from people.texels import rasterise

RASTER_TEXELS = 384


@dataclass(frozen=True, slots=True)
class Cloth:
    """A tile's cloth before it is painted.

    uv: centimetres, u right and v up from the tile's corner. values: at the uv points: canonical
    x, y, z, centimetres down the arm, share of the arm, distance to the nearest rim, light.
    panels: what cloth it is cut from; "none" takes the files' own texture coordinates.
    """

    look: Look
    uv: Float64[np.ndarray, "T 2"]
    faces: Int32[np.ndarray, "F 3"]
    values: Float32[np.ndarray, "T 7"]
    size_cm: tuple[float, float]
    panels: Panels


def paint_cloth_tile(cloth: Cloth, rows: int, columns: int) -> TilePaint:
    """Paint a tile of a garment."""
    fields = _raster(cloth, rows, columns)
    wide, high = cloth.size_cm
    u = ((np.arange(columns, dtype=np.float32) + 0.5) / columns * wide)[None, :]
    v = (high - (np.arange(rows, dtype=np.float32) + 0.5) / rows * high)[:, None]
    u, v = (np.ascontiguousarray(np.broadcast_to(a, (rows, columns))) for a in (u, v))
    if cloth.panels != "none":
        u, v = panel_grain(cloth.panels, cloth.values, fields)
    rng = np.random.default_rng([cloth.look.seed, 71])
    grid = Grid(cloth.look, u, v, fields, wide / columns, rng)
    color = paint_pattern(grid)
    color = weave(grid, color)
    for mark in cloth.look.marks:
        color = MARKS[mark](grid, color)
    return TilePaint(np.clip(color, 0, 255).astype(np.float32), fields[..., 6])


def _raster(cloth: Cloth, rows: int, columns: int) -> Float32[np.ndarray, "h w 7"]:
    scale = min(1.0, RASTER_TEXELS / max(rows, columns))
    small = (max(8, round(rows * scale)), max(8, round(columns * scale)))
    wide, high = cloth.size_cm
    pixels = cloth.uv / np.array([wide, high]) * np.array([small[1], small[0]])
    pixels[:, 1] = small[0] - pixels[:, 1]
    face, share = rasterise(pixels, cloth.faces, small)
    corners = cloth.faces[face]
    second, third = share[..., :1], share[..., 1:]
    values = (
        cloth.values[corners[..., 0]] * (1 - second - third)
        + cloth.values[corners[..., 1]] * second
        + cloth.values[corners[..., 2]] * third
    )
    _, (row, column) = distance_transform_edt(face < 0, return_indices=True)
    filled = values[row, column]
    grown: Float32[np.ndarray, "h w 7"] = cv2.resize(
        filled, (columns, rows), interpolation=cv2.INTER_LINEAR
    )
    return grown
