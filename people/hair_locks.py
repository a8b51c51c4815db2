"""Hair as locks: thin closed ribbons that grow from the scalp, lie over one another and hang.

All locks of a head grow at once, a segment at a time: each takes its direction from the last, from
the way it is combed, and from gravity, and is kept outside of head, shoulders and clothes.
"""

from dataclasses import dataclass

import igl
import numpy as np
from jaxtyping import Float64, Int32

from people.garment_surfaces import Points, canonical_places
from people.hair_styles import CROWN, HEAD_CENTRE, TIES, Cut
from people.human_mesh import piece_mesh

RING = 4
"""Corners of a lock's section."""
SKULL_CM = 151.0
"""Below this canonical height a lock hangs; above it lies on the skull."""
FACE_HALF_CM, FACE_TOP_CM, FACE_Z_CM = 6.6, 161.0, 8.0
"""Hair that is not a fringe stays out of this box."""
PART_X_CM = 1.5
ROOT_DEPTH_CM = 0.25
TIP_WIDTH = 0.25
THICK_SHARE, FLAT_SHARE = 0.05, 0.76
"""Of a lock's width: how thick it is, and how much of its outside is flat, so that neighbours shade
as one smooth surface."""
HUG, HUG_CM = 0.55, 149.0
"""How much parted hair is drawn to the head, above this canonical height."""
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Head:
    """A posed head. turn: columns are canonical axes in the world. to_canonical: affine, (4, 3).

    vertices, faces: what hair stays outside of. size: of this head over the canonical one.
    """

    vertices: Points
    faces: Int32[np.ndarray, "F 3"]
    turn: Float64[np.ndarray, "3 3"]
    to_canonical: Float64[np.ndarray, "4 3"]
    size: float

    def canonical(self, points: Points) -> Points:
        """Return where points would be around the unshaped head."""
        places: Points = points @ self.to_canonical[:3] + self.to_canonical[3]
        return places

    def world(self, places: Float64[np.ndarray, "*_ 3"]) -> Float64[np.ndarray, "*_ 3"]:
        """Undo `canonical`."""
        moved: Float64[np.ndarray, "*_ 3"] = (places - self.to_canonical[3]) @ np.linalg.inv(
            self.to_canonical[:3]
        )
        return moved


@dataclass(frozen=True, slots=True)
class Roots:
    """Where locks start: place and outward normal in the world; near: base skin vertex."""

    place: Points
    normal: Points
    near: Int32[np.ndarray, " L"]


def find_head(
    skin: Float64[np.ndarray, "13380 3"],
    above: Float64[np.ndarray, "V 3"],
    faces: Int32[np.ndarray, "F 3"],
) -> Head:
    """Fit the canonical head to a posed one; skin: posed base vertices of the skin.

    above, faces: the collider, of which what lies far below the head is left out.
    """
    canonical = canonical_places()[: len(skin)]
    own = canonical[:, 1] > SKULL_CM
    padded = np.column_stack([skin[own], np.ones(own.sum())])
    affine = np.linalg.lstsq(padded, canonical[own], rcond=None)[0]
    left, stretch, right = np.linalg.svd(affine[:3])
    turn = left @ right
    low = skin[own][:, 1].min() - 55.0
    kept = faces[(above[faces][:, :, 1] > low).all(axis=1)]
    return Head(above, kept, turn, affine, float(1 / stretch.mean()))


def spread_roots(
    skin: Points,
    share: Float64[np.ndarray, " 13380"],
    count: int,
    rng: np.random.Generator,
    areas: Points | None = None,
) -> Roots:
    """Scatter roots over the skin, denser where a share is larger; skin: posed base vertices.

    areas: base vertices in the pose whose areas count; none: the same.
    """
    faces = piece_mesh("skin", 0).faces
    own = faces[(share[faces] > 0).all(axis=1)].astype(np.int64)
    if not len(own):
        return Roots(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0, np.int32))
    corners = skin[own]
    flat = corners if areas is None else areas[own]
    area = np.linalg.norm(np.cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]), axis=1)
    weight = area * share[own].mean(axis=1)
    chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(count))
    chosen = np.minimum(chosen, len(own) - 1)
    mix = np.sort(rng.random((count, 2)), axis=1)
    mix = np.stack([mix[:, 0], mix[:, 1] - mix[:, 0], 1 - mix[:, 1]], axis=1)
    normals = igl.per_vertex_normals(skin, faces.astype(np.int64))
    normal = np.einsum("lk,lkc->lc", mix, normals[own[chosen]])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + TINY
    place = np.einsum("lk,lkc->lc", mix, corners[chosen]) - ROOT_DEPTH_CM * normal
    near = own[chosen, mix.argmax(axis=1)].astype(np.int32)
    return Roots(place, normal, near)


def grow_locks(
    head: Head, roots: Roots, cut: Cut, length: Float64[np.ndarray, " L"], rng: np.random.Generator
) -> Float64[np.ndarray, "L K 3"]:
    """Grow the middle lines of locks, the outermost last; length: of each, centimetres."""
    below = _Below(head.vertices, head.faces)
    count = len(roots.place)
    layer = cut.lift * np.linspace(0, 1, count) ** 0.8
    step = (length / cut.segments)[:, None]
    sway = cut.rough * rng.standard_normal((count, 3))
    place = roots.place
    combed = comb(cut, head.canonical(place)) @ head.turn.T
    way = _unit(cut.rise * roots.normal + (1 - cut.rise) * combed + 0.3 * sway)
    line = [place]
    for number in range(cut.segments):
        combed = comb(cut, head.canonical(place)) @ head.turn.T
        fall = np.array([0.0, -1.0, 0.0]) * (1 - cut.stiff) * min(1.0, 0.35 + 0.15 * number)
        way = cut.stiff * way + (1.15 - cut.stiff) * combed + fall + 0.35 * sway
        sway = 0.6 * sway + 0.5 * cut.rough * rng.standard_normal((count, 3))
        way = way / (np.linalg.norm(way, axis=1, keepdims=True) + TINY)
        onward = place + step * way
        ramp = min(1.0, (number + 1) / 2.5)
        near = HUG * (head.canonical(onward)[:, 1] > HUG_CM) if cut.flow == "part" else 0.0
        onward = below.lift(onward, layer * ramp + 0.1, near)
        if not cut.fringe:
            onward = _clear_face(head, onward)
        moved = onward - place
        moved *= step / (np.linalg.norm(moved, axis=1, keepdims=True) + TINY)
        way, place = moved / step, place + moved
        line.append(place)
    lines = np.stack(line, axis=1)
    return _coil(lines, cut, length, rng) if cut.curl else lines


def comb(cut: Cut, place: Points) -> Points:
    """Return which way hair is combed at canonical points, canonical axes."""
    if cut.flow == "out":
        return _unit(place - HEAD_CENTRE)
    if cut.flow == "hang":
        return np.broadcast_to(np.array([0.0, -1.0, 0.0]), place.shape).copy()
    if cut.flow == "tie":
        return _unit(TIES[cut.knot] - place)
    if cut.flow == "back":
        sides = np.clip((np.abs(place[:, :1]) - 4) / 3, 0, 1)
        sides = np.maximum(sides, np.clip((2 - place[:, 2:]) / 5, 0, 1))
        return _unit(
            np.array([0.0, 0.1, -1.0]) * (1 - sides) + np.array([0.0, -1.0, -0.35]) * sides
        )
    away = place - CROWN
    if cut.flow in ("crown", "chin"):
        away = away * np.array([1.0, 0.8, 1.0])
        front = np.clip((place[:, 2] - 6) / 5, 0, 1) * np.clip((place[:, 1] - 158) / 4, 0, 1)
        away[:, 0] += 4.0 * front
        away[:, 1] += 3.0 * front
        return _unit(away)
    aside = np.where(place[:, 0] > PART_X_CM, 1.0, -1.0) * np.clip((place[:, 1] - 156) / 7, 0.0, 1)
    back = -0.55 * np.clip((place[:, 2] - 2) / 8, -0.2, 1)
    return _unit(np.stack([aside, np.full(len(place), -0.8), back], axis=1))


def _unit(vectors: Points) -> Points:
    unit: Points = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + TINY)
    return unit


class _Below:
    """What hair lies on: lifts points off its nearest faces."""

    def __init__(self, vertices: Points, faces: Int32[np.ndarray, "F 3"]) -> None:
        self.vertices = np.ascontiguousarray(vertices)
        self.faces = np.ascontiguousarray(faces, dtype=np.int64)
        self.normals = igl.per_face_normals(self.vertices, self.faces, np.array([0.0, 1.0, 0.0]))
        self.tree = igl.AABB()
        self.tree.init(self.vertices, self.faces)

    def lift(
        self,
        points: Float64[np.ndarray, "L 3"],
        layer: Float64[np.ndarray, " L"],
        pull: Float64[np.ndarray, " L"] | float = 0.0,
    ) -> Float64[np.ndarray, "L 3"]:
        """Return points moved out to a distance of their own, where they are nearer or inside.

        pull: how much they are drawn in where they are further off, 0 to 1.
        """
        _, face, near = self.tree.squared_distance(
            self.vertices, self.faces, np.ascontiguousarray(points)
        )
        normal = self.normals[face.reshape(-1)]
        height = np.einsum("ij,ij->i", points - near, normal)
        further = pull * np.clip(layer - height, -3, 0)
        lifted: Points = points + normal * (further + np.clip(layer - height, 0, 4))[:, None]
        return lifted


def _clear_face(head: Head, points: Points) -> Points:
    place = head.canonical(points)
    depth = FACE_HALF_CM - np.abs(place[:, 0])
    inside = (depth > 0) & (place[:, 1] < FACE_TOP_CM) & (place[:, 2] > FACE_Z_CM)
    inside &= place[:, 1] > SKULL_CM - 14
    aside = np.where(place[:, 0] >= 0, 1.0, -1.0) * np.where(inside, depth, 0) * 0.6
    back = np.where(inside, -0.5, 0.0)
    cleared: Points = points + aside[:, None] * head.turn[:, 0] + back[:, None] * head.turn[:, 2]
    return cleared


def _coil(
    lines: Float64[np.ndarray, "L K 3"],
    cut: Cut,
    length: Float64[np.ndarray, " L"],
    rng: np.random.Generator,
) -> Float64[np.ndarray, "L K 3"]:
    """Wind lines about themselves."""
    _, first, second = frames(lines)
    phase = rng.uniform(0, 2 * np.pi, len(lines))[:, None]
    share = np.linspace(0, 1, lines.shape[1])[None, :]
    angle = phase + 2 * np.pi * cut.turns * length[:, None] * share
    radius = cut.curl * np.clip(share * 4, 0, 1)[..., None]
    wound: Float64[np.ndarray, "L K 3"] = lines + radius * (
        np.cos(angle)[..., None] * first + np.sin(angle)[..., None] * second
    )
    return wound


def frames(
    lines: Float64[np.ndarray, "L K 3"],
) -> tuple[
    Float64[np.ndarray, "L K 3"], Float64[np.ndarray, "L K 3"], Float64[np.ndarray, "L K 3"]
]:
    """Return unit vectors along lines, to their side, and away from the side and the line."""
    along = np.gradient(lines, axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True) + TINY
    out = lines - lines.mean(axis=(0, 1)) * np.array([1.0, 1.0, 1.0])
    side = np.cross(along, out)
    side /= np.linalg.norm(side, axis=2, keepdims=True) + TINY
    return along, side, np.cross(side, along)


def ribbon_locks(
    lines: Float64[np.ndarray, "L K 3"], width: Float64[np.ndarray, " L"]
) -> tuple[Points, Int32[np.ndarray, "F 3"]]:
    """Give lines the section of a flat ribbon that tapers to the tip; closed at both ends."""
    count, rings = lines.shape[:2]
    _, side, out = frames(lines)
    share = np.linspace(0, 1, rings)
    taper = np.minimum(1, 0.6 + 2 * share) * (1 - (1 - TIP_WIDTH) * share**3)
    half = 0.5 * width[:, None, None] * taper[None, :, None]
    thick = 2 * THICK_SHARE * half
    flat, above = FLAT_SHARE * half * side, lines + thick * out
    corners = np.stack(
        [lines - half * side, lines + half * side, above + flat, above - flat], axis=2
    )
    one = _lock_faces(rings)
    faces = one[None] + (np.arange(count) * rings * RING)[:, None, None]
    return corners.reshape(-1, 3), faces.reshape(-1, 3).astype(np.int32)


def _lock_faces(rings: int) -> Int32[np.ndarray, "f 3"]:
    rows = [(0, 2, 1), (0, 3, 2)]
    for ring in range(rings - 1):
        low, high = ring * RING, (ring + 1) * RING
        for corner in range(RING):
            after = (corner + 1) % RING
            rows += [(low + corner, low + after, high + after)]
            rows += [(low + corner, high + after, high + corner)]
    last = (rings - 1) * RING
    rows += [(last, last + 1, last + 2), (last, last + 2, last + 3)]
    return np.array(rows, np.int32)
