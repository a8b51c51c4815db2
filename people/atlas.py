"""One UV atlas without overlaps: every chart is a Tutte embedding in its own cell.

A disc whose boundary goes round a convex shape and whose inner vertices are positively weighted
means of their neighbours cannot fold. Sources: W. T. Tutte, "How to draw a graph", 1963;
M. S. Floater, "Mean value coordinates", 2003 (the weights).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32
from scipy import sparse
from scipy.sparse.linalg import spsolve

from people.densepose_parts import (
    CELL_UNITS,
    CELLS,
    HALVES,
    Islands,
    chart_directions,
    connected_pieces,
    face_pairs,
)
from people.meshing import Faces, edges_of, label_pieces
from people.shapes import Points
from schemas.scan import Charts

BULGE = 0.02
"""How far a chart's sides are bowed: a straight side would flatten triangles that lie along it."""
MARGIN = 0.012
"""Free rim of a cell, in cells: the gutter."""
SPLIT_DEPTH = 8
UvFaces = Int32[np.ndarray, "F 3"]


@dataclass(frozen=True, slots=True)
class Atlas:
    """Texture coordinates with seams.

    uv: u right, v up, 0..1 over the whole atlas. chart_uv: 0..1 over the vertex's own part.
    faces: into uv. parts: DensePose part of each face. vertex: mesh vertex of each uv row.
    """

    uv: Float64[np.ndarray, "T 2"]
    chart_uv: Float64[np.ndarray, "T 2"]
    faces: UvFaces
    parts: Int32[np.ndarray, " F"]
    vertex: Int32[np.ndarray, " T"]


def charts_of(atlas: Atlas) -> Charts:
    """Return the DensePose charts of the atlas' faces."""
    return Charts(
        part=atlas.parts.astype(np.uint8),
        uv=np.clip(atlas.chart_uv[atlas.faces], 0, 1).astype(np.float32),
    )


def build_atlas(rest: Points, faces: Faces, islands: Islands) -> Atlas:
    """Unfold every island into its part's cell."""
    pieces = _split_to_discs(rest, faces, islands)
    uv_faces, vertex = _cut_seams(faces, pieces)
    chart = np.zeros((len(vertex), 2))
    parts = islands // HALVES
    for part in np.unique(parts):
        own = np.unique(pieces[parts == part])
        for column, piece in enumerate(own):
            rows = np.flatnonzero(pieces == piece)
            directions = chart_directions(int(islands[rows[0]]))
            square = _unfold(rest[vertex].astype(np.float64), uv_faces[rows], directions)
            square[:, 0] = (column + MARGIN + (1 - 2 * MARGIN) * square[:, 0]) / len(own)
            chart[np.unique(uv_faces[rows])] = square
    part_of_vertex = np.zeros(len(vertex), np.int32)
    part_of_vertex[uv_faces.ravel()] = np.repeat(parts, 3)
    uv = _into_cells(chart, part_of_vertex)
    return Atlas(uv, chart, uv_faces, parts.astype(np.int32), vertex)


def _into_cells(
    chart: Float64[np.ndarray, "T 2"], parts: Int32[np.ndarray, " T"]
) -> Float64[np.ndarray, "T 2"]:
    cells = np.zeros((max(CELLS) + 1, 4))
    for part, cell in CELLS.items():
        cells[part] = np.array(cell) / CELL_UNITS
    own = cells[parts]
    placed: Float64[np.ndarray, "T 2"] = own[:, :2] + own[:, 2:] * (
        MARGIN + (1 - 2 * MARGIN) * chart
    )
    return placed


def _cut_seams(faces: Faces, pieces: Islands) -> tuple[UvFaces, Int32[np.ndarray, " T"]]:
    """Join the corners of faces across every edge inside a piece: what stays apart is a seam."""
    corner = np.arange(faces.size).reshape(-1, 3)
    start, stop = faces[:, [0, 1, 2]].ravel(), faces[:, [1, 2, 0]].ravel()
    from_corner, to_corner = corner.ravel(), corner[:, [1, 2, 0]].ravel()
    order = np.lexsort((np.maximum(start, stop), np.minimum(start, stop)))
    first, second = order[0::2], order[1::2]
    inside = pieces[first // 3] == pieces[second // 3]
    first, second = first[inside], second[inside]
    rows = np.r_[from_corner[first], to_corner[first]]
    columns = np.r_[to_corner[second], from_corner[second]]
    label = label_pieces(np.stack([rows, columns], axis=1), faces.size)
    vertex = np.zeros(label.max() + 1, np.int32)
    vertex[label] = faces.ravel()
    return label.reshape(-1, 3), vertex


def _split_to_discs(rest: Points, faces: Faces, islands: Islands) -> Islands:
    """Cut islands that are no discs by planes until all are; most need no cut."""
    pairs = face_pairs(faces)
    pieces = connected_pieces(islands, pairs)
    centre = rest[faces].mean(axis=1)
    for _ in range(SPLIT_DEPTH):
        uv_faces, _ = _cut_seams(faces, pieces)
        wrong = [p for p in range(pieces.max() + 1) if not _is_disc(uv_faces[pieces == p])]
        if not wrong:
            break
        halves = 2 * pieces
        for piece in wrong:
            rows = np.flatnonzero(pieces == piece)
            spread = np.ptp(centre[rows], axis=0).argmax()
            along = centre[rows, spread]
            halves[rows] += along > np.median(along)
        pieces = connected_pieces(halves, pairs)
    return pieces


def _is_disc(triangles: UvFaces) -> bool:
    edges = np.sort(edges_of(triangles), axis=1)
    euler = len(np.unique(triangles)) - len(np.unique(edges, axis=0)) + len(triangles)
    return euler == 1


def _unfold(
    points: Float64[np.ndarray, "T 3"],
    triangles: UvFaces,
    directions: Float64[np.ndarray, "2 3"],
) -> Float64[np.ndarray, "n 2"]:
    """Return the unit-square place of the piece's vertices, in ascending order of their index."""
    own, local = np.unique(triangles, return_inverse=True)
    local = local.reshape(-1, 3).astype(np.int32)
    place = points[own]
    loop = _boundary_loop(local)
    rim = _round_the_square(place[loop], directions)
    weights = _mean_value_weights(place, local)
    inner = np.setdiff1d(np.arange(len(own)), loop)
    uv = np.zeros((len(own), 2))
    uv[loop] = rim
    if len(inner):
        right = -weights[inner][:, loop] @ rim
        uv[inner] = spsolve(weights[inner][:, inner].tocsc(), right)
    return uv


def _boundary_loop(triangles: UvFaces) -> Int32[np.ndarray, " L"]:
    start, stop = triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()
    count = int(triangles.max()) + 1
    alone = np.flatnonzero(~np.isin(start * count + stop, stop * count + start))
    following = dict(zip(start[alone].tolist(), stop[alone].tolist(), strict=True))
    loop = [min(following)]
    while (nearest := following[loop[-1]]) != loop[0]:
        loop.append(nearest)
    return np.array(loop, np.int32)


def _round_the_square(
    rim: Float64[np.ndarray, "L 3"], directions: Float64[np.ndarray, "2 3"]
) -> Float64[np.ndarray, "L 2"]:
    """Spread a boundary loop, by its length, over the four bowed sides of the unit square."""
    flat = rim @ directions.T
    flat = (flat - flat.mean(axis=0)) / (np.ptp(flat, axis=0) + 1e-9)
    following = np.roll(flat, -1, axis=0)
    if (flat[:, 0] * following[:, 1] - flat[:, 1] * following[:, 0]).sum() < 0:
        flat[:, 0] *= -1
    corners = _four_corners(flat)
    length = np.linalg.norm(np.roll(rim, -1, axis=0) - rim, axis=1) + 1e-9
    places = np.zeros((len(rim), 2))
    for side in range(4):
        first, last = corners[side], corners[(side + 1) % 4]
        rows = np.arange(first, last if last > first else last + len(rim)) % len(rim)
        share = np.r_[0, np.cumsum(length[rows])[:-1]] / length[rows].sum()
        places[rows] = _on_side(side, share)
    return places


def _four_corners(flat: Float64[np.ndarray, "L 2"]) -> list[int]:
    """Choose the loop's lower left, lower right, upper right and upper left vertex."""
    expected = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    corners = [int((flat @ np.array(sign)).argmax()) for sign in expected]
    turns = [(corner - corners[0]) % len(flat) for corner in corners]
    if all(turns[i] < turns[i + 1] for i in range(3)):
        return corners
    quarter = len(flat) / 4
    return [(corners[0] + int(side * quarter)) % len(flat) for side in range(4)]


def _on_side(side: int, share: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n 2"]:
    along = BULGE + (1 - 2 * BULGE) * share
    across = BULGE * (1 - 4 * share * (1 - share))
    sides = ((along, across), (1 - across, along), (1 - along, 1 - across), (across, 1 - along))
    return np.stack(sides[side], axis=1)


def _mean_value_weights(place: Float64[np.ndarray, "n 3"], triangles: UvFaces) -> sparse.csr_matrix:
    """Return the matrix whose rows say: a vertex is the weighted mean of its neighbours."""
    count = len(place)
    rows, columns, values = [], [], []
    for corner in range(3):
        i, j, k = (triangles[:, (corner + shift) % 3] for shift in range(3))
        to_j, to_k = place[j] - place[i], place[k] - place[i]
        length_j = np.linalg.norm(to_j, axis=1) + 1e-9
        length_k = np.linalg.norm(to_k, axis=1) + 1e-9
        cosine = np.clip((to_j * to_k).sum(axis=1) / (length_j * length_k), -0.98, 1)
        tangent = np.sqrt((1 - cosine) / (1 + cosine)) + 0.02
        rows += [i, i]
        columns += [j, k]
        values += [tangent / length_j, tangent / length_k]
    data = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    weights = sparse.csr_matrix(data, shape=(count, count))
    total = np.asarray(weights.sum(axis=1)).ravel()
    matrix: sparse.csr_matrix = sparse.diags(total) - weights
    return matrix.tocsr()
