"""Hair and beard of a posed person: a cap on the scalp, locks over it, tails and buns."""

from dataclasses import dataclass, replace
from functools import partial

import cv2
import igl
import numpy as np
from jaxtyping import Float64, Int32

from people.anny_assets import BODY_VERTICES
from people.figure import Color
from people.garment_surfaces import Points, canonical_places
from people.hair_locks import (
    RING,
    Head,
    Roots,
    find_head,
    grow_locks,
    ribbon_locks,
    spread_roots,
)
from people.hair_styles import CROWN, CUTS, TIES, Cut, above_hairline, inside_beard
from people.human_body import PosedBody
from people.human_mesh import piece_mesh
from people.pieces import Piece, TilePaint, close_sheet

STRIPS = 16
"""A tile shows so many kinds of lock beside each other."""
TILE_CM = (24.0, 24.0)
CAP_DEPTH_CM = 0.4
HAT_CAP_CM, HAT_LIFT_CM, HAT_RIM_CM = 0.1, 0.5, 160.0
WHITE: Color = (188, 186, 182)
GLOSS, MAX_LIGHT = 0.25, 1.15
"""How much lighter baked light makes the bend of a lock below its root."""
TAIL = Cut(
    "hang", 380, 30, 30, width=0.6, lift=0.4, stiff=0.45, segments=12, rough=0.1, rise=1.0,
)  # fmt: skip
BUN_CM, BUN_LOCKS, BUN_RINGS = 3.3, 260, 12
BEARDS = {
    "short_beard": Cut("crown", 2800, 1.3, 1.3, width=0.3, lift=0.5, stiff=0.5, segments=3,
                       fringe=True),
    "full_beard": Cut("crown", 1700, 4.5, 4.5, width=0.3, lift=1.3, stiff=0.35, segments=5,
                      fringe=True),
    "goatee": Cut("crown", 700, 1.8, 1.8, width=0.22, lift=0.6, stiff=0.5, segments=3,
                  fringe=True),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HairLook:
    """Colour of hair. roots: how much darker it is there, 0..1. grey: share of grey locks."""

    color: Color
    roots: float
    grey: float
    seed: int


def grow_hair(
    posed: PosedBody,
    style: str,
    look: HairLook,
    collider: tuple[Points, Int32[np.ndarray, "F 3"]],
    *,
    recede: float = 0.0,
    share: float = 1.0,
    hat: bool = False,
) -> Piece:
    """Grow a haircut of CUTS on a posed person; collider: skin and clothes that it lies on.

    share: of the locks that grow; fewer are wider. hat: none grow under it, all lie flat.
    """
    cut = replace(CUTS[style], cap=HAT_CAP_CM, lift=HAT_LIFT_CM) if hat else CUTS[style]
    rng = np.random.default_rng([look.seed, 31])
    skin = posed.vertices[:BODY_VERTICES].astype(np.float64)
    head = find_head(skin, *collider)
    place = canonical_places()[:BODY_VERTICES]
    above = np.where(place[:, 1] > 143, above_hairline(place, recede), -1.0)
    grows = np.clip(above + 0.4, 0, 1.4) * ((place[:, 1] < HAT_RIM_CM) | (not hat))
    roots = spread_roots(skin, grows, round(share * cut.locks), rng)
    height = np.clip((head.canonical(roots.place)[:, 1] - 155) / 7, 0, 1)
    length = (cut.side + (cut.top - cut.side) * height) * rng.uniform(0.75, 1.1, len(height))
    if cut.knot:
        gap = head.canonical(roots.place) - TIES[cut.knot]
        length = 1.12 * np.sqrt((gap**2).sum(axis=1))
    lines = grow_locks(head, roots, cut, length * head.size, rng)
    width = cut.width / np.sqrt(share) * rng.uniform(0.7, 1.3, len(lines))
    parts = [_cap(skin, above, cut, head), _locks(lines, width, roots.near, rng)]
    if style == "ponytail":
        parts.append(_tail(head, rng))
    if style == "bun":
        parts.append(_bun(head, rng))
    return _join("hair", parts, look)


def grow_beard(
    posed: PosedBody,
    kind: str,
    look: HairLook,
    collider: tuple[Points, Int32[np.ndarray, "F 3"]],
    *,
    share: float = 1.0,
) -> Piece:
    """Grow a beard of BEARDS."""
    cut, rng = BEARDS[kind], np.random.default_rng([look.seed, 37])
    skin = posed.vertices[:BODY_VERTICES].astype(np.float64)
    head = find_head(skin, *collider)
    place = canonical_places()[:BODY_VERTICES]
    inside = np.where(place[:, 1] > 139, inside_beard(place, full=kind != "goatee"), -1.0)
    roots = spread_roots(skin, np.clip(inside + 0.2, 0, 0.8), round(share * cut.locks), rng)
    length = cut.top * rng.uniform(0.6, 1.1, len(roots.place))
    lines = grow_locks(head, roots, cut, length * head.size, rng)
    width = cut.width / np.sqrt(share) * rng.uniform(0.7, 1.3, len(lines))
    return _join("beard", [_locks(lines, width, roots.near, rng)], look)


@dataclass(frozen=True, slots=True)
class _Part:
    vertices: Points
    faces: Int32[np.ndarray, "F 3"]
    uv: Float64[np.ndarray, "V 2"]
    near: Int32[np.ndarray, " V"]


def _locks(
    lines: Float64[np.ndarray, "L K 3"],
    width: Float64[np.ndarray, " L"],
    near: Int32[np.ndarray, " L"],
    rng: np.random.Generator,
) -> _Part:
    vertices, faces = ribbon_locks(lines, width)
    count, rings = lines.shape[:2]
    strip = rng.integers(STRIPS, size=(count, 1, 1))
    across = np.array([0.04, 0.96, 0.85, 0.15])[None, None, :]
    u = np.broadcast_to((strip + across) / STRIPS, (count, rings, RING))
    v = np.broadcast_to(np.linspace(0.99, 0.01, rings)[None, :, None], (count, rings, RING))
    uv = np.stack([u, v], axis=-1).reshape(-1, 2)
    return _Part(vertices, faces, uv, np.repeat(near, rings * RING))


def _tail(head: Head, rng: np.random.Generator) -> _Part:
    """Grow a tail from the knot."""
    knot = TIES["ponytail"] + rng.normal(0, 0.9, (TAIL.locks, 3))
    place = (knot - head.to_canonical[3]) @ np.linalg.inv(head.to_canonical[:3])
    start = np.array([0.0, 0.45, -1.0]) + 0.25 * rng.standard_normal((TAIL.locks, 3))
    roots = Roots(place, start @ head.turn.T, np.zeros(TAIL.locks, np.int32))
    length = TAIL.top * rng.uniform(0.7, 1.05, TAIL.locks)
    lines = grow_locks(head, roots, TAIL, length * head.size, rng)
    return _locks(lines, TAIL.width * rng.uniform(0.8, 1.4, TAIL.locks), roots.near, rng)


def _bun(head: Head, rng: np.random.Generator) -> _Part:
    """Wind locks around a ball at the knot."""
    centre = TIES["bun"] + np.array([0.0, 1.2, -1.6])
    axis = rng.standard_normal((BUN_LOCKS, 3)) * np.array([1.0, 0.7, 1.0])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    first = np.cross(axis, rng.standard_normal((BUN_LOCKS, 3)))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axis, first)
    angle = np.linspace(0, 3.6, BUN_RINGS)[None, :, None]
    radius = BUN_CM * rng.uniform(0.72, 1.04, (BUN_LOCKS, 1, 1))
    circle = np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None]
    lines = centre + radius * circle * np.array([1.05, 0.9, 1.0])
    world = (lines - head.to_canonical[3]) @ np.linalg.inv(head.to_canonical[:3])
    return _locks(world, rng.uniform(0.5, 0.9, BUN_LOCKS), np.zeros(BUN_LOCKS, np.int32), rng)


def _cap(skin: Points, above: Float64[np.ndarray, " 13380"], cut: Cut, head: Head) -> _Part:
    """Lay a closed layer over the scalp, thin at its edge, so that no skin shows between locks."""
    mesh = piece_mesh("skin", 1)
    padded = np.full(mesh.matrix.shape[1], -1.0)
    padded[:BODY_VERTICES] = above
    fine = mesh.matrix @ padded
    faces = mesh.faces[(fine[mesh.faces] > 0.1).all(axis=1)]
    own, faces = np.unique(faces, return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    whole = np.zeros((mesh.matrix.shape[1], 3))
    whole[:BODY_VERTICES] = skin
    surface = (mesh.matrix @ whole)[own]
    normals = np.nan_to_num(igl.per_vertex_normals(surface, faces.astype(np.int64)))
    ramp = np.clip(fine[own] / 2.5, 0, 1)
    surface = surface + (0.06 + cut.cap * ramp * ramp * (3 - 2 * ramp))[:, None] * normals
    sheet = close_sheet(surface, faces, faces, thickness_cm=cut.cap + CAP_DEPTH_CM, fine=False)
    place = head.canonical(sheet.vertices)
    away = place - CROWN
    u = np.abs(np.arctan2(away[:, 0], away[:, 2])) / np.pi
    v = 0.99 - 0.75 * np.clip(np.linalg.norm(away, axis=1) / 24, 0, 1)
    near = np.asarray(mesh.matrix[own].argmax(axis=1)).ravel()
    return _Part(
        sheet.vertices, sheet.faces, np.stack([np.clip(u, 0.01, 0.99), v], axis=1),
        np.concatenate([near, near]).astype(np.int32),
    )  # fmt: skip


def _join(name: str, parts: list[_Part], look: HairLook) -> Piece:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    return Piece(
        name=name,
        vertices=np.concatenate([part.vertices for part in parts]),
        faces=faces.astype(np.int32),
        uv=np.concatenate([part.uv for part in parts]),
        uv_faces=faces.astype(np.int32),
        tile_cm=TILE_CM,
        near=np.concatenate([part.near for part in parts]),
        paint=partial(paint_hair_tile, look),
    )


def paint_hair_tile(look: HairLook, rows: int, columns: int) -> TilePaint:
    """Paint strips of hair: fibres along v, every strip of its own tone, roots darker."""
    rng = np.random.default_rng([look.seed, 41])
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    strip = np.arange(columns) * STRIPS // columns
    coarse = rng.standard_normal((max(2, rows // 24), columns)).astype(np.float32)
    fibre = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    strips = rng.normal(1, 0.08, STRIPS).astype(np.float32)[strip]
    tone = strips[None, :] * (1 + 0.14 * fibre + 0.12 * (down - 0.5))
    tone = tone * (1 - look.roots * np.clip(1 - 4 * down, 0, 1))
    color = np.array(look.color, np.float32) * tone[..., None]
    share = np.clip(1.6 * look.grey + 0.2 * look.grey * fibre, 0, 0.95)[..., None]
    white = np.array(WHITE, np.float32) * (1 + 0.12 * fibre[..., None])
    color = color + share * (white - color)
    place = 0.22 + 0.05 * rng.standard_normal(STRIPS).astype(np.float32)[strip]
    gloss = np.exp(-(((down - place) / 0.12) ** 2)) * (1 + 0.5 * fibre)
    light = np.minimum(0.74 + 0.3 * np.clip(2.5 * down, 0, 1) + GLOSS * gloss, MAX_LIGHT)
    return TilePaint(np.clip(color, 4, 250).astype(np.float32), light.astype(np.float32))
