"""One mesh and one atlas of all the surfaces of a person: skin, eyes, mouth, clothes, hair.

Clothes and hair take over the DensePose chart of the skin that they lie on.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import cKDTree

from people.anny_assets import BODY_VERTICES
from people.atlas import Atlas
from people.human_charts import average_body, skin_charts
from people.human_mesh import PieceName, piece_mesh
from people.skin_layout import placed_uv

PARTS = 24


@dataclass(frozen=True, slots=True)
class Surface:
    """One closed surface of a person.

    label: what it is: `skin`, `eyes`, `mouth`, `hair`, `beard` or a kind of garment. uv: in the
    person's texture, u right, v up. corner_charts: U and V of each face's corners. parts: 1..24.
    """

    name: str
    label: str
    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    uv: Float64[np.ndarray, "T 2"]
    uv_faces: Int32[np.ndarray, "F 3"]
    parts: Int32[np.ndarray, " F"]
    corner_charts: Float32[np.ndarray, "F 3 2"]


def skin_surface(
    base: Float32[np.ndarray, "19158 3"], level: int, keep: np.ndarray | None = None
) -> Surface:
    """Return the skin of posed base vertices; keep: of its faces, None for all."""
    mesh, charts = piece_mesh("skin", level), skin_charts(level)
    faces, uv_faces, parts = mesh.faces, mesh.uv_faces, charts.parts
    corners = charts.uv[charts.faces].astype(np.float32)
    if keep is not None:
        faces, uv_faces, parts, corners = (rows[keep] for rows in (faces, uv_faces, parts, corners))
    vertices = mesh.place(base).astype(np.float64)
    return Surface(
        "skin", "skin", vertices, faces, placed_uv("skin", level), uv_faces, parts, corners
    )


def inner_surface(base: Float32[np.ndarray, "19158 3"], piece: PieceName, level: int) -> Surface:
    """Return an eyeball, teeth or the tongue of posed base vertices."""
    mesh = piece_mesh(piece, level)
    near = _nearest_skin(piece, level)
    parts, corners = charts_near(near, mesh.faces)
    label = "eyes" if piece.endswith("eye") else "mouth"
    vertices = mesh.place(base).astype(np.float64)
    uv = placed_uv(piece, level)
    return Surface(piece, label, vertices, mesh.faces, uv, mesh.uv_faces, parts, corners)


@cache
def _nearest_skin(piece: PieceName, level: int) -> Int32[np.ndarray, " V"]:
    rest = average_body().rest
    place = piece_mesh(piece, level).place(rest)
    return np.asarray(cKDTree(rest[:BODY_VERTICES]).query(place)[1], np.int32)


def charts_near(
    near: Int32[np.ndarray, " V"], faces: Int32[np.ndarray, "F 3"]
) -> tuple[Int32[np.ndarray, " F"], Float32[np.ndarray, "F 3 2"]]:
    """Return part, and U and V at the corners, of faces that lie on the skin.

    near: the nearest skin vertex of the base mesh to each vertex.
    """
    own, table = _chart_table()
    corner = own[near[faces]]
    agreed = np.where(corner[:, 1] == corner[:, 2], corner[:, 1], corner[:, 0])
    return agreed.astype(np.int32), table[near[faces], agreed[:, None]]


@cache
def _chart_table() -> tuple[Int32[np.ndarray, " 13380"], Float32[np.ndarray, "13380 25 2"]]:
    """Return each skin vertex' part, and its U and V in every part: those of the nearest in it."""
    charts, mesh = skin_charts(0), piece_mesh("skin", 0)
    rest = mesh.place(average_body().rest)
    own = np.zeros(BODY_VERTICES, np.int32)
    table = np.zeros((BODY_VERTICES, PARTS + 1, 2), np.float32)
    for part in range(1, PARTS + 1):
        rows = charts.parts == part
        vertices, first = np.unique(mesh.faces[rows], return_index=True)
        own[vertices] = part
        uv = charts.uv[charts.faces[rows].ravel()[first]]
        table[:, part] = uv[cKDTree(rest[vertices]).query(rest)[1]]
    return own, table


def join_surfaces(
    surfaces: tuple[Surface, ...],
) -> tuple[Float64[np.ndarray, "V 3"], Int32[np.ndarray, "F 3"], Atlas]:
    """Return vertices, faces and atlas of all surfaces together."""
    counts = np.cumsum([0, *(len(surface.vertices) for surface in surfaces)])
    atlases = [_surface_atlas(surface) for surface in surfaces]
    uv_counts = np.cumsum([0, *(len(atlas.uv) for atlas in atlases)])
    faces = [surface.faces + start for surface, start in zip(surfaces, counts[:-1], strict=True)]
    atlas = Atlas(
        uv=np.concatenate([atlas.uv for atlas in atlases]),
        chart_uv=np.concatenate([atlas.chart_uv for atlas in atlases]),
        faces=np.concatenate(
            [atlas.faces + start for atlas, start in zip(atlases, uv_counts[:-1], strict=True)]
        ).astype(np.int32),
        parts=np.concatenate([atlas.parts for atlas in atlases]),
        vertex=np.concatenate(
            [atlas.vertex + start for atlas, start in zip(atlases, counts[:-1], strict=True)]
        ).astype(np.int32),
    )
    vertices = np.concatenate([surface.vertices for surface in surfaces])
    return vertices, np.concatenate(faces).astype(np.int32), atlas


def _surface_atlas(surface: Surface) -> Atlas:
    """Return a surface's atlas: a row for each texture coordinate, part and place in the chart."""
    chart = np.round(surface.corner_charts.reshape(-1, 2) * 2**20).astype(np.int64)
    key = np.repeat(surface.parts, 3).astype(np.int64)
    for column in (chart[:, 0], chart[:, 1]):
        key = key * (2**20 + 1) + column
    uv_row = surface.uv_faces.ravel().astype(np.int64)
    order = np.lexsort((key, uv_row))
    new = np.r_[True, (np.diff(uv_row[order]) != 0) | (np.diff(key[order]) != 0)]
    row = np.zeros(len(order), np.int32)
    row[order] = np.cumsum(new) - 1
    first = order[new]
    return Atlas(
        uv=surface.uv[uv_row[first]],
        chart_uv=surface.corner_charts.reshape(-1, 2)[first].astype(np.float64),
        faces=row.reshape(-1, 3),
        parts=surface.parts,
        vertex=surface.faces.ravel()[first].astype(np.int32),
    )
