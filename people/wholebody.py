"""The 133 COCO-WholeBody joints of a figure: where they lie at rest and which bone carries them.

17 body, 6 feet, 68 face, 21 left hand, 21 right hand. Source: COCO-WholeBody (Jin et al. 2020),
docs/keypoints.md for the numbers used here.
"""

import numpy as np
from jaxtyping import Float32, Float64

from people.figure import CANONICAL, read_table
from people.head import Head, from_head
from people.meshing import DistanceFunction, newton_step
from people.skeleton import FINGERS, Skeleton

JOINT_COUNT = 133
BODY_FROM, FACE_FROM, LEFT_HAND_FROM, RIGHT_HAND_FROM = 5, 23, 91, 112

BODY_BONES = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
FOOT_POINTS = (("big_toe", "toes"), ("small_toe", "toes"), ("heel", "foot"))

SNAP_ROUNDS = 8
JAW_ANGLES = 17
JAW_CENTRE, JAW_RADII = (0.0, 160.0, 1.0), (6.9, 7.6, 6.8)


def snap_face(
    joints: Float64[np.ndarray, "133 3"], surface: DistanceFunction
) -> Float64[np.ndarray, "133 3"]:
    """Move the 68 face points onto a surface, along its gradient."""
    snapped, face = joints.copy(), joints[FACE_FROM:LEFT_HAND_FROM].astype(np.float32)
    for _ in range(SNAP_ROUNDS):
        face = newton_step(surface, face)
    snapped[FACE_FROM:LEFT_HAND_FROM] = face
    return snapped


def rest_joints(
    skeleton: Skeleton, head: Head
) -> tuple[Float64[np.ndarray, "133 3"], tuple[str, ...]]:
    """Return the joints at rest, canonical centimetres, and the bone that carries each."""
    joints = np.zeros((JOINT_COUNT, 3))
    bones = ["head"] * JOINT_COUNT
    placed = from_head(head, _head_points()).astype(np.float64)
    joints[:BODY_FROM], joints[FACE_FROM:LEFT_HAND_FROM] = np.split(placed, [BODY_FROM])
    for number, (name, bone) in enumerate(_body_rows(), start=BODY_FROM):
        joints[number], bones[number] = skeleton.head(name), bone
    for side, start in (("left", LEFT_HAND_FROM), ("right", RIGHT_HAND_FROM)):
        for number, (name, bone) in enumerate(_hand_rows(side), start=start):
            joints[number], bones[number] = skeleton.head(name), bone
    return joints, tuple(bones)


def _body_rows() -> list[tuple[str, str]]:
    rows = [
        (f"{side}_{bone}", f"{side}_{bone}") for bone in BODY_BONES for side in ("left", "right")
    ]
    for side in ("left", "right"):
        rows += [(f"{side}_{point}", f"{side}_{bone}") for point, bone in FOOT_POINTS]
    return rows


def _hand_rows(side: str) -> list[tuple[str, str]]:
    rows = [(f"{side}_hand", f"{side}_hand")]
    for finger in ("thumb", *FINGERS):
        rows += [(f"{side}_{finger}{n}", f"{side}_{finger}{n}") for n in (1, 2, 3)]
        rows.append((f"{side}_{finger}_tip", f"{side}_{finger}3"))
    return rows


def _head_points() -> Float32[np.ndarray, "73 3"]:
    """Return nose, eyes and ears, then the 68 face points in the order of iBUG 300-W.

    Canonical head coordinates; the face begins at the person's right jaw.
    """
    table = {name: np.array(rows) for name, rows in read_table(CANONICAL)["face"].items()}
    angles = np.linspace(np.pi, 2 * np.pi, JAW_ANGLES)
    round_the_jaw = np.stack([np.cos(angles), np.sin(angles), np.sin(angles) ** 2], axis=1)
    jaw = np.array(JAW_CENTRE) + np.array(JAW_RADII) * round_the_jaw
    brow, eye, to_right = table["brow"], table["eye"], np.array([-1.0, 1.0, 1.0])
    middle = (table["nose"], table["nostrils"], eye * to_right, eye[[3, 2, 1, 0, 5, 4]])
    lips = (table["lips_outer"], table["lips_inner"])
    points = (table["head_points"], jaw, brow * to_right, brow[::-1], *middle, *lips)
    return np.concatenate(points).astype(np.float32)
