"""Two-bone limbs that reach: the turns of upper and lower bone that put their end on a target.

Turns are `skeleton.py`'s: in the T-pose's axes, each carried along by its parent.
Source: the law of cosines; the elbow or knee lies towards a given direction.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.spatial.transform import Rotation

Vector = Float64[np.ndarray, " 3"]
Matrix = Float64[np.ndarray, "3 3"]

LONGEST = 0.998
"""Of a limb's length: it is never quite straight."""


@dataclass(frozen=True, slots=True)
class Limb:
    """A limb at rest. root, middle, end: its joints. hinge: axis of the middle joint, at rest."""

    root: Vector
    middle: Vector
    end: Vector
    hinge: Vector


def unit(vector: Vector) -> Vector:
    """Return a vector's direction."""
    return np.asarray(vector / np.linalg.norm(vector))


def frame(along: Vector, beside: Vector) -> Matrix:
    """Return axes whose first is `along` and whose second is as near to `beside` as it can be."""
    first = unit(along)
    second = unit(beside - (beside @ first) * first)
    return np.stack([first, second, np.cross(first, second)], axis=1)


def reach(
    limb: Limb, parent: Matrix, root: Vector, target: Vector, towards: Vector
) -> tuple[Matrix, Matrix, Matrix]:
    """Return the turns of both bones, and the lower bone's turn in the world.

    parent: the parent bone's turn in the world. root: where the limb's root is now. towards:
    where elbow or knee points, world.
    """
    upper, lower = limb.middle - limb.root, limb.end - limb.middle
    a, b = float(np.linalg.norm(upper)), float(np.linalg.norm(lower))
    line = target - root
    distance = float(np.clip(np.linalg.norm(line), 1.02 * abs(a - b) + 1e-6, LONGEST * (a + b)))
    ahead = unit(line)
    aside = unit(towards - (towards @ ahead) * ahead)
    cosine = (a * a + distance * distance - b * b) / (2 * a * distance)
    sine = float(np.sqrt(max(0.0, 1 - cosine * cosine)))
    middle = root + a * (cosine * ahead + sine * aside)
    end = root + distance * ahead
    axis = unit(np.cross(middle - root, end - middle))
    world_upper = frame(middle - root, axis) @ frame(upper, limb.hinge).T
    world_lower = frame(end - middle, axis) @ frame(lower, limb.hinge).T
    return parent.T @ world_upper, world_upper.T @ world_lower, world_lower


def split_twist(turn: Matrix, axis: int) -> tuple[Matrix, Matrix]:
    """Return a turn as twist about a rest axis first, then the rest: turn = swing @ twist."""
    quaternion = Rotation.from_matrix(turn).as_quat()
    twist = np.zeros(4)
    twist[axis], twist[3] = quaternion[axis], quaternion[3]
    if np.linalg.norm(twist) < 1e-9:
        return np.asarray(turn), np.eye(3)
    matrix = Rotation.from_quat(twist).as_matrix()
    return np.asarray(turn @ matrix.T), np.asarray(matrix)
