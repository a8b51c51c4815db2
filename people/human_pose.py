"""How a person is posed for a scan: a row of the table, varied, arms kept clear of the body."""

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from people.figure import POSES
from people.human_body import REGIONS, HumanBody, PosedBody, body_regions, pose_body
from people.human_mesh import piece_mesh
from people.meshing import vertex_normals
from people.pose import pose_rotations, pose_table
from people.skeleton import Rotations

TRUNK = ("hips", "belly", "chest", "left_thigh", "right_thigh")
CLEARANCE_CM = 1.6
"""Room for the clothes between arm and trunk."""
LIFT_DEG, ROUNDS, STEP = 2.5, 12, 5
"""Degrees an arm is lifted in a round; rounds; every how many-th vertex of an arm is looked at."""


def draw_human_pose(body: HumanBody, rng: np.random.Generator) -> Rotations:
    """Draw a person's own pose."""
    name = POSES[int(rng.integers(len(POSES)))]
    heft = float(np.clip(2 * body.traits.phenotype.weight - 0.9, -1, 1))
    return clear_human_arms(body, pose_rotations(heft, pose_table().turns_of(name), rng))


def clear_human_arms(body: HumanBody, rotations: Rotations) -> Rotations:
    """Return a pose in which neither arm is inside trunk or thighs."""
    cleared = dict(rotations)
    for _ in range(ROUNDS):
        posed = pose_body(body, cleared)
        touching = [side for side in ("left", "right") if arm_gap_cm(posed, side) < CLEARANCE_CM]
        for side in touching:
            sign = 1 if side == "left" else -1
            lift = Rotation.from_euler("z", sign * LIFT_DEG, degrees=True).as_matrix()
            cleared[f"{side}_upper_arm"] = lift @ cleared[f"{side}_upper_arm"]
        if not touching:
            break
    return cleared


def arm_gap_cm(posed: PosedBody, side: str) -> float:
    """Return how far a forearm and hand are from trunk and thighs; negative: how deep inside."""
    skin = piece_mesh("skin", 0)
    place = skin.place(posed.vertices)
    region = body_regions()
    trunk = np.isin(region, [REGIONS.index(name) for name in TRUNK])
    arm = np.isin(region, [REGIONS.index(f"{side}_{name}") for name in ("forearm", "hand")])
    normals = vertex_normals(place, skin.faces)[trunk]
    points = place[arm][::STEP]
    flat, near = cKDTree(place[trunk]).query(points)
    offset = points - place[trunk][near]
    along = (offset * normals[near]).sum(axis=1)
    signed = np.where(along < 0, -flat, flat)
    return float(signed.min())
