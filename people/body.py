"""The naked figure as signed distances: torso, limbs, hands, feet and head, all of the left half.

Tables are canonical centimetres at rest: position along the axis, centre of the two cross axes,
then radii towards +first, -first, +second (front), -second (back).
Source: own tables after anthropometric averages of adults.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from people.figure import Figure
from people.head import Head, build_head, head_distance
from people.shapes import (
    Distances,
    Points,
    Profile,
    box_distance,
    cone_distance,
    ellipsoid_distance,
    measure_where,
    mirror,
    smooth_union,
    tabulate_profile,
    tube_distance,
)
from people.skeleton import FINGERS, finger_joints, shoulder_shift_cm

Knots = Float32[np.ndarray, "K 7"]

TORSO_MALE = (
    # y, x, z, +x, -x, front, back
    (76.5, 0.0, -1.0, 3.0, 3.0, 3.0, 3.0),
    (81.0, 0.0, -1.0, 11.5, 11.5, 7.8, 8.4),
    (86.0, 0.0, -1.0, 16.2, 16.2, 9.6, 11.2),
    (90.0, 0.0, -1.0, 16.8, 16.8, 10.2, 11.6),
    (96.0, 0.0, -1.0, 16.2, 16.2, 10.4, 10.0),
    (104.0, 0.0, -1.0, 14.9, 14.9, 10.4, 8.0),
    (112.0, 0.0, -1.0, 15.0, 15.0, 10.6, 8.4),
    (120.0, 0.0, -1.5, 16.2, 16.2, 11.4, 9.6),
    (127.0, 0.0, -2.0, 17.2, 17.2, 12.2, 10.4),
    (133.0, 0.0, -2.5, 17.4, 17.4, 11.6, 10.4),
    (138.0, 0.0, -3.0, 16.6, 16.6, 9.4, 9.6),
    (142.0, 0.0, -3.5, 13.6, 13.6, 7.0, 8.4),
    (146.0, 0.0, -4.0, 9.0, 9.0, 5.2, 6.8),
    (150.0, 0.0, -4.0, 5.0, 5.0, 4.0, 4.8),
    (154.0, 0.0, -3.5, 1.5, 1.5, 1.5, 1.5),
)
TORSO_FEMALE = (
    (76.5, 0.0, -1.0, 3.0, 3.0, 3.0, 3.0),
    (81.0, 0.0, -1.0, 12.5, 12.5, 7.8, 9.2),
    (86.0, 0.0, -1.0, 17.4, 17.4, 9.6, 12.0),
    (90.0, 0.0, -1.0, 17.8, 17.8, 10.0, 12.2),
    (96.0, 0.0, -1.0, 16.4, 16.4, 9.6, 9.8),
    (104.0, 0.0, -1.0, 13.2, 13.2, 8.8, 7.2),
    (110.0, 0.0, -1.0, 12.6, 12.6, 8.6, 7.2),
    (119.0, 0.0, -1.5, 14.2, 14.2, 10.0, 8.4),
    (126.0, 0.0, -2.0, 15.2, 15.2, 11.4, 9.4),
    (133.0, 0.0, -2.5, 15.4, 15.4, 9.8, 9.4),
    (138.0, 0.0, -3.0, 14.6, 14.6, 7.8, 8.6),
    (142.0, 0.0, -3.5, 11.8, 11.8, 6.2, 7.4),
    (146.0, 0.0, -4.0, 7.6, 7.6, 4.8, 5.8),
    (150.0, 0.0, -4.0, 4.4, 4.4, 3.5, 4.2),
    (154.0, 0.0, -3.5, 1.5, 1.5, 1.5, 1.5),
)
LEG = (
    # y, x, z, outer, inner, front, back
    (3.0, 10.5, -3.0, 3.3, 3.3, 4.0, 4.2),
    (9.0, 10.5, -3.0, 3.5, 3.5, 4.0, 4.4),
    (16.0, 10.5, -3.0, 3.7, 3.7, 4.0, 5.0),
    (27.0, 10.4, -2.0, 5.2, 4.9, 4.6, 7.2),
    (36.0, 10.2, -1.0, 5.7, 5.5, 5.1, 7.8),
    (44.0, 10.0, 0.0, 5.4, 5.2, 5.6, 5.8),
    (50.0, 10.0, 0.0, 5.7, 5.5, 6.2, 5.4),
    (58.0, 9.8, 0.0, 6.4, 6.2, 6.8, 6.4),
    (70.0, 9.6, -0.5, 7.8, 6.9, 8.2, 8.2),
    (79.0, 9.4, -1.0, 8.4, 7.5, 8.8, 9.2),
    (88.0, 8.6, -1.0, 9.0, 8.4, 8.8, 9.8),
    (96.0, 7.6, -1.0, 8.0, 7.4, 7.4, 8.0),
)
ARM = (
    # x, y, z, up, down, front, back
    (8.0, 140.5, -3.0, 3.0, 5.5, 5.0, 5.5),
    (14.0, 140.5, -3.0, 4.4, 6.4, 6.2, 6.4),
    (19.0, 140.5, -3.0, 5.2, 6.0, 6.3, 6.3),
    (25.0, 140.5, -3.2, 4.9, 5.1, 5.3, 5.4),
    (33.0, 140.5, -3.6, 4.6, 4.6, 4.9, 4.7),
    (40.0, 140.5, -4.0, 4.0, 4.1, 4.1, 4.1),
    (44.0, 140.5, -4.0, 3.9, 3.9, 4.0, 4.2),
    (50.0, 140.5, -3.8, 4.1, 4.2, 4.6, 4.5),
    (57.0, 140.5, -3.4, 3.5, 3.6, 4.0, 3.9),
    (64.0, 140.5, -3.1, 2.5, 2.5, 3.2, 3.1),
    (68.0, 140.5, -3.0, 2.1, 2.2, 3.0, 3.0),
    (72.0, 140.5, -2.9, 1.9, 2.0, 3.4, 3.4),
)
NECK = (
    (132.0, 0.0, -5.0, 2.0, 2.0, 2.0, 2.0),
    (142.0, 0.0, -4.6, 5.6, 5.6, 4.8, 5.6),
    (148.0, 0.0, -3.9, 5.7, 5.7, 5.4, 5.8),
    (153.0, 0.0, -2.9, 5.5, 5.5, 5.6, 5.9),
    (160.0, 0.0, -1.6, 5.5, 5.5, 5.4, 6.0),
)
FINGER_RADII = {
    "thumb": (1.35, 1.05, 0.95, 0.75),
    "index": (0.98, 0.88, 0.78, 0.66),
    "middle": (1.0, 0.9, 0.8, 0.68),
    "ring": (0.95, 0.85, 0.76, 0.64),
    "pinky": (0.85, 0.75, 0.68, 0.58),
}


@dataclass(frozen=True, slots=True)
class Body:
    """The profiles of one figure, ready to be measured."""

    torso: Profile
    leg: Profile
    arm: Profile
    neck: Profile
    head: Head
    shoulder_shift: float
    bust: float
    belly: float
    gluteus: float


def build_body(figure: Figure) -> Body:
    """Fit the tables to a figure's traits."""
    heft, muscle = figure.heft, figure.muscle
    torso = _grow(TORSO_FEMALE if figure.female else TORSO_MALE, 1.0 + 0.9 * heft)
    torso[:, 3:5] += (0.4 * figure.hips * (torso[:, 0] < 100))[:, None]
    shift = shoulder_shift_cm(figure)
    torso[:, 3:5] += (0.6 * shift * (torso[:, 0] > 125) * (torso[:, 0] < 143))[:, None]
    slim = -0.5 if figure.female else 0.0
    arm = _grow(ARM, slim + 0.5 * heft + 0.5 * muscle)
    arm[:, 0] += shift
    return Body(
        torso=tabulate_profile("y", torso, exponent=2.3),
        leg=tabulate_profile("y", _grow(LEG, 0.55 * heft + 0.25 * muscle + 0.5 * slim)),
        arm=tabulate_profile("x", arm),
        neck=tabulate_profile("y", _grow(NECK, 0.4 * heft + 0.4 * muscle + 1.4 * slim)),
        head=build_head(figure),
        shoulder_shift=shift,
        bust=(1.0 + 0.3 * heft) if figure.female else 0.0,
        belly=max(0.0, heft),
        gluteus=1.0 if figure.female else 0.8,
    )


def _grow(rows: tuple[tuple[float, ...], ...], extra_cm: float) -> Knots:
    knots = np.array(rows, np.float32)
    room = np.minimum(knots[:, 3:7] / 5, 1)
    knots[:, 3:7] += np.float32(extra_cm) * room * room
    return knots


def body_distance(body: Body, points: Points) -> Distances:
    """Return the signed distance to the skin."""
    half = mirror(points)
    x, y = half[:, 0], half[:, 1]
    distance = measure_where((y > 62) & (x < 36), lambda p: trunk_distance(body, p), half)
    for near, limb, fillet in (
        (y < 110, lambda p: leg_distance(body, p), 4.0),
        ((x > 2) & (y > 118), lambda p: arm_distance(body, p), 6.0),
        ((y > 132) & (x < 22), lambda p: tube_distance(body.neck, p), 4.5),
        ((y > 140) & (x < 24), lambda p: head_distance(body.head, p), 2.0),
        (x > 58, lambda p: hand_distance(body, p), 1.2),
        (y < 20, foot_distance, 2.0),
    ):
        distance = smooth_union(distance, measure_where(near, limb, half), fillet)
    return distance


def trunk_distance(body: Body, half: Points) -> Distances:
    """Return the distance to the torso with bust, belly and buttocks."""
    distance = tube_distance(body.torso, half)
    if body.bust:
        bust = ellipsoid_distance(half, centre=(7.4, 124.5, 6.4), radii=(6.6, 6.8, 5.6 * body.bust))
        distance = smooth_union(distance, bust, 3.5)
    if body.belly:
        belly = ellipsoid_distance(
            half, centre=(0.0, 103.0, 4.0), radii=(12.5, 13.0, 6.9 + 4.0 * body.belly)
        )
        distance = smooth_union(distance, belly, 5.0)
    seat = ellipsoid_distance(half, centre=(7.2, 88.5, -7.5), radii=(7.6, 8.0, 6.0 * body.gluteus))
    return smooth_union(distance, seat, 4.0)


def leg_distance(body: Body, half: Points) -> Distances:
    """Return the distance to the leg, hip to ankle."""
    return tube_distance(body.leg, half)


def arm_distance(body: Body, half: Points) -> Distances:
    """Return the distance to the arm, shoulder to wrist."""
    return tube_distance(body.arm, half)


def hand_distance(body: Body, half: Points) -> Distances:
    """Return the distance to palm, fingers and thumb."""
    local = half - np.array([body.shoulder_shift, 0, 0], np.float32)
    palm = box_distance(local, centre=(73.4, 140.5, -2.9), half=(4.9, 1.45, 4.1), rounding=1.3)
    heel = ellipsoid_distance(local, centre=(72.6, 139.7, 0.3), radii=(3.6, 1.5, 2.0))
    distance = smooth_union(palm, heel, 1.5)
    for finger in ("thumb", *FINGERS):
        distance = smooth_union(distance, _finger_distance(local, finger), 0.7)
    return distance


def _finger_distance(local: Points, finger: str) -> Distances:
    joints = finger_joints(finger).astype(np.float32)
    radii = FINGER_RADII[finger]
    distance = cone_distance(local, ends=joints[:2], radii=(radii[0], radii[1]))
    for number in (1, 2):
        part = cone_distance(
            local, ends=joints[number : number + 2], radii=(radii[number], radii[number + 1])
        )
        distance = smooth_union(distance, part, 0.25)
    return distance


def foot_distance(half: Points) -> Distances:
    """Return the distance to the bare foot, flat below."""
    heel = ellipsoid_distance(half, centre=(10.5, 4.0, -4.2), radii=(3.4, 4.4, 4.4))
    ball = ellipsoid_distance(half, centre=(11.9, 2.0, 8.2), radii=(4.7, 2.9, 6.5))
    arch = cone_distance(
        half, ends=np.array([[10.5, 6.0, -1], [11.6, 2.6, 9]], np.float32), radii=(3.6, 2.6)
    )
    distance = smooth_union(smooth_union(heel, ball, 4.0), arch, 3.0)
    floor: Distances = np.maximum(distance, -half[:, 1])
    return floor
