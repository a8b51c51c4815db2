"""The head as signed distances: skull, jaw, brow, eyes, nose, lips, ears (left half, at rest)."""

from dataclasses import dataclass

import numpy as np

from people.figure import Figure
from people.shapes import Distances, Points, Step, cone, ellipsoid, sculpt

HEAD_PIVOT = (0.0, 154.5, -1.5)
"""The head's size is scaled about the joint to the neck, canonical centimetres."""
EYE_CENTRE = (3.15, 163.6, 6.75)
EYE_RADIUS_CM = 1.28
MOUTH_Y = 156.0
NOSE_TIP = (0.0, 159.6, 10.9)
EAR_CENTRE = (7.5, 161.5, -1.0)
CRANIUM = ellipsoid((0.0, 166.2, -1.0), (7.5, 8.9, 9.6))
FOREHEAD = ellipsoid((0.0, 168.2, 3.0), (6.3, 5.2, 5.8))
"""Where the skull carries hair too."""


@dataclass(frozen=True, slots=True)
class Head:
    """How this head differs from the canonical one; lengths in centimetres."""

    size: float
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
    return (points - pivot) / np.float32(head.size) + pivot


def from_head(head: Head, points: Points) -> Points:
    """Move canonical head points to rest coordinates."""
    pivot = np.array(HEAD_PIVOT, np.float32)
    return (points - pivot) * np.float32(head.size) + pivot


def head_distance(head: Head, half: Points) -> Distances:
    """Return the distance to the bald head; half: rest points with x >= 0."""
    return sculpt(to_head(head, half), CRANIUM, *_steps(head)) * np.float32(head.size)


def _steps(head: Head) -> tuple[Step, ...]:
    """Return what is joined to the cranium and cut from it, in this order."""
    tip = np.array(NOSE_TIP, np.float32) + np.array([0, 0, head.nose - 0.9], np.float32)
    bridge = np.stack([np.array([0, 164.0, 8.3], np.float32), tip])
    chin_radii = (2.5 + 0.4 * head.jaw, 2.0, 2.1)
    brow_radii = (0.75 + head.brow, 0.6 + head.brow)
    eye_radii = (EYE_RADIUS_CM, EYE_RADIUS_CM * 0.86, EYE_RADIUS_CM)
    return (
        # skull: face, forehead, jaw, chin, cheek
        Step(ellipsoid((0.0, 160.5, 2.0), (6.5, 9.2, 6.9)), 3.0),
        Step(FOREHEAD, 2.0),
        Step(ellipsoid((0.0, 157.2, 2.4), (5.6 + head.jaw, 5.4, 5.6)), 2.5),
        Step(ellipsoid((0.0, 153.7, 6.5 + head.chin), chin_radii), 2.5),
        Step(ellipsoid((4.0, 159.8, 5.0), (2.2 + head.cheeks, 2.2, 2.3)), 2.0),
        # eyes: socket, brow, ball
        Step(ellipsoid((3.2, 163.5, 9.4), (2.3, 1.35, 1.5)), 1.6, is_cut=True),
        Step(cone(((1.3, 165.4, 8.1), (5.0, 165.7, 6.5)), brow_radii), 1.4),
        Step(ellipsoid(EYE_CENTRE, eye_radii), 0.25),
        # nose: bridge, wing, nostril
        Step(cone(bridge, (0.7, 1.0)), 1.3),
        Step(ellipsoid((1.15, 159.2, 8.9), (0.85, 0.8, 1.15)), 0.7),
        Step(ellipsoid((0.75, 158.5, 9.5), (0.42, 0.4, 0.6)), 0.4, is_cut=True),
        # mouth: muzzle, upper lip, lower lip, the gap between them
        Step(ellipsoid((0.0, 156.2, 6.6), (3.2, 2.6, 2.4)), 1.6),
        Step(ellipsoid((0.0, MOUTH_Y + 0.42, 8.1), (2.3, 0.5 + head.lips, 1.15)), 0.4),
        Step(ellipsoid((0.0, MOUTH_Y - 0.5, 8.0), (2.0, 0.6 + head.lips, 1.15)), 0.4),
        Step(ellipsoid((0.0, MOUTH_Y, 9.7), (2.3, 0.16, 0.9)), 0.3, is_cut=True),
        Step(_ear, 0.7),
    )


def _ear(points: Points) -> Distances:
    hollow = Step(ellipsoid((8.5, 161.9, -0.6), (0.6, 1.7, 0.95)), 0.3, is_cut=True)
    return sculpt(points, ellipsoid(EAR_CENTRE, (0.95, 3.1, 1.9)), hollow)
