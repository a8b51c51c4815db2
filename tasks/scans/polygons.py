"""Polygons to triangles: a fan where that is right, ears cut off where it is not."""

import numpy as np
from jaxtyping import Bool, Float64, Int64

TRIANGLE_CORNERS = 3

MAX_FAN_STARTS = 8
"""A concave polygon of up to this many corners is first tried as a fan from every corner."""

MAX_EAR_CORNERS = 100
"""Ear cutting takes the cube of the corners (0.3 s here); a longer concave polygon stays a fan."""


def triangulate(
    vertices: Float64[np.ndarray, "V 3"],
    corner_vertex: Int64[np.ndarray, " C"],
    corners_per_face: Int64[np.ndarray, " P"],
) -> tuple[Int64[np.ndarray, "F 3"], Int64[np.ndarray, " F"]]:
    """Split every polygon into triangles that keep its winding and its order in the file.

    corner_vertex: vertex of every corner, polygon after polygon, at least three each.
    Returns the corners of every triangle (indices into corner_vertex) and its polygon.
    Concave polygons are split inside their outline, as far as they are flat and simple.
    """
    if (corners_per_face == TRIANGLE_CORNERS).all():
        return np.arange(len(corner_vertex)).reshape(-1, 3), np.arange(len(corners_per_face))
    points = vertices[corner_vertex]
    triangles_per_face = corners_per_face - 2
    source = np.repeat(np.arange(len(corners_per_face)), triangles_per_face)
    begin = np.cumsum(corners_per_face) - corners_per_face
    out_begin = np.cumsum(triangles_per_face) - triangles_per_face
    out = np.empty((len(source), 3), np.int64)
    for n in np.unique(corners_per_face).tolist():
        chosen = np.flatnonzero(corners_per_face == n)
        local = _split_equal(points, begin[chosen], n)
        rows = out_begin[chosen][:, None] + np.arange(n - 2)
        out[rows] = begin[chosen][:, None, None] + local
    return out, source


def _split_equal(
    points: Float64[np.ndarray, "C 3"], begin: Int64[np.ndarray, " M"], n: int
) -> Int64[np.ndarray, "M T 3"]:
    """Split polygons of n corners each; returns corners counted within each polygon."""
    fan = np.stack([np.zeros(n - 2, np.int64), np.arange(1, n - 1), np.arange(2, n)], axis=1)
    split = np.tile(fan, (len(begin), 1, 1))
    if n == TRIANGLE_CORNERS:
        return split
    polygons = points[begin[:, None] + np.arange(n)]
    todo = np.flatnonzero(~_is_fan_inside(polygons, fan))
    for turn in range(1, n if n <= MAX_FAN_STARTS else 1):
        if not todo.size:
            return split
        turned = (fan + turn) % n
        inside = _is_fan_inside(polygons[todo], turned)
        split[todo[inside]] = turned
        todo = todo[~inside]
    if n <= MAX_EAR_CORNERS:
        for polygon in todo.tolist():
            split[polygon] = cut_ears(polygons[polygon])
    return split


def _is_fan_inside(
    polygons: Float64[np.ndarray, "M n 3"], fan: Int64[np.ndarray, "T 3"]
) -> Bool[np.ndarray, " M"]:
    """Return which polygons are covered by the fan without a triangle turned over."""
    a, b, c = (polygons[:, fan[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    along = np.einsum("mtk,mk->mt", normals, normals.sum(axis=1))
    inside: Bool[np.ndarray, " M"] = (along >= 0).all(axis=1)
    return inside


def cut_ears(polygon: Float64[np.ndarray, "n 3"]) -> Int64[np.ndarray, "T 3"]:
    """Triangulate one simple polygon by cutting ears, seen along its own normal.

    Where no ear is left (the outline crosses itself), the rest becomes a fan.
    """
    flat = _flatten(polygon)
    left, triangles = list(range(len(flat))), []
    while len(left) > TRIANGLE_CORNERS:
        k = next((k for k in range(len(left)) if _is_ear(flat, left, k)), None)
        if k is None:
            break
        triangles.append((left[k - 1], left[k], left[(k + 1) % len(left)]))
        del left[k]
    triangles += [(left[0], left[i], left[i + 1]) for i in range(1, len(left) - 1)]
    return np.array(triangles, np.int64)


def _flatten(polygon: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 2"]:
    """Drop the axis along which the polygon is seen widest; counter-clockwise afterwards."""
    offset = polygon - polygon[0]
    normal = np.cross(offset, np.roll(offset, -1, axis=0)).sum(axis=0)
    axis = int(np.abs(normal).argmax())
    flat: Float64[np.ndarray, "n 2"] = polygon[:, [(axis + 1) % 3, (axis + 2) % 3]]
    return flat if normal[axis] >= 0 else flat * np.array([-1.0, 1.0])


def _is_ear(flat: Float64[np.ndarray, "n 2"], left: list[int], k: int) -> bool:
    a, b, c = flat[left[k - 1]], flat[left[k]], flat[left[(k + 1) % len(left)]]
    if _turn(a, b, c[None])[0] <= 0:
        return False
    others = flat[[i for i in left if not _is_one_of(flat[i], a, b, c)]]
    inside = (_turn(a, b, others) >= 0) & (_turn(b, c, others) >= 0) & (_turn(c, a, others) >= 0)
    return not inside.any()


def _is_one_of(point: Float64[np.ndarray, "2"], *corners: Float64[np.ndarray, "2"]) -> bool:
    return any(bool((point == corner).all()) for corner in corners)


def _turn(
    a: Float64[np.ndarray, "2"], b: Float64[np.ndarray, "2"], c: Float64[np.ndarray, "n 2"]
) -> Float64[np.ndarray, " n"]:
    """Return twice the signed area of a, b and every c; positive: counter-clockwise."""
    area: Float64[np.ndarray, " n"] = (b[0] - a[0]) * (c[:, 1] - a[1]) - (b[1] - a[1]) * (
        c[:, 0] - a[0]
    )
    return area
