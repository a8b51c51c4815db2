"""Where skin, eyes and mouth lie in a person's texture: MakeHuman's islands, each in a rectangle.

They fill the left half of the texture, u 0 to 0.5; clothes and hair have the right half. The head
keeps MakeHuman's own scale, about 0.5 mm a texel on the face at 2048; the trunk is drawn smaller.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from people.atlas import Atlas
from people.human_mesh import PieceName, piece_mesh
from people.meshing import edges_of, label_pieces
from people.texels import fill_gutter, interpolate, rasterise_atlas

Rectangle = tuple[float, float, float, float]
"""Left, bottom, right, top; u and v of the person's texture."""

RECTANGLES: dict[PieceName, tuple[tuple[str, Rectangle], ...]] = {
    "skin": (
        ("head", (0.0, 0.36, 0.335, 0.998)),
        ("mouth", (0.340, 0.420, 0.410, 0.475)),
        ("trunk", (0.0, 0.0, 0.5, 0.355)),
        ("right_socket", (0.385, 0.48, 0.425, 0.535)),
        ("right_hand", (0.34, 0.70, 0.498, 0.848)),
        ("right_foot", (0.42, 0.62, 0.498, 0.695)),
        ("left_socket", (0.340, 0.48, 0.380, 0.535)),
        ("left_hand", (0.34, 0.85, 0.498, 0.998)),
        ("left_foot", (0.34, 0.62, 0.418, 0.695)),
    ),
    "left_eye": (
        ("left_eye", (0.340, 0.54, 0.415, 0.615)),
        ("left_eye_back", (0.430, 0.48, 0.460, 0.51)),
    ),
    "right_eye": (
        ("right_eye", (0.420, 0.54, 0.495, 0.615)),
        ("right_eye_back", (0.465, 0.48, 0.495, 0.51)),
    ),
    "upper_teeth": (("upper_teeth", (0.415, 0.45, 0.495, 0.475)),),
    "lower_teeth": (("lower_teeth", (0.415, 0.42, 0.495, 0.445)),),
    "tongue": (("tongue", (0.340, 0.365, 0.370, 0.415)),),
}
"""Islands of each piece in the order of their first texture coordinate."""
MARGIN_SHARE = 0.012
"""Of a rectangle's side: the gutter."""


@dataclass(frozen=True, slots=True)
class Island:
    """One island of a piece's layout at level 0.

    vertex: vertex of the piece at each of its texture coordinates. uv: 0..1 over the rectangle.
    low, high: the part of MakeHuman's layout that fills the rectangle, margin included.
    """

    name: str
    piece: PieceName
    rectangle: Rectangle
    uv: Float64[np.ndarray, "T 2"]
    faces: Int32[np.ndarray, "F 3"]
    vertex: Int32[np.ndarray, " T"]
    low: Float64[np.ndarray, " 2"]
    high: Float64[np.ndarray, " 2"]


@dataclass(frozen=True, slots=True)
class IslandRaster:
    """Which point of an island lies under each texel of a square raster, row 0 at the top.

    corners: vertices of the piece. share: weights of the second and third. covered: False in the
    gutter, which repeats the nearest texel inside.
    """

    corners: Int32[np.ndarray, "N N 3"]
    share: Float32[np.ndarray, "N N 2"]
    covered: Bool[np.ndarray, "N N"]

    def spread(self, values: Float32[np.ndarray, "V C"]) -> Float32[np.ndarray, "N N C"]:
        """Return values of the piece's vertices, interpolated."""
        return interpolate(values, self.corners, self.share)


@cache
def islands() -> dict[str, Island]:
    """Return all islands by name."""
    found = {}
    for piece, rows in RECTANGLES.items():
        mesh = piece_mesh(piece, 0)
        label = _ordered_labels(piece)
        for number, (name, rectangle) in enumerate(rows):
            own = np.flatnonzero(label == number)
            faces = np.flatnonzero(label[mesh.uv_faces[:, 0]] == number)
            local = np.searchsorted(own, mesh.uv_faces[faces]).astype(np.int32)
            vertex = np.zeros(len(own), np.int32)
            vertex[local.ravel()] = mesh.faces[faces].ravel()
            low, high = mesh.uv[own].min(axis=0), mesh.uv[own].max(axis=0)
            room = MARGIN_SHARE * (high - low)
            low, high = low - room, high + room
            uv = (mesh.uv[own] - low) / (high - low)
            found[name] = Island(name, piece, rectangle, uv, local, vertex, low, high)
    return found


@cache
def _ordered_labels(piece: PieceName) -> Int32[np.ndarray, " T"]:
    """Return the island of each texture coordinate of a piece, numbered by its first one."""
    mesh = piece_mesh(piece, 0)
    label = label_pieces(edges_of(mesh.uv_faces), len(mesh.uv))
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], np.int32)


@cache
def placed_uv(piece: PieceName, level: int) -> Float64[np.ndarray, "T 2"]:
    """Return a piece's texture coordinates in the person's texture."""
    coarse, fine = piece_mesh(piece, 0), piece_mesh(piece, level)
    label = _ordered_labels(piece)
    of_face = np.repeat(label[coarse.uv_faces[:, 0]], 4**level)
    of_uv = np.zeros(len(fine.uv), np.int32)
    of_uv[fine.uv_faces.ravel()] = np.repeat(of_face, 3)
    placed = np.zeros_like(fine.uv)
    for number, (name, (left, bottom, right, top)) in enumerate(RECTANGLES[piece]):
        rows, island = of_uv == number, islands()[name]
        share = (fine.uv[rows] - island.low) / (island.high - island.low)
        placed[rows] = np.array([left, bottom]) + share * np.array([right - left, top - bottom])
    return placed


@cache
def island_raster(name: str, size: int) -> IslandRaster:
    """Return the raster of an island over its own rectangle."""
    island = islands()[name]
    parts = np.zeros(len(island.faces), np.int32)
    atlas = Atlas(island.uv, island.uv, island.faces, parts, island.vertex)
    face, share = rasterise_atlas(atlas, size)
    corners = island.vertex[island.faces[face]].astype(np.int32)
    covered = face >= 0
    filled = fill_gutter(np.concatenate([corners, share.astype(np.float64)], axis=-1), covered)
    return IslandRaster(
        filled[..., :3].astype(np.int32), filled[..., 3:].astype(np.float32), covered
    )


def texel_rectangle(rectangle: Rectangle, size: int) -> tuple[slice, slice]:
    """Return rows and columns of a rectangle in a texture of `size` texels a side, one at least."""
    left, bottom, right, top = (round(value * size) for value in rectangle)
    left, bottom = min(left, size - 1), min(bottom, size - 1)
    right, top = max(right, left + 1), max(top, bottom + 1)
    return slice(size - top, size - bottom), slice(left, right)
