"""Hair as a volume around the skull, and where the hairline runs (head coordinates, left half)."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from people.figure import Figure
from people.head import CRANIUM, FOREHEAD, Head, to_head
from people.shapes import (
    FAR_CM,
    Distances,
    Points,
    Step,
    cone,
    ellipsoid,
    measure_where,
    sculpt,
    smooth_cut,
    smooth_union,
)
from people.skinning import smooth_step

HAIRLINE_Z = (-10.0, -7.0, -4.5, -2.6, -1.4, 0.6, 1.6, 2.6, 4.5, 6.5, 9.5)
HAIRLINE_Y = (154.6, 155.0, 157.5, 161.5, 164.6, 164.6, 161.0, 164.5, 168.2, 170.0, 171.2)
"""The lower edge of the hair at each depth: nape, round the ear, sideburn, temple, forehead."""
THICKNESS_CM = {"crop": 0.55, "short": 1.25, "bob": 1.7, "long": 1.5, "bun": 0.9, "bald": 0.0}
BUN = ellipsoid((0, 172.5, -8.6), (3.6, 3.4, 3.2))
FACE_FREE_Z = 1.6
"""Long hair stays behind this depth below the forehead."""


@dataclass(frozen=True, slots=True)
class Hair:
    """One figure's hair."""

    style: str
    thickness: float
    head: Head
    beard: bool


def grow_hair(figure: Figure, head: Head) -> Hair:
    """Read a figure's hair."""
    thickness = THICKNESS_CM[figure.hair] * (0.85 + 0.3 * figure.sleeve)
    return Hair(figure.hair, thickness, head, figure.beard)


def scalp_cover(points: Points) -> Distances:
    """Return how far above the hairline head points lie: positive where hair grows."""
    edge = np.interp(points[:, 2], HAIRLINE_Z, HAIRLINE_Y)
    return np.asarray(points[:, 1] - edge, np.float32)


def beard_cover(points: Points) -> Distances:
    """Return how far inside the beard's outline head points lie."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    cheek = 157.2 + 0.32 * np.maximum(0, x - 2.2) ** 1.4 - y
    lips = np.sqrt((x / 2.5) ** 2 + ((y - 156.0) / 1.15) ** 2) * 1.2 - 1.2
    below = y - 150.5 - 0.25 * np.abs(z - 3)
    front = z + 0.2
    inside = np.minimum(np.minimum(cheek, lips), np.minimum(below, front))
    return np.asarray(inside, np.float32)


def hair_distance(hair: Hair, half: Points) -> Distances:
    """Return the distance to the hair; half: rest points with x >= 0."""
    near = (half[:, 1] > 110) & (half[:, 0] < 26)
    return measure_where(near, partial(_near_distance, hair), half)


def _near_distance(hair: Hair, half: Points) -> Distances:
    points = to_head(hair.head, half)
    if hair.style == "bald":
        return np.full(len(points), FAR_CM)
    distance = _cap(hair, points)
    if hair.style in ("bob", "long"):
        distance = smooth_union(distance, _curtain(hair, points), 1.0)
    if hair.style == "bun":
        distance = smooth_union(distance, BUN(points), 0.8)
    return distance * np.float32(hair.head.size)


def _cap(hair: Hair, points: Points) -> Distances:
    """Return a layer over the skull that thins out towards the hairline."""
    nape = cone(((0, 154, -3.4), (0, 161, -3.0)), (5.7, 6.4))
    skull = sculpt(points, CRANIUM, Step(FOREHEAD, 2.0), Step(nape, 2.0))
    cover = scalp_cover(points)
    top = 1 + 0.5 * smooth_step(points[:, 1], 168.0, 175.0) * (hair.style == "short")
    layer = hair.thickness * top * smooth_step(cover, -0.2, 2.2) - 0.5 * (cover < -0.2)
    return np.asarray(np.maximum(np.asarray(skull - layer, np.float32), -cover - np.float32(0.4)))


def _curtain(hair: Hair, points: Points) -> Distances:
    """Return hair that falls beside and behind the face."""
    bottom = 151.5 if hair.style == "bob" else 131.0
    sides = ellipsoid((0, 162.0, -2.2), (9.2, 12.5, 9.0))(points)
    low = np.maximum(sides, np.float32(bottom) - points[:, 1])
    if hair.style == "long":
        low = smooth_union(low, ellipsoid((0, 146.0, -9.0), (8.6, 17.5, 4.6))(points), 4.0)
    free = np.float32(FACE_FREE_Z) - 0.12 * np.maximum(0, 166 - points[:, 1])
    opening = free - points[:, 2]
    opening = np.maximum(opening, 0.8 * (points[:, 1] - 170.5)).astype(np.float32)
    return smooth_cut(low, opening, 0.8)
