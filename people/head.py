"""The head as signed distances: skull, jaw, brow, eyes, nose, lips, ears (left half, at rest)."""

from dataclasses import dataclass

import numpy as np

from people.figure import Figure
from people.shapes import (
    Distances,
    Points,
    cone_distance,
    ellipsoid_distance,
    smooth_cut,
    smooth_union,
)

HEAD_PIVOT = (0.0, 154.5, -1.5)
"""The head's size is scaled about the joint to the neck, canonical centimetres."""
EYE_CENTRE = (3.15, 163.6, 6.75)
EYE_RADIUS_CM = 1.28
MOUTH_Y = 156.0
NOSE_TIP = (0.0, 159.6, 10.9)
EAR_CENTRE = (7.5, 161.5, -1.0)


@dataclass(frozen=True, slots=True)
class Head:
    """How this head differs from the canonical one; lengths in centimetres."""

    size: float
    female: bool
    nose: float
    jaw: float
    lips: float
    brow: float
    cheeks: float
    chin: float


def build_head(figure: Figure) -> Head:
    """Read a figure's face traits."""
    face = figure.face
    return Head(
        size=figure.head * (0.97 if figure.female else 1.0),
        female=figure.female,
        nose=0.25 * face[0],
        jaw=0.35 * face[1] + (-0.45 if figure.female else 0.15) + 0.3 * figure.heft,
        lips=0.08 * face[2] + (0.08 if figure.female else 0.0),
        brow=0.12 * face[3] + (-0.15 if figure.female else 0.1),
        cheeks=0.25 * face[4] + 0.45 * figure.heft,
        chin=0.25 * face[5],
    )


def to_head(head: Head, points: Points) -> Points:
    """Move rest points into the canonical head's coordinates."""
    pivot = np.array(HEAD_PIVOT, np.float32)
    local: Points = (points - pivot) / np.float32(head.size) + pivot
    return local


def from_head(head: Head, points: Points) -> Points:
    """Move canonical head points to rest coordinates."""
    pivot = np.array(HEAD_PIVOT, np.float32)
    rest: Points = (points - pivot) * np.float32(head.size) + pivot
    return rest


def head_distance(head: Head, half: Points) -> Distances:
    """Return the distance to the bald head; half: rest points with x >= 0."""
    points = to_head(head, half)
    distance = _skull(head, points)
    distance = _eyes(head, distance, points)
    distance = _nose(head, distance, points)
    distance = _mouth(head, distance, points)
    distance = _ear(distance, points)
    return distance * np.float32(head.size)


def _skull(head: Head, points: Points) -> Distances:
    cranium = ellipsoid_distance(points, centre=(0.0, 166.2, -1.0), radii=(7.5, 8.9, 9.6))
    face = ellipsoid_distance(points, centre=(0.0, 160.5, 2.0), radii=(6.5, 9.2, 6.9))
    jaw = ellipsoid_distance(points, centre=(0.0, 157.2, 2.4), radii=(5.6 + head.jaw, 5.4, 5.6))
    chin = ellipsoid_distance(
        points, centre=(0.0, 153.7, 6.5 + head.chin), radii=(2.5 + 0.4 * head.jaw, 2.0, 2.1)
    )
    cheek = ellipsoid_distance(
        points, centre=(4.0, 159.8, 5.0), radii=(2.2 + head.cheeks, 2.2, 2.3)
    )
    forehead = ellipsoid_distance(points, centre=(0.0, 168.2, 3.0), radii=(6.3, 5.2, 5.8))
    distance = smooth_union(cranium, face, 3.0)
    distance = smooth_union(distance, forehead, 2.0)
    distance = smooth_union(distance, jaw, 2.5)
    distance = smooth_union(distance, chin, 2.5)
    return smooth_union(distance, cheek, 2.0)


def _eyes(head: Head, distance: Distances, points: Points) -> Distances:
    socket = ellipsoid_distance(points, centre=(3.2, 163.5, 9.4), radii=(2.3, 1.35, 1.5))
    distance = smooth_cut(distance, socket, 1.6)
    brow = cone_distance(
        points,
        ends=np.array([[1.3, 165.4, 8.1], [5.0, 165.7, 6.5]], np.float32),
        radii=(0.75 + head.brow, 0.6 + head.brow),
    )
    distance = smooth_union(distance, brow, 1.4)
    ball = ellipsoid_distance(
        points, centre=EYE_CENTRE, radii=(EYE_RADIUS_CM, EYE_RADIUS_CM * 0.86, EYE_RADIUS_CM)
    )
    return smooth_union(distance, ball, 0.25)


def _nose(head: Head, distance: Distances, points: Points) -> Distances:
    tip = np.array(NOSE_TIP, np.float32) + np.array([0, 0, head.nose - 0.9], np.float32)
    bridge = cone_distance(
        points, ends=np.stack([np.array([0, 164.0, 8.3], np.float32), tip]), radii=(0.7, 1.0)
    )
    wing = ellipsoid_distance(points, centre=(1.15, 159.2, 8.9), radii=(0.85, 0.8, 1.15))
    distance = smooth_union(distance, bridge, 1.3)
    distance = smooth_union(distance, wing, 0.7)
    nostril = ellipsoid_distance(points, centre=(0.75, 158.5, 9.5), radii=(0.42, 0.4, 0.6))
    return smooth_cut(distance, nostril, 0.4)


def _mouth(head: Head, distance: Distances, points: Points) -> Distances:
    muzzle = ellipsoid_distance(points, centre=(0.0, 156.2, 6.6), radii=(3.2, 2.6, 2.4))
    distance = smooth_union(distance, muzzle, 1.6)
    upper = ellipsoid_distance(
        points, centre=(0.0, MOUTH_Y + 0.42, 8.1), radii=(2.3, 0.5 + head.lips, 1.15)
    )
    lower = ellipsoid_distance(
        points, centre=(0.0, MOUTH_Y - 0.5, 8.0), radii=(2.0, 0.6 + head.lips, 1.15)
    )
    distance = smooth_union(distance, upper, 0.4)
    distance = smooth_union(distance, lower, 0.4)
    gap = ellipsoid_distance(points, centre=(0.0, MOUTH_Y, 9.7), radii=(2.3, 0.16, 0.9))
    return smooth_cut(distance, gap, 0.3)


def _ear(distance: Distances, points: Points) -> Distances:
    shell = ellipsoid_distance(points, centre=EAR_CENTRE, radii=(0.95, 3.1, 1.9))
    hollow = ellipsoid_distance(points, centre=(8.5, 161.9, -0.6), radii=(0.6, 1.7, 0.95))
    return smooth_union(distance, smooth_cut(shell, hollow, 0.3), 0.7)
