"""Vertex normals as the data set defines them.

Angle-weighted means of the face normals round each position: vertices at the same place
count as one, so that seams of a texture atlas leave no edge, and the file's own normals are
ignored. Source: Thuermer and Wuethrich, Computing vertex normals from polygonal facets, 1998.
"""

import numpy as np
from jaxtyping import Float32, Float64, Int32, Int64

CANCELLED = 1e-6
"""Below this share of its weight a sum of normals has no direction (two sheets back to back)."""

_HASH_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
"""Odd 64-bit multipliers; any would do, since collisions are looked for and fixed."""


def weld_positions(vertices: Float64[np.ndarray, "V 3"]) -> Int64[np.ndarray, " V"]:
    """Give every vertex the number of its position; equal coordinates share a number."""
    bits = np.ascontiguousarray(vertices + 0.0).view(np.uint64)  # + 0.0 makes -0.0 equal to 0.0
    mixed = bits * _HASH_FACTORS
    mixed ^= mixed >> np.uint64(29)
    mixed *= _HASH_FACTORS[0]
    key = mixed[:, 0] ^ (mixed[:, 1] << np.uint64(1)) ^ (mixed[:, 2] >> np.uint64(1))
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    if not np.array_equal(vertices[first][number], vertices):
        _, number = np.unique(vertices, axis=0, return_inverse=True)
    welded: Int64[np.ndarray, " V"] = number.astype(np.int64).reshape(-1)
    return welded


def vertex_normals(
    vertices: Float64[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]
) -> Float32[np.ndarray, "V 3"]:
    """Compute unit normals in the mesh's own axes, outward where faces turn anticlockwise.

    A vertex of no face, of degenerate faces only, or whose faces cancel out gets (0, 0, 0).
    """
    edges = _edges(vertices, faces)
    cross = np.cross(edges[0], edges[1])
    double_area = np.linalg.norm(cross, axis=1)
    unit = cross / np.where(double_area > 0, double_area, 1)[:, None]
    angles = _corner_angles(edges, double_area)
    number = weld_positions(vertices)
    slots, count = number[faces].ravel(), int(number.max(initial=-1)) + 1
    weights = ((unit[:, axis, None] * angles).ravel() for axis in range(3))
    sums = np.stack([np.bincount(slots, weights=one, minlength=count) for one in weights], 1)
    total = np.bincount(slots, weights=angles.ravel(), minlength=count)
    length = np.linalg.norm(sums, axis=1)
    kept = length > CANCELLED * np.maximum(total, np.finfo(float).tiny)
    sums[~kept], length[~kept] = 0, 1
    normals: Float32[np.ndarray, "V 3"] = (sums / length[:, None]).astype(np.float32)[number]
    return normals


def _edges(
    vertices: Float64[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]
) -> Float64[np.ndarray, "3 F 3"]:
    """Return what leads from each corner of every triangle to the next one."""
    first, second, third = (vertices[faces[:, corner]] for corner in range(3))
    return np.stack([second - first, third - second, first - third])


def _corner_angles(
    edges: Float64[np.ndarray, "3 F 3"], double_area: Float64[np.ndarray, " F"]
) -> Float64[np.ndarray, "F 3"]:
    """Return the three inner angles of every triangle in radians; 0 for degenerate ones."""
    # Between the edge that leaves a corner and the reverse of the one that arrives there.
    pairs = ((edges[corner], edges[corner - 1]) for corner in range(3))
    cosines = -np.stack([np.einsum("fi,fi->f", *pair) for pair in pairs], axis=1)
    angles: Float64[np.ndarray, "F 3"] = np.arctan2(double_area[:, None], cosines)
    return np.where(double_area[:, None] > 0, angles, 0.0)
