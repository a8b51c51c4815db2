"""A person as a finer mesh whose vertices carry the colours: a binary PLY, in metres."""

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from people.atlas import Atlas
from people.figure import CM_PER_M
from people.made_scan import MadeScan
from people.meshing import edges_of


def cut_finer(scan: MadeScan, *, subdivisions: int) -> tuple[Float64[np.ndarray, "N 3"], Atlas]:
    """Cut a person's triangles into four `subdivisions` times.

    Returns the places in metres, texture seams still open, and the atlas, whose vertices they are.
    """
    atlas = scan.atlas
    place = scan.vertices[atlas.vertex] / CM_PER_M
    corners, faces = np.column_stack([place, atlas.uv, atlas.chart_uv]), atlas.faces
    for _ in range(subdivisions):
        corners, faces = subdivide(corners, faces)
    # subdivide() gives all first quarters, then all second ones, and so on.
    parts = np.tile(atlas.parts, 4**subdivisions)
    vertex = np.arange(len(corners), dtype=np.int32)
    return corners[:, :3], Atlas(corners[:, 3:5], corners[:, 5:], faces, parts, vertex)


def format_ply(
    texture: UInt8[np.ndarray, "S S 3"], place: Float64[np.ndarray, "N 3"], atlas: Atlas
) -> bytes:
    """Return a PLY of a mesh whose places are its atlas' vertices, coloured by vertex."""
    colors = sample_texture(texture, atlas.uv)
    place, faces, first = weld(place, atlas.faces)
    rows = np.zeros(len(place), [("place", "<f4", 3), ("color", "u1", 3)])
    rows["place"], rows["color"] = place, colors[first]
    triangles = np.zeros(len(faces), [("count", "u1"), ("corners", "<i4", 3)])
    triangles["count"], triangles["corners"] = 3, faces
    return _ply_head(len(rows), len(faces)) + rows.tobytes() + triangles.tobytes()


def _ply_head(vertices: int, faces: int) -> bytes:
    lines = (
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {vertices}",
        *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {channel}" for channel in ("red", "green", "blue")),
        f"element face {faces}",
        "property list uchar int vertex_indices",
        "end_header\n",
    )
    return "\n".join(lines).encode()


def sample_texture(
    texture: UInt8[np.ndarray, "S S 3"], uv: Float64[np.ndarray, "N 2"]
) -> UInt8[np.ndarray, "N 3"]:
    """Return the texel under each texture coordinate."""
    size = len(texture)
    columns = np.clip((uv[:, 0] * size).astype(int), 0, size - 1)
    rows = np.clip(((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
    colors: UInt8[np.ndarray, "N 3"] = texture[rows, columns]
    return colors


def subdivide(
    points: Float64[np.ndarray, "N C"], faces: Int32[np.ndarray, "F 3"]
) -> tuple[Float64[np.ndarray, "M C"], Int32[np.ndarray, "G 3"]]:
    """Cut every triangle into four at the middles of its edges."""
    edges = np.sort(edges_of(faces), axis=1)
    key, inverse = np.unique(edges[:, 0] * np.int64(len(points)) + edges[:, 1], return_inverse=True)
    middles = 0.5 * (points[key // len(points)] + points[key % len(points)])
    ab, bc, ca = (inverse.reshape(-1, 3) + len(points)).T
    a, b, c = faces.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    finer = np.concatenate([np.stack(part, axis=1) for part in parts]).astype(np.int32)
    return np.concatenate([points, middles]), finer


def weld(
    points: Float64[np.ndarray, "N 3"], faces: Int32[np.ndarray, "F 3"]
) -> tuple[Float64[np.ndarray, "M 3"], Int32[np.ndarray, "F 3"], Int32[np.ndarray, " M"]]:
    """Join points of equal place, so that seams close; also return one point of each place."""
    _, first, inverse = np.unique(points, axis=0, return_index=True, return_inverse=True)
    welded = inverse.reshape(-1)[faces].astype(np.int32)
    return points[first], welded, first.astype(np.int32)
