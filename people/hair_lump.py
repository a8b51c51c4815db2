"""Hair as scans have it: locks fused into one closed lump, grooved along the way it is combed.

Locks are counted as matter in a grid, blurred, and meshed where matter ends; the same grid carries
which lock and how far down it each place is, so that texture and grooves follow the locks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import igl
import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes
from trimesh.graph import connected_component_labels

from people.garment_shapes import averaging
from people.garment_surfaces import Points
from people.hair_paint import Relief, sample_relief

Lines = Float64[np.ndarray, "L K 3"]
Corners = Float64[np.ndarray, "V 2"]

BLUR_CELLS = 1.15
FULL_SHARE = 0.45
"""Share of a cell that locks must fill to count as hair."""
LOCK_FLATNESS = 0.3
"""Section of a lock over the square of its width."""
MARGIN_CELLS = 5
MIN_FACES = 60
"""Lumps of fewer triangles are left out."""
SMOOTH_ROUNDS = 1
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Strokes:
    """Locks to be fused. lines: centimetres, world. free: before gathering. width: of each.

    across: 0..1, the same for locks that lie beside each other. along: 0 (root) to 1, by ring.
    """

    lines: Lines
    free: Lines
    width: Float64[np.ndarray, " L"]
    across: Float64[np.ndarray, "L K"]
    along: Float64[np.ndarray, "L K"]


@dataclass(frozen=True, slots=True)
class Lump:
    """A closed mesh. uv: where each vertex is across and along the locks."""

    vertices: Points
    faces: Int32[np.ndarray, "F 3"]
    uv: Corners


def join_strokes(strokes: list[Strokes]) -> Strokes:
    """Return all locks of some haircuts as points, two rings to a lock."""
    lines = np.concatenate([_pairs(one.lines) for one in strokes])
    rings = [one.lines.shape[1] - 1 for one in strokes]
    width = np.concatenate(
        [np.repeat(one.width, count) for one, count in zip(strokes, rings, strict=True)]
    )
    across = np.concatenate([_pairs(one.across[..., None])[..., 0] for one in strokes])
    along = np.concatenate([_pairs(one.along[..., None])[..., 0] for one in strokes])
    return Strokes(lines, lines, width, across, along)


def _pairs(rings: Float64[np.ndarray, "L K C"]) -> Float64[np.ndarray, "M 2 C"]:
    pairs = np.stack([rings[:, :-1], rings[:, 1:]], axis=2)
    return pairs.reshape(-1, 2, rings.shape[2])


def gather_locks(lines: Lines, tightness: float, count: int) -> Lines:
    """Draw locks together towards the nearest of `count` of them, more the nearer to the tip."""
    guides = lines[:: max(1, len(lines) // max(count, 1))]
    near = cKDTree(guides[:, 0]).query(lines[:, 0])[1]
    share = tightness * np.linspace(0, 1, lines.shape[1])[None, :, None] ** 0.7
    start = lines[:, :1] - guides[near][:, :1]
    gathered: Lines = (1 - share) * lines + share * (guides[near] + 0.3 * start)
    return gathered


def fuse_locks(
    strokes: Strokes,
    cell_cm: float,
    relief: Relief,
    depth_cm: float,
    drawn: Callable[[Points], Corners] | None = None,
) -> Lump:
    """Mesh locks as one lump; strokes: with two rings each. depth_cm: of the grooves.

    drawn: places across and along the locks of points, where it is not to be taken from these.
    """
    points, values = _spread(strokes, cell_cm)
    low = points.min(axis=0) - MARGIN_CELLS * cell_cm
    shape = np.ceil(np.ptp(points, axis=0) / cell_cm).astype(int) + 2 * MARGIN_CELLS
    cell = np.round((points - low) / cell_cm).astype(np.int64)
    key = (cell[:, 0] * shape[1] + cell[:, 1]) * shape[2] + cell[:, 2]
    grids = [_blurred(key, value, shape) for value in values]
    share = grids[0] / cell_cm**3
    corners, faces, _, _ = marching_cubes(share, FULL_SHARE)  # type: ignore[no-untyped-call]  # same
    corners, faces = _large_pieces(corners.astype(np.float64), faces.astype(np.int32))
    place = low + cell_cm * corners
    uv = _carried(grids, corners) if drawn is None else drawn(place)
    smooth = averaging(faces, len(place))
    for _ in range(SMOOTH_ROUNDS):
        place = 0.4 * place + 0.6 * (smooth @ place)
    place = place + depth_cm * sample_relief(relief, uv)[:, None] * unit_normals(place, faces)
    return Lump(place, faces, np.clip(uv, 0.0, 1.0))


def _carried(grids: list[Float32[np.ndarray, "X Y Z"]], corners: Points) -> Corners:
    """Return how far across and along its locks each place of the grid is."""
    matter, *values = (map_coordinates(grid, corners.T, order=1) for grid in grids)
    uv: Corners = np.stack(values, axis=1) / np.maximum(matter[:, None], TINY)
    return uv.astype(np.float64)


def _spread(strokes: Strokes, cell_cm: float) -> tuple[Points, list[Float64[np.ndarray, " N"]]]:
    """Return points along locks, and at each its matter (cm3), matter x across, matter x along."""
    start, stop = strokes.lines[:, 0], strokes.lines[:, 1]
    length = np.linalg.norm(stop - start, axis=1)
    count = np.maximum(np.ceil(length / cell_cm).astype(int), 1)
    owner = np.repeat(np.arange(len(count)), count)
    order = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    share = (order + 0.5) / count[owner]
    points = start[owner] + share[:, None] * (stop - start)[owner]
    matter = (LOCK_FLATNESS * strokes.width**2 * length / count)[owner]
    carried = [
        values[owner, 0] + share * (values[:, 1] - values[:, 0])[owner]
        for values in (strokes.across, strokes.along)
    ]
    return points, [matter, *(matter * value for value in carried)]


def _blurred(
    key: np.ndarray, value: Float64[np.ndarray, " N"], shape: np.ndarray
) -> Float32[np.ndarray, "X Y Z"]:
    total = np.bincount(key, value, minlength=int(np.prod(shape))).astype(np.float32)
    blurred: Float32[np.ndarray, "X Y Z"] = gaussian_filter(
        total.reshape(shape), BLUR_CELLS, truncate=3.0
    )
    return blurred


def _large_pieces(
    vertices: Float64[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]
) -> tuple[Float64[np.ndarray, "W 3"], Int32[np.ndarray, "G 3"]]:
    """Leave out crumbs; faces are turned outwards."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    label = connected_component_labels(  # type: ignore[no-untyped-call]  # untyped library
        sides, node_count=len(vertices)
    )
    size = np.bincount(label[faces[:, 0]])
    kept = faces[size[label[faces[:, 0]]] >= min(MIN_FACES, int(size.max()))]
    used, renamed = np.unique(kept, return_inverse=True)
    table, place = renamed.reshape(-1, 3), vertices[used]
    a, b, c = (place[table[:, k]] for k in range(3))
    if np.einsum("ij,ij->", np.cross(a, b), c) < 0:
        table = table[:, ::-1]
    return place, np.ascontiguousarray(table, np.int32)


def unit_normals(place: Points, faces: Int32[np.ndarray, "F 3"]) -> Points:
    """Return the vertices' outward normals; zero where none is defined."""
    found = igl.per_vertex_normals(np.ascontiguousarray(place), faces.astype(np.int64))
    normals: Points = np.nan_to_num(found)
    return normals
