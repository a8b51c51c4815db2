"""Hair and beard of a posed person: a cap on the scalp, a fused lump of locks, stray wisps."""

from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, Int32
from scipy.spatial import cKDTree

from people.anny_assets import BODY_VERTICES
from people.garment_surfaces import Points, canonical_places
from people.hair_cap import Part, lay_cap
from people.hair_layout import PARTED_CM, across, across_parted, on_tile
from people.hair_locks import (
    RING,
    Head,
    Roots,
    find_head,
    grow_locks,
    ribbon_locks,
    spread_roots,
)
from people.hair_lump import Lump, Strokes, fuse_locks, gather_locks, join_strokes
from people.hair_mold import Mold
from people.hair_paint import HairLook, Relief, lock_relief, paint_hair_tile
from people.hair_styles import CROWN, CUTS, TIES, Cut, above_hairline, inside_beard
from people.human_body import PosedBody
from people.pieces import Piece

TILE_CM, BEARD_TILE_CM = (30.0, 24.0), (12.0, 12.0)
HAT_CAP_CM, HAT_LIFT_CM, HAT_RIM_CM = 0.1, 0.5, 160.0
CELL_CM, COARSE_CELL_CM, BEARD_CELL = 0.36, 0.6, 0.62
"""Grid of fused hair in full and in less detail; a beard's, of that."""
HEAD_SKIN_CM = 138.0
"""Canonical height from which skin counts as the head's."""
WISP_WIDTH = 0.3
"""Of a lock's width: a stray one's."""
TAIL = Cut(
    "hang", 380, 30, 30, width=0.6, lift=0.4, stiff=0.45, segments=12, rough=0.1, rise=1.0,
    clumps=14,
)  # fmt: skip
BUN_CM, BUN_LOCKS, BUN_RINGS, BUN_WIDTH = 3.3, 260, 12, 0.9
BEARDS = {
    "short_beard": Cut("chin", 2800, 1.3, 1.3, width=0.34, lift=0.5, stiff=0.5, segments=3,
                       cap=0.2, fringe=True, curly=True, groove=0.3, cap_only=True, wisps=0.05,
                       ramp=1.6, frayed=0.3),
    "full_beard": Cut("chin", 1700, 4.5, 4.5, width=0.55, lift=1.1, stiff=0.35, segments=5,
                      cap=0.45, fringe=True, curly=True, groove=0.14, clumps=60, tight=0.3,
                      wisps=0.04, ramp=1.6, frayed=0.3),
    "goatee": Cut("chin", 700, 1.8, 1.8, width=0.34, lift=0.6, stiff=0.5, segments=3, cap=0.3,
                  fringe=True, curly=True, groove=0.3, cap_only=True, wisps=0.08, ramp=1.2,
                  frayed=0.25),
}  # fmt: skip


class Locks(NamedTuple):
    """Locks of K points, in centimetres. beside: where across its tile each is painted, 0 to 1."""

    lines: Float64[np.ndarray, "L K 3"]
    width: Float64[np.ndarray, " L"]
    beside: Float64[np.ndarray, " L"]


def grow_hair(
    posed: PosedBody,
    style: str,
    look: HairLook,
    collider: tuple[Points, Int32[np.ndarray, "F 3"]],
    *,
    recede: float = 0.0,
    share: float = 1.0,
    hat: bool = False,
    mold: Mold | None = None,
) -> Piece:
    """Grow a haircut of CUTS on a posed person; collider: skin and clothes that it lies on.

    share: of the locks that grow; fewer are wider. hat: none grow under it, all lie flat.
    mold: where the same person has the same mesh in several poses.
    """
    cut = replace(CUTS[style], cap=HAT_CAP_CM, lift=HAT_LIFT_CM) if hat else CUTS[style]
    rng = np.random.default_rng([look.seed, 31])
    skin = posed.vertices[:BODY_VERTICES].astype(np.float64)
    head = find_head(skin, *collider)
    place = canonical_places()[:BODY_VERTICES]
    above = np.where(place[:, 1] > 143, above_hairline(place, recede), -1.0)
    grows = np.clip(above + 0.4, 0, 1.4) * ((place[:, 1] < HAT_RIM_CM) | (not hat))
    areas = mold.skin(skin) if mold else skin
    roots = spread_roots(skin, grows, round(share * cut.locks), rng, areas)
    height = np.clip((head.canonical(roots.place)[:, 1] - 155) / 7, 0, 1)
    length = (cut.side + (cut.top - cut.side) * height) * rng.uniform(0.75, 1.1, len(height))
    if cut.knot:
        gap = head.canonical(roots.place) - TIES[cut.knot]
        length = 1.12 * np.sqrt((gap**2).sum(axis=1))
    locks = _grow_locks(head, roots, cut, length, share=share, rng=rng)
    strokes = [_strokes(locks, cut)]
    if style == "ponytail":
        strokes.append(_tail(head, rng))
    if style == "bun":
        strokes.append(_bun(head, rng))
    relief = lock_relief(look.seed, curly=cut.curly)
    parts = [lay_cap(skin, above, cut, head=head, relief=relief, rng=rng, fine=share == 1)]
    if not cut.cap_only:
        parts.append(_lump(strokes, cut, relief, head, cell=_cell(share), mold=mold))
        if cut.wisps:
            parts.append(_wisps(locks, roots.near, cut))
    return _join("hair", parts, look, relief)


def grow_beard(
    posed: PosedBody,
    kind: str,
    look: HairLook,
    collider: tuple[Points, Int32[np.ndarray, "F 3"]],
    *,
    share: float = 1.0,
    mold: Mold | None = None,
) -> Piece:
    """Grow a beard of BEARDS; mold: as of `grow_hair`."""
    cut, rng = BEARDS[kind], np.random.default_rng([look.seed, 37])
    skin = posed.vertices[:BODY_VERTICES].astype(np.float64)
    head = find_head(skin, *collider)
    place = canonical_places()[:BODY_VERTICES]
    inside = np.where(place[:, 1] > 139, inside_beard(place, full=kind != "goatee"), -1.0)
    areas, grows = mold.skin(skin) if mold else skin, np.clip(inside + 0.2, 0, 0.8)
    roots = spread_roots(skin, grows, round(share * cut.locks), rng, areas)
    length = cut.top * rng.uniform(0.6, 1.1, len(roots.place))
    locks = _grow_locks(head, roots, cut, length, share=share, rng=rng)
    relief = lock_relief(look.seed, curly=True)
    strokes = [_strokes(locks, cut)]
    parts = [lay_cap(skin, inside, cut, head=head, relief=relief, rng=rng, fine=share == 1)]
    if not cut.cap_only:
        cell = BEARD_CELL * _cell(share)
        parts.append(_lump(strokes, cut, relief, head, cell=cell, mold=mold))
    parts.append(_wisps(locks, roots.near, cut))
    return _join("beard", parts, look, relief)


def _cell(share: float) -> float:
    return CELL_CM if share == 1 else COARSE_CELL_CM


def _grow_locks(
    head: Head,
    roots: Roots,
    cut: Cut,
    length: Float64[np.ndarray, " L"],
    *,
    share: float,
    rng: np.random.Generator,
) -> Locks:
    lines = grow_locks(head, roots, cut, length * head.size, rng)
    width = cut.width / np.sqrt(share) * rng.uniform(0.7, 1.3, len(lines))
    return Locks(lines, width, across(cut, head.canonical(roots.place)))


def _strokes(locks: Locks, cut: Cut) -> Strokes:
    free = lines = locks.lines
    if cut.clumps:
        lines = gather_locks(lines, cut.tight, cut.clumps)
    count, rings = lines.shape[:2]
    along = np.broadcast_to(np.linspace(0, 1, rings), (count, rings))
    beside = np.repeat(locks.beside[:, None], rings, axis=1)
    return Strokes(lines, free, locks.width, beside, along)


def _fuse(strokes: list[Strokes], cut: Cut, relief: Relief, head: Head, *, cell: float) -> Lump:
    def parted(points: Points) -> Float64[np.ndarray, "V 2"]:
        place = head.canonical(points)
        down = (CROWN[1] + 2 - place[:, 1]) / (cut.top + PARTED_CM)
        return np.stack([across_parted(place), 0.08 + 0.92 * np.clip(down, 0, 1)], axis=1)

    drawn = parted if cut.flow == "part" else None
    return fuse_locks(join_strokes(strokes), cell, relief, cut.groove, drawn)


def _lump(
    strokes: list[Strokes],
    cut: Cut,
    relief: Relief,
    head: Head,
    *,
    cell: float,
    mold: Mold | None,
) -> Part:
    fuse = partial(_fuse, strokes, cut, relief, head, cell=cell)
    lump = mold.shape(strokes, head, fuse) if mold else fuse()
    return Part(lump.vertices, lump.faces, on_tile(lump.uv), _nearest_skin(head, lump.vertices))


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


def _wisps(locks: Locks, near: Int32[np.ndarray, " L"], cut: Cut) -> Part:
    """Return stray locks, which make the outline ragged; the outermost are the last."""
    step = max(1, round(1 / cut.wisps))
    own = slice(len(locks.lines) // 3, None, step)
    lines, beside = locks.lines[own], locks.beside[own]
    vertices, faces = ribbon_locks(lines, WISP_WIDTH * locks.width[own])
    count, rings = lines.shape[:2]
    u = np.broadcast_to(beside[:, None, None], (count, rings, RING))
    v = np.broadcast_to(np.linspace(0, 1, rings)[None, :, None], (count, rings, RING))
    uv = on_tile(np.stack([u, v], axis=-1).reshape(-1, 2))
    return Part(vertices, faces, uv, np.repeat(near[own], rings * RING))


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
    beside = np.abs(np.arctan2(offset[:, 0], offset[:, 2])) / np.pi
    return _strokes(Locks(lines, TAIL.width * rng.uniform(0.8, 1.4, TAIL.locks), beside), TAIL)


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
    return Strokes(world, world, np.full(BUN_LOCKS, BUN_WIDTH), bearing, along)


def _join(name: str, parts: list[Part], look: HairLook, relief: Relief) -> Piece:
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    faces = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=True)])
    return Piece(
        name=name,
        vertices=np.concatenate([part.vertices for part in parts]),
        faces=faces.astype(np.int32),
        uv=np.concatenate([part.uv for part in parts]),
        uv_faces=faces.astype(np.int32),
        tile_cm=TILE_CM if name == "hair" else BEARD_TILE_CM,
        near=np.concatenate([part.near for part in parts]),
        paint=partial(paint_hair_tile, look, relief),
    )
