"""Legs that put both feet where they belong, under a pelvis that keeps the body in balance."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from people.human_body import HumanBody, PosedBody, pose_body
from people.human_mesh import piece_mesh
from people.human_skeleton import share_along_spine
from people.limb_reach import Limb, Vector, reach
from people.skeleton import Rotations

SIDES = ("left", "right")
BALANCE_ROUNDS = 3
DROP_SHARE = 0.008
"""How much a knee is bent at least, as a share of the leg's length."""
BALL_AHEAD_CM, STANDARD_HEIGHT_CM = 4.0, 170.0
"""The mass is over a point this far before the ankle, of a body of that height."""


@dataclass(frozen=True, slots=True)
class FootGoal:
    """Where a foot is. ankle: in the T-pose's coordinates. pitch_deg: the heel lifted so far."""

    ankle: Vector
    toe_out_deg: float
    pitch_deg: float


def balance(
    body: HumanBody, rotations: Rotations, goals: dict[str, FootGoal], left_share: float
) -> tuple[Rotations, Vector]:
    """Return the legs' turns that bring the mass over the feet, and how the pelvis has moved.

    left_share: how much of the weight the left foot bears.
    """
    goal = left_share * goals["left"].ankle + (1 - left_share) * goals["right"].ankle
    goal = goal + np.array([0.0, 0.0, BALL_AHEAD_CM * body.height_cm / STANDARD_HEIGHT_CM])
    shift = np.array([0.7 * goal[0], 0.0, 0.0])
    legs: Rotations = {}
    for _ in range(BALANCE_ROUNDS):
        legs = solve_legs(body, rotations, goals, shift)
        centre = mass_centre(pose_body(body, share_along_spine(rotations | legs)))
        # The posed body is on the floor, but its pelvis is not moved sideways.
        off = goal - (centre + shift)
        shift = shift + np.array([off[0], 0.0, off[2]])
    return legs, shift


def solve_legs(
    body: HumanBody, rotations: Rotations, goals: dict[str, FootGoal], shift: Vector
) -> Rotations:
    """Return both legs' turns; the pelvis is moved by `shift` and lowered as they need."""
    skeleton, pelvis = body.skeleton, rotations["pelvis"]
    centre = skeleton.head("pelvis")
    hips = {
        side: centre + shift + pelvis @ (skeleton.head(f"{side}_thigh") - centre) for side in SIDES
    }
    drop = max(_too_high(body, side, hips[side], goals[side].ankle) for side in SIDES)
    turns: Rotations = {}
    for side in SIDES:
        goal, sign = goals[side], 1.0 if side == "left" else -1.0
        yaw = sign * np.radians(goal.toe_out_deg)
        limb = Limb(
            skeleton.head(f"{side}_thigh"),
            skeleton.head(f"{side}_shin"),
            skeleton.head(f"{side}_foot"),
            np.array([1.0, 0.0, 0.0]),
        )
        towards = np.array([np.sin(yaw) + 0.04 * sign, 0.0, np.cos(yaw)])
        root = hips[side] - np.array([0.0, drop, 0.0])
        upper, lower, world = reach(limb, pelvis, root, goal.ankle, towards)
        angles = (np.degrees(yaw), goal.pitch_deg)
        foot = Rotation.from_euler("YX", angles, degrees=True).as_matrix()
        toes = Rotation.from_euler("x", min(0.0, -goal.pitch_deg), degrees=True).as_matrix()
        turns |= {
            f"{side}_thigh": upper,
            f"{side}_shin": lower,
            f"{side}_foot": world.T @ foot,
            f"{side}_toes": toes,
        }
    return turns


def _too_high(body: HumanBody, side: str, hip: Vector, ankle: Vector) -> float:
    """Return how far a hip must be lowered for its leg to reach the ankle, knee a little bent."""
    joints = [body.skeleton.head(f"{side}_{bone}") for bone in ("thigh", "shin", "foot")]
    bones = np.linalg.norm(joints[1] - joints[0]) + np.linalg.norm(joints[2] - joints[1])
    length = float(bones) * (1 - DROP_SHARE)
    flat = hip - ankle
    high = np.sqrt(max(1.0, length * length - flat[0] ** 2 - flat[2] ** 2))
    return float(flat[1] - high)


def mass_centre(posed: PosedBody) -> Vector:
    """Return the centre of the body's volume, centimetres."""
    skin = piece_mesh("skin", 0)
    place = skin.place(posed.vertices).astype(np.float64)
    a, b, c = (place[skin.faces[:, i]] for i in range(3))
    volume = (a * np.cross(b, c)).sum(axis=1)
    return np.asarray(((a + b + c) * volume[:, None]).sum(axis=0) / (4 * volume.sum()))
