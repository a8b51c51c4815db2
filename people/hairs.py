"""Hair and beard of a posed person: a cap on the scalp, a fused lump of locks, stray wisps."""

from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
from jaxtyping import Float64, Int32
from scipy.spatial import cKDTree

from people.anny_assets import BODY_VERTICES
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
from people.hair_lump import Strokes, fuse_locks, gather_locks, join_strokes, unit_normals
from people.hair_paint import HairLook, Relief, lock_relief, paint_hair_tile, sample_relief
from people.hair_styles import CROWN, CUTS, HEAD_CENTRE, TIES, Cut, above_hairline, inside_beard
from people.human_body import PosedBody
from people.human_mesh import piece_mesh
from people.pieces import Piece, close_sheet, open_sides

TILE_CM = (30.0, 24.0)
CAP_DEPTH_CM = 0.4
CAP_OFF_CM, CAP_RIM_CM, CAP_DIVE = 0.06, 0.2, 0.4
"""A cap lies on the scalp and dives below the skin at the hairline, so that its edge is smooth."""
HAT_CAP_CM, HAT_LIFT_CM, HAT_RIM_CM = 0.1, 0.5, 160.0
CELL_CM, COARSE_CELL_CM, BEARD_CELL = 0.36, 0.6, 0.62
"""Grid of fused hair in full and in less detail; a beard's, of that."""
CAP_FROM = 0.12
"""How far down its locks a cap looks at the crown."""
PARTED_CM, RADIAL = 7.0, 0.014
HEAD_SKIN_CM = 138.0
WISP_WIDTH = 0.3
"""Of a lock's width: a stray one's."""
TAIL = Cut(
    "hang", 380, 30, 30, width=0.6, lift=0.4, stiff=0.45, segments=12, rough=0.1, rise=1.0,
    clumps=14,
)  # fmt: skip
BUN_CM, BUN_LOCKS, BUN_RINGS, BUN_WIDTH = 3.3, 260, 12, 0.9
BEARDS = {
    "short_beard": Cut("crown", 2800, 1.3, 1.3, width=0.34, lift=0.5, stiff=0.5, segments=3,
                       cap=0.2, fringe=True, curly=True, groove=0.3, cap_only=True, wisps=0.05,
                       ramp=1.6, frayed=0.3),
    "full_beard": Cut("crown", 1700, 4.5, 4.5, width=0.55, lift=1.1, stiff=0.35, segments=5,
                      cap=0.45, fringe=True, curly=True, groove=0.14, clumps=60, tight=0.3,
                      wisps=0.04, ramp=1.6, frayed=0.3),
    "goatee": Cut("crown", 700, 1.8, 1.8, width=0.34, lift=0.6, stiff=0.5, segments=3, cap=0.3,
                  fringe=True, curly=True, groove=0.3, cap_only=True, wisps=0.08, ramp=1.2,
                  frayed=0.25),
}  # fmt: skip


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
    across = _across(cut, head.canonical(roots.place))
    strokes = [_strokes(lines, width, across, cut)]
    if style == "ponytail":
        strokes.append(_tail(head, rng))
    if style == "bun":
        strokes.append(_bun(head, rng))
    relief = lock_relief(look.seed, curly=cut.curly)
    parts = [_cap(skin, above, cut, head=head, relief=relief, rng=rng)]
    if not cut.cap_only:
        parts.append(_lump(strokes, cut, relief, head, cell=_cell(share)))
        if cut.wisps:
            parts.append(_wisps(lines, width, across, roots.near, cut))
    return _join("hair", parts, look, relief)


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
    across = _across(cut, head.canonical(roots.place))
    relief = lock_relief(look.seed, curly=True)
    strokes = [_strokes(lines, width, across, cut)]
    parts = [_cap(skin, inside, cut, head=head, relief=relief, rng=rng)]
    if not cut.cap_only:
        parts.append(_lump(strokes, cut, relief, head, cell=BEARD_CELL * _cell(share)))
    parts.append(_wisps(lines, width, across, roots.near, cut))
    return _join("beard", parts, look, relief)


@dataclass(frozen=True, slots=True)
class _Part:
    vertices: Points
    faces: Int32[np.ndarray, "F 3"]
    uv: Float64[np.ndarray, "V 2"]
    near: Int32[np.ndarray, " V"]


def _cell(share: float) -> float:
    return CELL_CM if share == 1 else COARSE_CELL_CM


def _across(cut: Cut, place: Points) -> Float64[np.ndarray, " L"]:
    """Return 0..1 for canonical roots: alike where locks are combed beside each other."""
    away = place - CROWN
    if cut.flow == "part":
        return across_parted(place)
    if cut.flow == "back":
        away = np.array([0.0, 166.0, 13.0]) - place
    if cut.knot == "ponytail":
        away = (place - TIES[cut.knot])[:, [0, 2, 1]]
    bearing: Float64[np.ndarray, " L"] = np.abs(np.arctan2(away[:, 0], away[:, 2])) / np.pi
    return bearing


def across_parted(place: Points) -> Float64[np.ndarray, " N"]:
    """Return 0..1 across parted hair at canonical points: over the top aside, then down."""
    x, _, z = (place - HEAD_CENTRE).T
    aside = np.maximum(np.abs(x), PARTED_CM * np.clip((z + 3) / 6, 0, 1))
    # Curtains beside the face run along the radius: there it counts too.
    turn = np.arctan2(aside, z) / np.pi + RADIAL * np.hypot(x, z)
    folded: Float64[np.ndarray, " N"] = np.abs(np.mod(turn + 1, 2) - 1)
    return folded


def _strokes(
    lines: Float64[np.ndarray, "L K 3"],
    width: Float64[np.ndarray, " L"],
    across: Float64[np.ndarray, " L"],
    cut: Cut,
) -> Strokes:
    if cut.clumps:
        lines = gather_locks(lines, cut.tight, cut.clumps)
    count, rings = lines.shape[:2]
    along = np.broadcast_to(np.linspace(0, 1, rings), (count, rings))
    return Strokes(lines, width, np.repeat(across[:, None], rings, axis=1), along)


def _lump(strokes: list[Strokes], cut: Cut, relief: Relief, head: Head, *, cell: float) -> _Part:
    def parted(points: Points) -> Float64[np.ndarray, "V 2"]:
        place = head.canonical(points)
        down = (CROWN[1] + 2 - place[:, 1]) / (cut.top + PARTED_CM)
        return np.stack([across_parted(place), 0.08 + 0.92 * np.clip(down, 0, 1)], axis=1)

    drawn = parted if cut.flow == "part" else None
    lump = fuse_locks(join_strokes(strokes), cell, relief, cut.groove, drawn)
    return _Part(lump.vertices, lump.faces, _on_tile(lump.uv), _nearest_skin(head, lump.vertices))


def _on_tile(uv: Float64[np.ndarray, "V 2"]) -> Float64[np.ndarray, "V 2"]:
    """Return texture coordinates of places across and along locks: roots are at the top."""
    return np.stack([0.01 + 0.98 * uv[:, 0], 0.99 - 0.98 * uv[:, 1]], axis=1)


def _nearest_skin(head: Head, points: Points) -> Int32[np.ndarray, " V"]:
    """Return the base mesh's scalp vertex nearest to each point."""
    tree, numbers = scalp_tree()
    near: Int32[np.ndarray, " V"] = numbers[tree.query(head.canonical(points))[1]]
    return near


@cache
def scalp_tree() -> tuple[cKDTree, Int32[np.ndarray, " n"]]:
    """Return the canonical skin of the head, and its vertices' numbers."""
    place = canonical_places()[:BODY_VERTICES]
    numbers = np.flatnonzero(place[:, 1] > HEAD_SKIN_CM).astype(np.int32)
    return cKDTree(place[numbers]), numbers


def _wisps(
    lines: Float64[np.ndarray, "L K 3"],
    width: Float64[np.ndarray, " L"],
    across: Float64[np.ndarray, " L"],
    near: Int32[np.ndarray, " L"],
    cut: Cut,
) -> _Part:
    """Return stray locks, which make the outline ragged; the outermost are the last."""
    step = max(1, round(1 / cut.wisps))
    own = slice(len(lines) // 3, None, step)
    lines, across = lines[own], across[own]
    vertices, faces = ribbon_locks(lines, WISP_WIDTH * width[own])
    count, rings = lines.shape[:2]
    u = np.broadcast_to(across[:, None, None], (count, rings, RING))
    v = np.broadcast_to(np.linspace(0, 1, rings)[None, :, None], (count, rings, RING))
    uv = _on_tile(np.stack([u, v], axis=-1).reshape(-1, 2))
    return _Part(vertices, faces, uv, np.repeat(near[own], rings * RING))


def _tail(head: Head, rng: np.random.Generator) -> Strokes:
    """Grow a tail from the knot."""
    offset = rng.normal(0, 0.9, (TAIL.locks, 3))
    place = (TIES["ponytail"] + offset - head.to_canonical[3]) @ np.linalg.inv(
        head.to_canonical[:3]
    )
    start = np.array([0.0, 0.45, -1.0]) + 0.25 * rng.standard_normal((TAIL.locks, 3))
    roots = Roots(place, start @ head.turn.T, np.zeros(TAIL.locks, np.int32))
    length = TAIL.top * rng.uniform(0.7, 1.05, TAIL.locks)
    lines = grow_locks(head, roots, TAIL, length * head.size, rng)
    across = np.abs(np.arctan2(offset[:, 0], offset[:, 2])) / np.pi
    return _strokes(lines, TAIL.width * rng.uniform(0.8, 1.4, TAIL.locks), across, TAIL)


def _bun(head: Head, rng: np.random.Generator) -> Strokes:
    """Wind locks around a ball at the knot."""
    centre = TIES["bun"] + np.array([0.0, 1.2, -1.6])
    axis = rng.standard_normal((BUN_LOCKS, 3)) * np.array([1.0, 0.7, 1.0])
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    first = np.cross(axis, rng.standard_normal((BUN_LOCKS, 3)))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axis, first)
    angle = np.linspace(0, 3.6, BUN_RINGS)[None, :, None]
    radius = BUN_CM * rng.uniform(0.5, 1.0, (BUN_LOCKS, 1, 1))
    circle = np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None]
    away = radius * circle * np.array([1.05, 0.9, 1.0])
    world = head.world(centre + away)
    bearing = np.abs(np.arctan2(away[..., 0], away[..., 1])) / np.pi
    along = 0.55 + 0.08 * away[..., 2] / BUN_CM
    return Strokes(world, np.full(BUN_LOCKS, BUN_WIDTH), bearing, along)


def _cap(
    skin: Points,
    inside: Float64[np.ndarray, " 13380"],
    cut: Cut,
    *,
    head: Head,
    relief: Relief,
    rng: np.random.Generator,
) -> _Part:
    """Lay a closed layer over the skin, so that none shows between locks, or as cropped hair.

    inside: how far inside the outline base vertices lie, centimetres.
    """
    mesh = piece_mesh("skin", 1)
    padded = np.full(mesh.matrix.shape[1], -1.0)
    padded[:BODY_VERTICES] = inside + cut.frayed * rng.standard_normal(BODY_VERTICES)
    fine = mesh.matrix @ padded
    table = without_pinches(mesh.faces[(fine[mesh.faces] > CAP_RIM_CM).any(axis=1)])
    own, faces = np.unique(table, return_inverse=True)
    faces = faces.reshape(-1, 3).astype(np.int32)
    whole = np.zeros((mesh.matrix.shape[1], 3))
    whole[:BODY_VERTICES] = skin
    surface = (mesh.matrix @ whole)[own]
    ramp = np.clip(fine[own] / cut.ramp, 0, 1)
    off = CAP_OFF_CM + cut.cap * ramp * ramp * (3 - 2 * ramp)
    off += CAP_DIVE * np.minimum(fine[own] - CAP_RIM_CM, 0)
    surface = surface + np.maximum(off, -CAP_DEPTH_CM)[:, None] * unit_normals(surface, faces)
    sheet = close_sheet(surface, faces, faces, thickness_cm=cut.cap + CAP_DEPTH_CM)
    place = head.canonical(sheet.vertices)
    along = np.clip(np.linalg.norm(place - CROWN, axis=1) / 24, 0, 1)
    uv = np.stack([_across(cut, place), CAP_FROM + (1 - CAP_FROM) * along], axis=1)
    rough = np.asarray(sheet.source @ ramp)
    rough = rough * 0.5 * min(cut.groove, cut.cap) * sample_relief(relief, uv)
    outside = np.arange(len(place)) < len(place) - len(own)
    bumps = np.where(outside, rough, 0.0)[:, None] * unit_normals(sheet.vertices, sheet.faces)
    near = np.asarray(mesh.matrix[own].argmax(axis=1)).ravel()
    near = near[np.asarray(sheet.source.argmax(axis=1)).ravel()]
    return _Part(sheet.vertices + bumps, sheet.faces, _on_tile(uv), near.astype(np.int32))


def without_pinches(faces: Int32[np.ndarray, "F 3"]) -> Int32[np.ndarray, "G 3"]:
    """Leave out triangles at vertices where rims touch, until no rim does."""
    while True:
        face, corner = open_sides(faces)
        meets = np.bincount(faces[face, corner], minlength=int(faces.max()) + 1)
        pinched = (meets > 1)[faces].any(axis=1)
        if not pinched.any():
            return faces
        faces = faces[~pinched]


def _join(name: str, parts: list[_Part], look: HairLook, relief: Relief) -> Piece:
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
        paint=partial(paint_hair_tile, look, relief),
    )
