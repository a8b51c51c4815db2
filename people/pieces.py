"""What lies on a body: closed thin meshes, each with a texture tile of its own.

A garment's surface becomes a closed sheet: its outside finely triangulated, its inside coarsely,
and a rim around every opening. So front and back depth are those of cloth, never of nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import igl
import numpy as np
from jaxtyping import Float64, Int32
from scipy import sparse

from people.pixels import Image, Plane


@dataclass(frozen=True, slots=True)
class TilePaint:
    """A painted tile, row 0 at the top. light: what soft light leaves, about 0.5 to 1.1."""

    albedo: Image
    light: Plane


PaintTile = Callable[[int, int], TilePaint]
"""Rows and columns of a tile to its paint."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One garment, or all hair of a kind, on a posed body.

    vertices: posed, the person's own centimetres. faces: outward. uv: u right, v up, 0..1 of its
    tile. tile_cm: width and height of the tile on the cloth. near: nearest skin vertex of the base
    mesh for each vertex. paint: albedo of the tile.
    """

    name: str
    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    uv: Float64[np.ndarray, "T 2"]
    uv_faces: Int32[np.ndarray, "F 3"]
    tile_cm: tuple[float, float]
    near: Int32[np.ndarray, " V"]
    paint: PaintTile


@dataclass(frozen=True, slots=True)
class Sheet:
    """A closed sheet around a surface.

    vertices: outside, then inside. faces: the outside's last, so that it wins where a texture is
    made by drawing them in turn. source: (V, n) weights over the surface's points, for any value
    that is to be carried over. uv_source: the same for texture coordinates.
    """

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    uv_faces: Int32[np.ndarray, "F 3"]
    source: sparse.csr_matrix
    uv_source: sparse.csr_matrix


def close_sheet(
    surface: Float64[np.ndarray, "n 3"],
    faces: Int32[np.ndarray, "f 3"],
    uv_faces: Int32[np.ndarray, "f 3"],
    *,
    thickness_cm: float,
    fine: bool = True,
) -> Sheet:
    """Give a surface with open rims a thickness.

    uv_faces: the same triangles over points with open seams. fine: round the outside off by one
    step of Loop's subdivision.
    """
    open_count = int(uv_faces.max()) + 1
    count = len(surface)
    smooth, outer = sparse.identity(count, format="csr"), faces.astype(np.int64)
    uv_fine, uv_outer = sparse.identity(open_count, format="csr"), uv_faces.astype(np.int64)
    if fine:
        smooth, outer = igl.loop_matrix(np.ascontiguousarray(outer))
        uv_fine, uv_outer = igl.upsample_matrix(np.ascontiguousarray(uv_outer))
    outside = smooth @ surface
    normals = igl.per_vertex_normals(np.ascontiguousarray(surface), faces.astype(np.int64))
    inside = surface - thickness_cm * np.nan_to_num(normals)
    total = len(outside)
    inner = faces[:, ::-1] + total
    sides = open_sides(faces)
    rim = _rim(faces, outer, total, sides)
    rim_uv = _rim(uv_faces, uv_outer, uv_fine.shape[0], sides)
    return Sheet(
        vertices=np.concatenate([outside, inside]),
        faces=np.concatenate([inner, rim, outer]).astype(np.int32),
        uv_faces=np.concatenate([uv_faces[:, ::-1] + uv_fine.shape[0], rim_uv, uv_outer]).astype(
            np.int32
        ),
        source=sparse.vstack([smooth, sparse.identity(count)]).tocsr(),
        uv_source=sparse.vstack([uv_fine, sparse.identity(open_count)]).tocsr(),
    )


def _rim(
    coarse: Int32[np.ndarray, "f 3"],
    outer: np.ndarray,
    inside: int,
    sides: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Join outside and inside along the open sides, by way of the outside's new middles.

    outer: the outside's triangles. inside: number of the inside's first point.
    """
    face, corner = sides
    a, b = coarse[face, corner], coarse[face, (corner + 1) % 3]
    low_a, low_b = a + inside, b + inside
    strip = [(a, low_a, b), (b, low_a, low_b)]
    if len(outer) > len(coarse):
        middle = _middles(outer.reshape(len(coarse), -1, 3), face, corner)
        strip = [(a, low_a, middle), (middle, low_b, b), (middle, low_a, low_b)]
    return np.concatenate([np.stack(part, axis=1) for part in strip])


def _middles(made: np.ndarray, face: np.ndarray, corner: np.ndarray) -> np.ndarray:
    """Return the point that subdivision put on a side of each face.

    libigl cuts a triangle (0, 1, 2) into (0, m01, m20), (1, m12, m01), (m01, m12, m20),
    (m12, 2, m20).
    """
    middle: np.ndarray = made[face, 2, corner]
    return middle


def open_sides(faces: Int32[np.ndarray, "f 3"]) -> tuple[np.ndarray, np.ndarray]:
    """Return face and first corner of every side that no other face shares."""
    start = faces.ravel().astype(np.int64)
    stop = faces[:, [1, 2, 0]].ravel().astype(np.int64)
    key = np.minimum(start, stop) * (int(faces.max()) + 1) + np.maximum(start, stop)
    _, where, uses = np.unique(key, return_index=True, return_counts=True)
    single = where[uses == 1]
    return single // 3, single % 3


def pack_tiles(
    sizes: list[tuple[float, float]], *, width: float = 1.0, height: float = 1.0
) -> list[tuple[float, float, float, float]]:
    """Pack rectangles of given proportions into one as large as they fit, one scale for all.

    Returns left, bottom, width and height of each, in the units of the whole.
    """
    order = sorted(range(len(sizes)), key=lambda item: -sizes[item][1])
    scale = (width * height / sum(w * h for w, h in sizes)) ** 0.5
    while (placed := _shelves(sizes, order, scale, width, height)) is None:
        scale *= 0.97
    return placed


def _shelves(
    sizes: list[tuple[float, float]], order: list[int], scale: float, width: float, height: float
) -> list[tuple[float, float, float, float]] | None:
    placed = [(0.0, 0.0, 0.0, 0.0)] * len(sizes)
    left = bottom = shelf = 0.0
    for item in order:
        wide, high = sizes[item][0] * scale, sizes[item][1] * scale
        if left + wide > width + 1e-9:
            left, bottom, shelf = 0.0, bottom + shelf, 0.0
        if wide > width or bottom + high > height + 1e-9:
            return None
        placed[item] = (left, bottom, wide, high)
        left, shelf = left + wide, max(shelf, high)
    return placed
