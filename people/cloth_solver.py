"""A small position-based cloth solver: stretch, bending, gravity and contact with a surface.

Every step moves the vertices by their inertia and gravity, then corrects them by Jacobi rounds:
all constraints at once, each vertex moved by the mean of what its constraints ask for, which is
two products with a sparse matrix. Lengths in centimetres.
Source: Macklin, Mueller, Chentanez, Kim, "Unified particle physics for real-time applications",
ACM TOG 33(4), 2014, sections 4.2 (averaging) and 6.1 (friction); Mueller et al., "Position based
dynamics", 2007.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32
from scipy import sparse

from people.limb_sides import BETWEEN, Nearest, Parting, Rooms, Side, Solid, faces_of

Places = Float64[np.ndarray, "V 3"]
Triangles = Int32[np.ndarray, "F 3"]

GRAVITY_CM = 0.012
"""How far a step's gravity moves a free vertex."""
INERTIA = 0.85
RELAXATION = 1.6
SHORTEST_CM = 1e-4
CONTACT_STEPS = 3
"""Steps between two searches for the nearest points of the collider."""
FRICTION = 0.5
REACH_CM = 6.0
"""A contact plane acts on vertices up to this far inside."""


@dataclass(frozen=True, slots=True)
class Stuff:
    """How a cloth behaves, shares of 0..1 of each length's error corrected in a round.

    stretch: of edges that are too long. press: of edges that are too short, so little that cloth
    buckles. bend: of the distance between the far corners of two triangles.
    """

    stretch: float = 1.0
    press: float = 0.35
    bend: float = 0.12


@dataclass(frozen=True, slots=True)
class Collider:
    """A surface that cloth stays outside of.

    vertices, faces: outward. gap_cm: how far cloth stays off.
    """

    vertices: Places
    faces: Triangles
    gap_cm: float = 0.3


@dataclass(frozen=True, slots=True)
class Limbs:
    """What keeps the cloth of one limb to that limb.

    collider, cloth: side of each vertex. rooms: of the bare body in this pose.
    layers_above: how many garments are put on later.
    """

    collider: Int32[np.ndarray, " C"]
    cloth: Side
    rooms: Rooms
    layers_above: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Distances to be kept: pairs of vertices, their rest lengths, and their stiffness."""

    pairs: Int32[np.ndarray, "E 2"]
    rest: Float32[np.ndarray, " E"]
    pull: Float32[np.ndarray, " E"]
    push: Float32[np.ndarray, " E"]


def measure_lengths(rest: Places, faces: Triangles, stuff: Stuff) -> Lengths:
    """Take edges and the far corners of neighbouring triangles from a garment's own shape."""
    edges, across = edges_and_bends(faces)
    pairs = np.concatenate([edges, across])
    length = np.linalg.norm(rest[pairs[:, 0]] - rest[pairs[:, 1]], axis=1).astype(np.float32)
    counts = (len(edges), len(across))
    pull = np.repeat(np.array([stuff.stretch, stuff.bend], np.float32), counts)
    push = np.repeat(np.array([stuff.press, stuff.bend], np.float32), counts)
    return Lengths(pairs, length, pull, push)


def edges_and_bends(
    faces: Triangles,
) -> tuple[Int32[np.ndarray, "E 2"], Int32[np.ndarray, "B 2"]]:
    """Return the edges of a triangle mesh, and for inner edges the two corners across."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    across = np.concatenate([faces[:, 2], faces[:, 0], faces[:, 1]])
    low, high = sides.min(axis=1).astype(np.int64), sides.max(axis=1).astype(np.int64)
    key = low * (int(faces.max()) + 1) + high
    order = np.argsort(key, kind="stable")
    key, across, low, high = key[order], across[order], low[order], high[order]
    first = np.concatenate([[True], key[1:] != key[:-1]])
    twin = np.flatnonzero(~first)
    edges = np.stack([low[first], high[first]], axis=1).astype(np.int32)
    return edges, np.stack([across[twin - 1], across[twin]], axis=1).astype(np.int32)


def relax_cloth(
    start: Places,
    lengths: Lengths,
    collider: Collider,
    *,
    held: Float64[np.ndarray, " V"],
    steps: int,
    rounds: int = 4,
    gravity: float = 1.0,
    limbs: Limbs | None = None,
) -> Places:
    """Let cloth fall until it rests; return its vertices.

    start: where it is put on. held: 0 (free) to 1 (stays where it was put on), by vertex.
    limbs: None where all cloth meets all of the collider.
    """
    place = start.astype(np.float32)
    before = place.copy()
    hold, home = held.astype(np.float32)[:, None], place.copy()
    solve = _Rounds(lengths, len(start))
    fall = np.array([0.0, -GRAVITY_CM * gravity, 0.0], np.float32)
    contact = _Contact(collider, start, limbs)
    for step in range(steps):
        if step % CONTACT_STEPS == 0:
            contact.search(place)
        old = place
        place = place + INERTIA * (place - before) + fall * (1 - hold)
        for _ in range(rounds):
            place = solve.correct(place)
            place += hold * (home - place)
            place = contact.push_out(place, old)
        before = old
    contact.search(place)
    return contact.push_out(place, place).astype(np.float64)


class _Rounds:
    """The sparse matrices of one garment's constraints."""

    def __init__(self, lengths: Lengths, count: int) -> None:
        edges = len(lengths.pairs)
        number = np.repeat(np.arange(edges), 2)
        sign = np.tile(np.array([1, -1], np.float32), edges)
        shape = (edges, count)
        self.difference = sparse.csr_matrix((sign, (number, lengths.pairs.reshape(-1))), shape)
        weight = np.repeat(np.maximum(lengths.pull, lengths.push), 2)
        total = np.bincount(lengths.pairs.reshape(-1), weight, minlength=count)
        scale = sparse.diags((-RELAXATION / np.maximum(total, SHORTEST_CM)).astype(np.float32))
        self.spread = (scale @ self.difference.T).tocsr().astype(np.float32)
        self.lengths = lengths

    def correct(self, place: Float32[np.ndarray, "V 3"]) -> Float32[np.ndarray, "V 3"]:
        apart = self.difference @ place
        length = np.sqrt(np.einsum("ij,ij->i", apart, apart)) + np.float32(SHORTEST_CM)
        error = length - self.lengths.rest
        stiff = np.where(error > 0, self.lengths.pull, self.lengths.push)
        moved: Float32[np.ndarray, "V 3"] = place + self.spread @ (
            apart * (0.5 * stiff * error / length)[:, None]
        )
        return moved


class _Contact:
    """Planes through the collider's nearest points, searched for now and then."""

    def __init__(self, collider: Collider, start: Places, limbs: Limbs | None) -> None:
        self.parts = [(np.arange(len(start)), Nearest(collider.vertices, collider.faces))]
        self.parting = None
        if limbs is not None:
            self.parts = _own_parts(collider, limbs)
            self.parting = Parting(limbs.rooms, start, limbs.cloth, limbs.layers_above)
        self.gap = collider.gap_cm
        self.point = np.zeros((len(start), 3), np.float32)
        self.normal = self.point.copy()

    def search(self, place: Float32[np.ndarray, "V 3"]) -> None:
        where = place.astype(np.float64)
        for rows, surface in self.parts:
            point, normal = surface.find(where[rows])
            self.point[rows], self.normal[rows] = point, normal
        if self.parting is not None:
            self.parting.search(place)

    def push_out(
        self, place: Float32[np.ndarray, "V 3"], old: Float32[np.ndarray, "V 3"]
    ) -> Float32[np.ndarray, "V 3"]:
        if self.parting is not None:
            self.parting.push_back(place)
        height = np.einsum("ij,ij->i", place - self.point, self.normal) - np.float32(self.gap)
        touching: Bool[np.ndarray, " V"] = (height < 0) & (height > -REACH_CM)
        if not touching.any():
            return place
        out = place.copy()
        normal = self.normal[touching]
        out[touching] -= height[touching, None] * normal
        slide = out[touching] - old[touching]
        slide -= np.einsum("ij,ij->i", slide, normal)[:, None] * normal
        out[touching] -= np.float32(FRICTION) * slide
        return out


def _own_parts(collider: Collider, limbs: Limbs) -> list[tuple[np.ndarray, Nearest]]:
    """Return the cloth of each side with what it meets of the collider."""
    solid = Solid(collider.vertices, collider.faces, limbs.collider)
    parts = []
    for side in range(BETWEEN + 1):
        rows = np.flatnonzero(limbs.cloth == side)
        if len(rows):
            meets = solid.faces if side == BETWEEN else faces_of(solid, (side, BETWEEN))
            parts.append((rows, Nearest(collider.vertices, meets)))
    return parts
