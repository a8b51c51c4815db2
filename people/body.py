"""The naked figure as signed distances: torso, limbs, hands, feet and head, all of the left half.

Measures: `canonical_figure.toml`, canonical centimetres at rest.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32

from people.figure import CANONICAL, Figure, read_table
from people.head import Head, build_head, head_distance
from people.shapes import (
    Distances,
    Points,
    Profile,
    Solid,
    Step,
    box,
    cone,
    ellipsoid,
    join_near,
    measure_where,
    mirror,
    sculpt,
    tabulate_profile,
    tube,
)
from people.skeleton import FINGERS, finger_joints, shoulder_shift_cm

Knots = Float32[np.ndarray, "K 7"]


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
    torso = _grow("torso_female" if figure.female else "torso_male", 1.0 + 0.9 * heft)
    torso[:, 3:5] += (0.4 * figure.hips * (torso[:, 0] < 100))[:, None]
    shift = shoulder_shift_cm(figure)
    torso[:, 3:5] += (0.6 * shift * (torso[:, 0] > 125) * (torso[:, 0] < 143))[:, None]
    slim = -0.5 if figure.female else 0.0
    arm = _grow("arm", slim + 0.5 * heft + 0.5 * muscle)
    arm[:, 0] += shift
    return Body(
        torso=tabulate_profile("y", torso, exponent=2.3),
        leg=tabulate_profile("y", _grow("leg", 0.55 * heft + 0.25 * muscle + 0.5 * slim)),
        arm=tabulate_profile("x", arm),
        neck=tabulate_profile("y", _grow("neck", 0.4 * heft + 0.4 * muscle + 1.4 * slim)),
        head=build_head(figure),
        shoulder_shift=shift,
        bust=(1.0 + 0.3 * heft) if figure.female else 0.0,
        belly=max(0.0, heft),
        gluteus=1.0 if figure.female else 0.8,
    )


def _grow(profile: str, extra_cm: float) -> Knots:
    knots = np.array(read_table(CANONICAL)["profiles"][profile], np.float32)
    room = np.minimum(knots[:, 3:7] / 5, 1)
    knots[:, 3:7] += np.float32(extra_cm) * room * room
    return knots


def body_distance(body: Body, points: Points) -> Distances:
    """Return the signed distance to the skin, centimetres at rest."""
    half = mirror(points)
    x, y = half[:, 0], half[:, 1]
    return join_near(
        measure_where((y > 62) & (x < 36), partial(trunk_distance, body), half),
        half,
        (y < 110, tube(body.leg), 4.0),
        ((x > 2) & (y > 118), tube(body.arm), 6.0),
        ((y > 132) & (x < 22), tube(body.neck), 4.5),
        ((y > 140) & (x < 24), partial(head_distance, body.head), 2.0),
        (x > 58, partial(_hand_distance, body), 1.2),
        (y < 20, _foot_distance, 2.0),
    )


def trunk_distance(body: Body, half: Points) -> Distances:
    """Return the distance to the torso with bust, belly and buttocks."""
    steps = [Step(ellipsoid((7.2, 88.5, -7.5), (7.6, 8.0, 6.0 * body.gluteus)), 4.0)]
    if body.belly:
        belly = ellipsoid((0.0, 103.0, 4.0), (12.5, 13.0, 6.9 + 4.0 * body.belly))
        steps.insert(0, Step(belly, 5.0))
    if body.bust:
        steps.insert(0, Step(ellipsoid((7.4, 124.5, 6.4), (6.6, 6.8, 5.6 * body.bust)), 3.5))
    return sculpt(half, tube(body.torso), *steps)


def _hand_distance(body: Body, half: Points) -> Distances:
    """Return the distance to palm, fingers and thumb."""
    palm = box((73.4, 140.5, -2.9), (4.9, 1.45, 4.1), rounding=1.3)
    heel = Step(ellipsoid((72.6, 139.7, 0.3), (3.6, 1.5, 2.0)), 1.5)
    fingers = (Step(_finger(finger), 0.7) for finger in ("thumb", *FINGERS))
    return sculpt(half - np.array([body.shoulder_shift, 0, 0], np.float32), palm, heel, *fingers)


def _finger(finger: str) -> Solid:
    joints, radii = (
        finger_joints(finger).astype(np.float32),
        read_table(CANONICAL)["finger_radii"][finger],
    )
    root, *others = (cone(joints[i : i + 2], (radii[i], radii[i + 1])) for i in range(3))
    return lambda points: sculpt(points, root, *(Step(bone, 0.25) for bone in others))


def _foot_distance(half: Points) -> Distances:
    """Return the distance to the bare foot, flat below."""
    heel = ellipsoid((10.5, 4.0, -4.2), (3.4, 4.4, 4.4))
    ball = Step(ellipsoid((11.9, 2.0, 8.2), (4.7, 2.9, 6.5)), 4.0)
    arch = Step(cone(((10.5, 6.0, -1), (11.6, 2.6, 9)), (3.6, 2.6)), 3.0)
    return np.asarray(np.maximum(sculpt(half, heel, ball, arch), -half[:, 1]))
