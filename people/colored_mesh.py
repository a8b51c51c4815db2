"""A person as a finer mesh whose vertices carry the colours: a binary PLY, in metres."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from people.person import Person
from schemas.scan import Charts

CM_PER_M = 100.0


@dataclass(frozen=True, slots=True)
class FinerMesh:
    """A person's mesh with cut triangles and its texture seams still open.

    place: metres. uv: into the texture. chart_uv: 0..1 over the part's chart. part: of each face.
    """

    place: Float64[np.ndarray, "N 3"]
    uv: Float64[np.ndarray, "N 2"]
    chart_uv: Float64[np.ndarray, "N 2"]
    faces: Int32[np.ndarray, "F 3"]
    part: Int32[np.ndarray, " F"]

    @property
    def charts(self) -> Charts:
        """DensePose charts of the faces, in the order in which the PLY has them."""
        return Charts(
            part=self.part.astype(np.uint8),
            uv=np.clip(self.chart_uv[self.faces], 0, 1).astype(np.float32),
        )


def cut_finer(person: Person, *, subdivisions: int) -> FinerMesh:
    """Cut a person's triangles into four `subdivisions` times."""
    atlas = person.atlas
    place = person.vertices[atlas.vertex] / CM_PER_M
    corners, faces = np.column_stack([place, atlas.uv, atlas.chart_uv]), atlas.faces
    for _ in range(subdivisions):
        corners, faces = subdivide(corners, faces)
    # subdivide() gives all first quarters, then all second ones, and so on.
    part = np.tile(atlas.parts, 4**subdivisions)
    return FinerMesh(corners[:, :3], corners[:, 3:5], corners[:, 5:], faces, part)


def format_ply(person: Person, finer: FinerMesh) -> bytes:
    """Return a PLY of a finer mesh, coloured by vertex."""
    colors = sample_texture(person.texture, finer.uv)
    place, faces, first = weld(finer.place, finer.faces)
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
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
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
