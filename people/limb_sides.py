"""Which limb cloth and skin belong to, and planes that keep one limb's cloth off another's.

Where an arm lies on the trunk, each has half of the room between their skins for its clothes: a
sleeve stays within its half, the shirt below within the other, so neither sinks into the other.
"""

from dataclasses import dataclass

import igl
import numpy as np
from jaxtyping import Float32, Float64, Int32
from scipy.spatial import cKDTree

from people.garment_surfaces import Surface

Side = Int32[np.ndarray, " V"]
"""Of each vertex: one of the numbers below."""
TRUNK, LEFT_ARM, RIGHT_ARM, BETWEEN = 0, 1, 2, 3
"""Between: shoulder and armpit, where an arm's cloth is the trunk's."""

ARM_FROM_CM, ARM_SHARE, TRUNK_SHARE = 13.0, 0.5, 0.05
"""Down the arm, canonical; how much of a vertex follows the arm's bones."""
REACH_CM, FIRST_CM, STEPS = 6.0, 0.1, 8
"""How far off another limb counts; the first and the shortest step; how many."""
TIGHT_CM, FREER = 3.0, 3.0
"""Above so much room the limit grows so much faster."""
LAYER_CM, MIN_CM, ROOM_CM, FAR_CM = 0.3, 0.25, 1.6, 1000.0
"""What each garment on top needs of the room; the least limit; how far off the other limb cloth
need not be further; the limit where there is none."""
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Solid:
    """A surface and the side of its vertices."""

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    side: Side


def sides_of(surface: Surface) -> Side:
    """Return the side of each of a surface's points."""
    arm = np.where(surface.place[:, 0] > 0, LEFT_ARM, RIGHT_ARM)
    side = np.full(len(arm), BETWEEN, np.int32)
    side[surface.on_arm < TRUNK_SHARE] = TRUNK
    far = (surface.on_arm > ARM_SHARE) & (surface.arm > ARM_FROM_CM)
    side[far] = arm[far]
    return side


def faces_of(solid: Solid, sides: tuple[int, ...]) -> Int32[np.ndarray, "G 3"]:
    """Return the faces whose corners are all of these sides."""
    kept: Int32[np.ndarray, "G 3"] = solid.faces[
        np.isin(solid.side, sides)[solid.faces].all(axis=1)
    ]
    return kept


class Rooms:
    """How much room there is above each place of a posed body's skin before another limb is met.

    Found by stepping along the skin's normal as far as the other limb's surface is away.
    near: the surfaces of each limb and of those that it may meet.
    """

    def __init__(self, skin: Solid) -> None:
        """Measure; skin: of a posed body."""
        self.skin = skin
        self.room = np.full(len(skin.vertices), np.inf)
        self.near: dict[int, tuple[Nearest, Nearest]] = {}
        normals = igl.per_vertex_normals(skin.vertices, skin.faces.astype(np.int64))
        for own in (TRUNK, LEFT_ARM, RIGHT_ARM):
            others = tuple(one for one in (TRUNK, LEFT_ARM, RIGHT_ARM) if one != own)
            other = faces_of(skin, others if own else (LEFT_ARM, RIGHT_ARM))
            rows = np.flatnonzero(skin.side == own)
            tree = cKDTree(skin.vertices[np.unique(other)])
            reach = tree.query(skin.vertices[rows], distance_upper_bound=REACH_CM)[0]
            rows = rows[reach < REACH_CM]
            if len(rows):
                surface = Nearest(skin.vertices, other)
                self.room[rows] = _step_out(skin.vertices[rows], normals[rows], surface)
                limb = Nearest(skin.vertices, faces_of(skin, (own, BETWEEN)))
                self.near[own] = (limb, surface)

    def limits(self, layers_above: int) -> Float64[np.ndarray, " V"]:
        """Return how far off each skin vertex the cloth of its own limb may be."""
        free = np.maximum(self.room - TIGHT_CM, 0) * FREER
        shared = np.maximum(0.5 * self.room - LAYER_CM * layers_above, MIN_CM)
        return np.minimum(shared + free, FAR_CM)


def _step_out(
    start: Float64[np.ndarray, "n 3"], way: Float64[np.ndarray, "n 3"], other: "Nearest"
) -> Float64[np.ndarray, " n"]:
    """Return how far one can go from each start before the other surface; infinity: REACH_CM."""
    gone = np.full(len(start), FIRST_CM)
    moving = np.ones(len(start), bool)
    for _ in range(STEPS):
        place = start[moving] + gone[moving, None] * way[moving]
        point, normal = other.find(place)
        offset = place - point
        away = np.linalg.norm(offset, axis=1)
        inside = np.einsum("ij,ij->i", offset, normal) < 0
        gone[moving] += np.where(inside, 0.0, np.maximum(away, FIRST_CM))
        moving[moving] = ~inside & (away > FIRST_CM) & (gone[moving] < REACH_CM)
        if not moving.any():
            break
    room: Float64[np.ndarray, " n"] = np.where(gone < REACH_CM, gone - FIRST_CM, np.inf)
    return room


@dataclass(slots=True)
class _Part:
    """The vertices of one limb's cloth, and planes: points, normals towards where cloth may be."""

    rows: np.ndarray
    limb: "Nearest"
    other: "Nearest"
    planes: list[tuple[Float32[np.ndarray, "n 3"], Float32[np.ndarray, "n 3"]]]

    def search(
        self,
        place: Float64[np.ndarray, "n 3"],
        limits: Float64[np.ndarray, " V"],
        margin: float,
    ) -> None:
        """Lay the planes again: above the own limb's skin, and off the other's."""
        skin, normal, corners, share = self.limb.look(place)
        limit = np.einsum("vk,vk->v", share, limits[corners])
        roof = skin + limit[:, None] * normal
        point, out = self.other.find(place)
        offset = place - point
        away = np.linalg.norm(offset, axis=1)
        height = np.where(np.einsum("ij,ij->i", offset, out) < 0, -away, away)
        both = np.linalg.norm(place - skin, axis=1) + height
        need = np.minimum(np.minimum(0.5 * both, ROOM_CM) + margin, both - MIN_CM)
        # Off the other limb is not off one's own: never to its far side.
        back = np.einsum("ij,ij->i", skin - place, out) > 0
        out = np.where(back[:, None], out, 0)
        wall = point + np.maximum(need, MIN_CM)[:, None] * out
        self.planes = [
            (one.astype(np.float32), two.astype(np.float32))
            for one, two in ((roof, -normal), (wall, out))
        ]

    def push_back(self, place: Float32[np.ndarray, "V 3"]) -> None:
        for point, normal in self.planes:
            beyond = np.einsum("ij,ij->i", place[self.rows] - point, normal)
            place[self.rows] -= np.minimum(beyond, 0)[:, None] * normal


class Parting:
    """Keeps the vertices of one garment to their own limb's half of the room between limbs."""

    def __init__(
        self, rooms: Rooms, start: Float64[np.ndarray, "V 3"], side: Side, layers_above: int
    ) -> None:
        """Find what comes near another limb; start, side: of the garment's vertices."""
        self.limits, self.margin = rooms.limits(layers_above), LAYER_CM * layers_above
        self.parts: list[_Part] = []
        skin = rooms.skin
        for own, (limb, other) in rooms.near.items():
            tree = cKDTree(skin.vertices[np.unique(other.faces)])
            rows = np.flatnonzero(side == own)
            apart = tree.query(start[rows], distance_upper_bound=REACH_CM)[0]
            rows = rows[apart < REACH_CM]
            if len(rows):
                self.parts.append(_Part(rows, limb, other, []))

    def search(self, place: Float32[np.ndarray, "V 3"]) -> None:
        """Lay the planes again."""
        for part in self.parts:
            part.search(place[part.rows].astype(np.float64), self.limits, self.margin)

    def push_back(self, place: Float32[np.ndarray, "V 3"]) -> None:
        """Move vertices that are beyond their planes back onto them, in place."""
        for part in self.parts:
            part.push_back(place)


class Nearest:
    """Nearest points of a surface, with its smooth normals there."""

    def __init__(
        self, vertices: Float64[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]
    ) -> None:
        """Make the tree; vertices that no face uses do no harm."""
        self.vertices = np.ascontiguousarray(vertices)
        self.faces = np.ascontiguousarray(faces, dtype=np.int64)
        self.normals = np.nan_to_num(igl.per_vertex_normals(self.vertices, self.faces))
        self.tree = igl.AABB()
        self.tree.init(self.vertices, self.faces)

    def find(
        self, where: Float64[np.ndarray, "n 3"]
    ) -> tuple[Float64[np.ndarray, "n 3"], Float64[np.ndarray, "n 3"]]:
        """Return the nearest points and the outward unit normals there."""
        return self.look(where)[:2]

    def look(
        self, where: Float64[np.ndarray, "n 3"]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return nearest points, normals, corners of the nearest faces and their shares."""
        _, face, near = self.tree.squared_distance(self.vertices, self.faces, where)
        corners = self.faces[face.reshape(-1)]
        share = _barycentric(near, self.vertices[corners])
        normal = np.einsum("vk,vkc->vc", share, self.normals[corners])
        return near, normal / (np.linalg.norm(normal, axis=1, keepdims=True) + TINY), corners, share


def _barycentric(
    points: Float64[np.ndarray, "V 3"], corners: Float64[np.ndarray, "V 3 3"]
) -> Float64[np.ndarray, "V 3"]:
    first, second, offset = (
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0],
    )  # fmt: skip
    dots = [np.einsum("ij,ij->i", a, b) for a, b in (
        (first, first), (first, second), (second, second), (offset, first), (offset, second),
    )]  # fmt: skip
    scale = dots[0] * dots[2] - dots[1] ** 2 + TINY**4
    one = np.clip((dots[2] * dots[3] - dots[1] * dots[4]) / scale, 0, 1)
    two = np.clip((dots[0] * dots[4] - dots[1] * dots[3]) / scale, 0, 1)
    return np.stack([1 - one - two, one, two], axis=1)
