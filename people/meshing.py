"""A signed distance becomes a closed triangle mesh, finer at the head and at the hands.

The grid is regular in stretched coordinates, in which head and hands are enlarged; only blocks
near the surface are evaluated; marching cubes joins them; relaxing and Newton steps on the true
distance give well-shaped triangles on the very surface.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int, Int32
from scipy import sparse
from skimage.measure import marching_cubes
from trimesh.graph import connected_component_labels

from people.shapes import Distances, Points
from schemas.errors import MachineError

Faces = Int32[np.ndarray, "F 3"]
DistanceFunction = Callable[[Points], Distances]

HAND_STRETCH, HAND_FROM_X, HAND_FULL_X = 2.3, 62.0, 68.5
HEAD_STRETCH, HEAD_FROM_Y, HEAD_FULL_Y = 1.9, 147.0, 155.0
HAND_Y, HAND_Z, HEAD_Z = 140.5, -3.0, 0.0
LOW_CORNER, HIGH_CORNER = (-118.0, -2.0, -36.0), (118.0, 210.0, 36.0)
"""The box of all figures in stretched centimetres."""
BLOCK = 4
BAND_CELLS = 7.5
"""Half-width of the evaluated band in cells: a block's half-diagonal, doubled for loose bounds."""
RELAX_ROUNDS, NEWTON_ROUNDS = 3, 2
STEP_LIMIT_CM, PROBE_CM = 0.5, 0.02
RAMP_STEPS = 512


@dataclass(frozen=True, slots=True)
class _Ramp:
    """A stretch along one axis: positions, the stretch there, and its integral."""

    position: Float32[np.ndarray, " R"]
    stretch: Float32[np.ndarray, " R"]
    stretched: Float32[np.ndarray, " R"]


def _ramp(low: float, high: float, factor: float, *, top: float) -> _Ramp:
    position = np.linspace(0, top, RAMP_STEPS)
    share = np.clip((position - low) / (high - low), 0, 1)
    stretch = 1 + (factor - 1) * share * share * (3 - 2 * share)
    step = np.diff(position, prepend=0)
    integral = np.cumsum(stretch * step)
    return _Ramp(*(a.astype(np.float32) for a in (position, stretch, integral)))


_HAND = _ramp(HAND_FROM_X, HAND_FULL_X, HAND_STRETCH, top=110.0)
_HEAD = _ramp(HEAD_FROM_Y, HEAD_FULL_Y, HEAD_STRETCH, top=220.0)


def stretch_points(points: Points) -> Points:
    """Enlarge head and hands: rest to grid coordinates."""
    out = points.copy()
    head = np.interp(points[:, 1], _HEAD.position, _HEAD.stretch)
    out[:, 0] *= head
    out[:, 1] = np.where(
        points[:, 1] > 0, np.interp(points[:, 1], _HEAD.position, _HEAD.stretched), points[:, 1]
    )
    out[:, 2] = HEAD_Z + (points[:, 2] - HEAD_Z) * head
    x = np.abs(out[:, 0])
    hand = np.interp(x, _HAND.position, _HAND.stretch)
    out[:, 0] = np.sign(out[:, 0]) * np.interp(x, _HAND.position, _HAND.stretched)
    out[:, 1] = HAND_Y + (out[:, 1] - HAND_Y) * hand
    out[:, 2] = HAND_Z + (out[:, 2] - HAND_Z) * hand
    return out


def unstretch_points(points: Points) -> Points:
    """Undo `stretch_points`: grid to rest coordinates."""
    out = points.copy()
    x = np.interp(np.abs(points[:, 0]), _HAND.stretched, _HAND.position)
    hand = np.interp(x, _HAND.position, _HAND.stretch)
    out[:, 0] = np.sign(points[:, 0]) * x
    out[:, 1] = HAND_Y + (points[:, 1] - HAND_Y) / hand
    out[:, 2] = HAND_Z + (points[:, 2] - HAND_Z) / hand
    y = np.where(out[:, 1] > 0, np.interp(out[:, 1], _HEAD.stretched, _HEAD.position), out[:, 1])
    head = np.interp(y, _HEAD.position, _HEAD.stretch)
    out[:, 0] /= head
    out[:, 1] = y
    out[:, 2] = HEAD_Z + (out[:, 2] - HEAD_Z) / head
    return out


def local_stretch(points: Points) -> Distances:
    """Return how much larger than life the grid is around rest points."""
    stretch: Distances = (
        np.interp(points[:, 1], _HEAD.position, _HEAD.stretch)
        * np.interp(np.abs(points[:, 0]), _HAND.position, _HAND.stretch)
    ).astype(np.float32)
    return stretch


def extract_surface(distance: DistanceFunction, spacing_cm: float) -> tuple[Points, Faces]:
    """Mesh the zero set of a signed distance in rest coordinates.

    Returns vertices (V, 3) and faces (F, 3), closed, one piece, counter-clockwise from outside.
    Raises MachineError when nothing was found: a bug in the shapes.
    """
    volume = _narrow_band(distance, spacing_cm)
    if volume.min() >= 0:
        raise MachineError(
            "the figure", found="no surface", expected="a solid", hint="Report this as a bug."
        )
    raw, faces, _, _ = marching_cubes(volume, 0.0)  # type: ignore[no-untyped-call]  # untyped
    raw, faces = _main_piece(raw, faces.astype(np.int32))
    grid = (np.array(LOW_CORNER) + raw * spacing_cm).astype(np.float32)
    vertices = _relax(distance, grid, faces)
    return vertices, _outward(vertices, faces)


def _narrow_band(distance: DistanceFunction, spacing: float) -> Float32[np.ndarray, "X Y Z"]:
    low = np.array(LOW_CORNER)
    blocks = np.ceil((np.array(HIGH_CORNER) - low) / (spacing * BLOCK)).astype(int)
    corner = np.stack(np.meshgrid(*map(np.arange, blocks), indexing="ij"), -1).reshape(-1, 3)
    centre = low + (corner * BLOCK + (BLOCK - 1) / 2) * spacing
    rest = unstretch_points(centre.astype(np.float32))
    coarse = distance(rest) * local_stretch(rest)
    near = np.abs(coarse) < BAND_CELLS * spacing
    offsets = np.stack(np.meshgrid(*[np.arange(BLOCK)] * 3, indexing="ij"), -1).reshape(-1, 3)
    cells = (corner[near][:, None] * BLOCK + offsets).reshape(-1, 3)
    rest = unstretch_points((low + cells * spacing).astype(np.float32))
    volume = coarse.reshape(blocks)
    for axis in range(3):
        volume = np.repeat(volume, BLOCK, axis=axis)
    volume[tuple(cells.T)] = distance(rest) * local_stretch(rest)
    band: Float32[np.ndarray, "X Y Z"] = volume.astype(np.float32)
    return band


def _main_piece(vertices: Points, faces: Faces) -> tuple[Points, Faces]:
    label = label_pieces(edges_of(faces), len(vertices))
    keep = label == np.bincount(label).argmax()
    renumber = (np.cumsum(keep) - 1).astype(np.int32)
    return vertices[keep], renumber[faces[keep[faces[:, 0]]]]


def label_pieces(edges: Int[np.ndarray, "E 2"], count: int) -> Int32[np.ndarray, " N"]:
    """Return the number of the connected piece that each of a graph's `count` nodes is in."""
    labels = connected_component_labels(edges, node_count=count)  # type: ignore[no-untyped-call]  # untyped
    return np.asarray(labels, np.int32)


def edges_of(faces: Faces) -> Int32[np.ndarray, "E 2"]:
    """Return the three edges of every face, as vertices."""
    return faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)


def averaging_matrix(faces: Faces, count: int) -> sparse.csr_matrix:
    """Return the (V, V) matrix that replaces each vertex by the mean of its neighbours."""
    first, second = edges_of(faces).T
    pairs = np.r_[first, second], np.r_[second, first]
    edges = sparse.csr_matrix((np.ones(2 * len(first), np.float32), pairs), shape=(count, count))
    edges.data[:] = 1
    degree = np.asarray(edges.sum(axis=1)).ravel()
    return sparse.diags(1 / np.maximum(degree, 1)).astype(np.float32) @ edges


def _relax(distance: DistanceFunction, grid: Points, faces: Faces) -> Points:
    mean = averaging_matrix(faces, len(grid))
    rest = unstretch_points(grid)
    for _ in range(RELAX_ROUNDS):
        grid = stretch_points(rest)
        grid = 0.5 * (grid + mean @ grid)
        rest = newton_step(distance, unstretch_points(grid))
    for _ in range(NEWTON_ROUNDS):
        rest = newton_step(distance, rest)
    return rest


def newton_step(distance: DistanceFunction, points: Points) -> Points:
    """Move points along the gradient onto the zero set, at most half a centimetre."""
    value, slope = probe_gradient(distance, points)
    square = np.maximum((slope * slope).sum(axis=1), np.float32(0.05))
    step = np.clip(value / np.sqrt(square), -STEP_LIMIT_CM, STEP_LIMIT_CM) / np.sqrt(square)
    moved: Points = points - slope * step[:, None].astype(np.float32)
    return moved


def probe_gradient(
    distance: DistanceFunction, points: Points
) -> tuple[Distances, Float32[np.ndarray, "N 3"]]:
    """Return distance and gradient, by differences along the corners of a tetrahedron."""
    corners = np.array([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]], np.float32)
    probes = (points[None] + corners[:, None] * np.float32(PROBE_CM)).reshape(-1, 3)
    values = distance(probes).reshape(4, -1)
    slope: Float32[np.ndarray, "N 3"] = values.T @ corners / np.float32(4 * PROBE_CM)
    return values.mean(axis=0), slope


def _outward(vertices: Points, faces: Faces) -> Faces:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    volume = float(np.einsum("ij,ij->", a, np.cross(b, c)))
    return faces if volume > 0 else faces[:, ::-1].copy()


def vertex_normals(vertices: Points, faces: Faces) -> Float32[np.ndarray, "V 3"]:
    """Return area-weighted unit normals."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    total = np.stack(
        [np.bincount(faces.ravel(), np.repeat(face[:, i], 3), len(vertices)) for i in range(3)], 1
    )
    unit: Float32[np.ndarray, "V 3"] = (
        total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
    ).astype(np.float32)
    return unit
