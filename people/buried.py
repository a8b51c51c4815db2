"""Which faces of a person lie so deep inside hair or cloth that nobody sees them.

A scan has none of them, and the place of a scan before the camera hangs on the area of its faces.
"""

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from people.atlas import Atlas
from people.soft_light import sky_directions

DIRECTIONS, CELL_CM, DEPTH_CM, HAIR_DEPTH_CM = 32, 0.7, 0.45, 1.3
"""Directions looked from; the grid's step; how far below the topmost point nothing is seen: of
cloth, and of hair, between whose strands one sees further."""

GROWN_ROUNDS = 3


def open_points(
    points: Float32[np.ndarray, "V 3"], is_hair: Bool[np.ndarray, " V"]
) -> Bool[np.ndarray, " V"]:
    """Return which points are near the topmost one of their cell, seen from some direction."""
    depth = np.where(is_hair, np.float32(HAIR_DEPTH_CM), np.float32(DEPTH_CM))
    seen = np.zeros(len(points), bool)
    for direction in sky_directions(DIRECTIONS):
        helper = np.eye(3, dtype=np.float32)[int(np.abs(direction).argmin())]
        first = np.cross(direction, helper)
        first /= np.linalg.norm(first)
        flat = np.stack([points @ first, points @ np.cross(direction, first)], axis=1)
        cell = np.floor((flat - flat.min(axis=0)) / np.float32(CELL_CM)).astype(np.int64)
        key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
        height = points @ direction
        top = np.full(int(key.max()) + 1, -np.inf, np.float32)
        np.maximum.at(top, key, height)
        seen |= top[key] - height < depth
    return seen


def grow_kept(
    faces: Int32[np.ndarray, "F 3"], keep: Bool[np.ndarray, " F"], rounds: int = GROWN_ROUNDS
) -> Bool[np.ndarray, " F"]:
    """Keep also what touches kept faces: one sees a little into armpits and between legs."""
    for _ in range(rounds):
        near = np.zeros(int(faces.max()) + 1, bool)
        near[faces[keep].ravel()] = True
        keep = keep | near[faces].any(axis=1)
    return keep


def keep_faces(
    vertices: Float64[np.ndarray, "V 3"],
    faces: Int32[np.ndarray, "F 3"],
    atlas: Atlas,
    keep: Bool[np.ndarray, " F"],
) -> tuple[Float64[np.ndarray, "W 3"], Int32[np.ndarray, "G 3"], Atlas]:
    """Return the mesh and its atlas with some faces only, and only what those use."""
    used, inverse = np.unique(faces[keep], return_inverse=True)
    rows, uv_inverse = np.unique(atlas.faces[keep], return_inverse=True)
    renumber = np.zeros(len(vertices), np.int32)
    renumber[used] = np.arange(len(used))
    kept = Atlas(
        atlas.uv[rows],
        atlas.chart_uv[rows],
        uv_inverse.reshape(-1, 3).astype(np.int32),
        atlas.parts[keep],
        renumber[atlas.vertex[rows]],
    )
    return vertices[used], inverse.reshape(-1, 3).astype(np.int32), kept
