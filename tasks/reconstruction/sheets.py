"""The mesh that needs no library: front and back as sheets, joined at the silhouette."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Int32, UInt8

from tasks.reconstruction.surfaces import Surfaces, lift_to_world

MAX_GRID = 1024
"""Sheets have at most this many vertices a side: a million triangles, not sixteen."""

MAX_JUMP = 0.03
"""Scene units (about 7 cm) between neighbours: more is a gap between parts, not a slope."""

MIN_ISLAND = 0.005
"""Share of the person: smaller pieces are noise."""


@dataclass(frozen=True, slots=True)
class ColoredMesh:
    """Triangles, outwards counter-clockwise; world axes, scene units; a colour a vertex."""

    vertices: Float[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    colors: UInt8[np.ndarray, "V 3"]


def make_sheets(surfaces: Surfaces, scale: float, *, max_grid: int = MAX_GRID) -> ColoredMesh:
    """Mesh both surfaces over the pixel grid and close the silhouette between them.

    Triangles across a jump in depth are left out; walls run along the silhouette alone.
    """
    every = -(-surfaces.front.shape[0] // max_grid)
    pick = np.s_[every // 2 :: every, every // 2 :: every]
    grid = without_islands(surfaces.mask[pick])
    where = np.zeros(surfaces.mask.shape, bool)
    where[pick] = grid
    front, back = (
        lift_to_world(surfaces.camera, depth, where) for depth in (surfaces.front, surfaces.back)
    )
    triangles = grid_triangles(grid)
    walls = _walls(triangles, len(front))
    lengths = [depth[where] for depth in (surfaces.front, surfaces.back)]
    kept = [triangles[_is_smooth(triangles, length, MAX_JUMP)] for length in lengths]
    faces = np.concatenate([kept[0], kept[1][:, ::-1] + len(front), walls]).astype(np.int32)
    colors = np.concatenate([surfaces.image[where]] * 2)
    return _drop_unused(ColoredMesh(np.concatenate([front, back]) * scale, faces, colors))


def make_front_sheet(
    points: Float[np.ndarray, "h w 3"],
    mask: Bool[np.ndarray, "h w"],
    image: UInt8[np.ndarray, "h w 3"],
    max_jump: float,
) -> ColoredMesh:
    """Mesh one surface over its pixel grid; max_jump: along z, in the unit of the points."""
    where = without_islands(mask)
    triangles = grid_triangles(where)
    kept = triangles[_is_smooth(triangles, points[where][:, 2], max_jump)]
    return _drop_unused(ColoredMesh(points[where], kept, image[where]))


def without_islands(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Return a mask without pieces that are too small to be a part of the person."""
    levels = mask.astype(np.uint8)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(levels, connectivity=4)
    areas = statistics[:, cv2.CC_STAT_AREA]
    large = areas >= max(1, MIN_ISLAND * mask.sum())
    large[0] = False
    kept: Bool[np.ndarray, "h w"] = large[labels]
    return kept


def grid_triangles(mask: Bool[np.ndarray, "h w"]) -> Int32[np.ndarray, "F 3"]:
    """Return triangles between neighbouring pixels of the mask, numbered row by row.

    Seen from the camera (rows down, columns to the right) they turn counter-clockwise.
    """
    number = np.where(mask, np.cumsum(mask.ravel()).reshape(mask.shape) - 1, -1)
    a, b = number[:-1, :-1].ravel(), number[:-1, 1:].ravel()
    c, d = number[1:, :-1].ravel(), number[1:, 1:].ravel()
    inside = np.stack([a, b, c, d]) >= 0
    whole = inside.all(axis=0)
    triangles = [np.stack([a, c, d], axis=1)[whole], np.stack([a, d, b], axis=1)[whole]]
    corners = ((c, d, b), (a, c, d), (a, d, b), (a, c, b))
    for missing, three in enumerate(corners):
        lonely = ~inside[missing] & (inside.sum(axis=0) == 3)  # noqa: PLR2004 - of four corners
        triangles.append(np.stack(three, axis=1)[lonely])
    return np.concatenate(triangles).astype(np.int32)


def _walls(triangles: Int32[np.ndarray, "F 3"], count: int) -> Int32[np.ndarray, "W 3"]:
    """Close the border of the front to that of the back, whose vertices are numbered from count."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    keys = edges.min(axis=1).astype(np.int64) * count + edges.max(axis=1)
    _, first, uses = np.unique(keys, return_index=True, return_counts=True)
    a, b = edges[first[uses == 1]].T
    one = np.stack([b, a, a + count], axis=1)
    other = np.stack([b, a + count, b + count], axis=1)
    return np.concatenate([one, other]).astype(np.int32)


def _is_smooth(
    triangles: Int32[np.ndarray, "F 3"], length: Float[np.ndarray, " V"], max_jump: float
) -> Bool[np.ndarray, " F"]:
    smooth: Bool[np.ndarray, " F"] = np.ptp(length[triangles], axis=1) <= max_jump
    return smooth


def _drop_unused(mesh: ColoredMesh) -> ColoredMesh:
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    number = (np.cumsum(used) - 1).astype(np.int32)
    return ColoredMesh(mesh.vertices[used], number[mesh.faces], mesh.colors[used])
