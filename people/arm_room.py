"""How much room there is between an arm and the rest of a posed body."""

import numpy as np
from scipy.spatial import cKDTree

from people.human_body import REGIONS, PosedBody, body_regions
from people.human_mesh import piece_mesh
from people.meshing import vertex_normals

TRUNK = ("hips", "belly", "chest", "neck", "head", "left_thigh", "right_thigh")
STEP = 3
"""Every how many-th vertex of an arm is looked at."""
FACING = 0.6
"""Cosine from which a point counts as behind the surface."""


def arm_gap_cm(posed: PosedBody, side: str) -> float:
    """Return how far a forearm and hand are from trunk, head, thighs and the other forearm.

    Negative: how deep inside.
    """
    skin = piece_mesh("skin", 0)
    place = skin.place(posed.vertices)
    region = body_regions()
    other = "right" if side == "left" else "left"
    names = (*TRUNK, f"{other}_forearm", f"{other}_hand", f"{other}_upper_arm")
    trunk = np.isin(region, [REGIONS.index(name) for name in names])
    arm = np.isin(region, [REGIONS.index(f"{side}_{name}") for name in ("forearm", "hand")])
    normals = vertex_normals(place, skin.faces)[trunk]
    points = place[arm][::STEP]
    flat, near = cKDTree(place[trunk]).query(points)
    offset = points - place[trunk][near]
    along = (offset * normals[near]).sum(axis=1)
    # Beyond a rim (an ear, a finger) a normal may point away though the point is outside.
    inside = along < -FACING * flat
    return float(np.where(inside, -flat, flat).min())
