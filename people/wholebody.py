"""The 133 COCO-WholeBody joints of a figure: where they lie at rest and which bone carries them.

17 body, 6 feet, 68 face, 21 left hand, 21 right hand. Source: COCO-WholeBody (Jin et al. 2020),
docs/keypoints.md for the numbers used here.
"""

import numpy as np
from jaxtyping import Float64

from people.head import Head, from_head
from people.meshing import DistanceFunction, newton_step
from people.skeleton import FINGERS, Skeleton, Transforms

JOINT_COUNT = 133
USED = (*range(23), 96, 100, 104, 108, 117, 121, 125, 129)
"""The 31 kept joints. Source: docs/keypoints.md."""
LEFT_HAND_FROM, RIGHT_HAND_FROM, FACE_FROM = 91, 112, 23

HEAD_POINTS: tuple[tuple[float, float, float], ...] = (
    (0.0, 159.8, 9.6),
    (3.15, 163.6, 6.75),
    (-3.15, 163.6, 6.75),
    (7.4, 161.5, -1.0),
    (-7.4, 161.5, -1.0),
)
"""Nose, eyes and ears, just below the skin."""
BODY_BONES = ("upper_arm", "forearm", "hand", "thigh", "shin", "foot")
FOOT_POINTS = (("big_toe", "toes"), ("small_toe", "toes"), ("heel", "foot"))

BROW = (
    (5.6, 165.2, 6.4),
    (4.7, 165.9, 7.3),
    (3.6, 166.1, 8.0),
    (2.5, 165.9, 8.4),
    (1.4, 165.5, 8.6),
)
EYE = (
    (4.4, 163.6, 7.2),
    (3.7, 164.1, 7.8),
    (2.7, 164.1, 7.9),
    (2.0, 163.5, 7.5),
    (2.7, 163.1, 7.8),
    (3.7, 163.1, 7.7),
)
NOSE = ((0.0, 163.8, 8.9), (0.0, 162.4, 9.4), (0.0, 161.0, 10.0), (0.0, 159.7, 10.6))
NOSTRILS = (
    (-1.6, 158.8, 8.8),
    (-0.8, 158.5, 9.3),
    (0.0, 158.4, 9.6),
    (0.8, 158.5, 9.3),
    (1.6, 158.8, 8.8),
)
LIPS_OUTER = (
    (-2.4, 156.0, 8.0),
    (-1.5, 156.6, 8.7),
    (-0.6, 156.9, 9.1),
    (0.0, 156.8, 9.2),
    (0.6, 156.9, 9.1),
    (1.5, 156.6, 8.7),
    (2.4, 156.0, 8.0),
    (1.5, 155.2, 8.6),
    (0.6, 154.9, 8.9),
    (0.0, 154.9, 9.0),
    (-0.6, 154.9, 8.9),
    (-1.5, 155.2, 8.6),
)
LIPS_INNER = (
    (-2.0, 156.0, 8.2),
    (-0.8, 156.15, 8.9),
    (0.0, 156.1, 9.0),
    (0.8, 156.15, 8.9),
    (2.0, 156.0, 8.2),
    (0.8, 155.85, 8.9),
    (0.0, 155.8, 9.0),
    (-0.8, 155.85, 8.9),
)
SETTLE_ROUNDS = 8
JAW_ANGLES = 17
JAW_CENTRE, JAW_RADII = (0.0, 160.0, 1.0), (6.9, 7.6, 6.8)


def settle_face(
    joints: Float64[np.ndarray, "133 3"], surface: DistanceFunction
) -> Float64[np.ndarray, "133 3"]:
    """Move the 68 face points onto a surface, along its gradient."""
    resolved, face = joints.copy(), joints[FACE_FROM:LEFT_HAND_FROM].astype(np.float32)
    for _ in range(SETTLE_ROUNDS):
        face = newton_step(surface, face)
    resolved[FACE_FROM:LEFT_HAND_FROM] = face
    return resolved


def rest_joints(
    skeleton: Skeleton, head: Head
) -> tuple[Float64[np.ndarray, "133 3"], tuple[str, ...]]:
    """Return the joints at rest, canonical centimetres, and the bone that carries each."""
    joints = np.zeros((JOINT_COUNT, 3))
    bones = ["head"] * JOINT_COUNT
    face = np.array([*HEAD_POINTS, *_face_points()], np.float32)
    placed = from_head(head, face).astype(np.float64)
    joints[: len(HEAD_POINTS)] = placed[: len(HEAD_POINTS)]
    joints[FACE_FROM:LEFT_HAND_FROM] = placed[len(HEAD_POINTS) :]
    for number, (name, bone) in enumerate(_body_rows(), start=len(HEAD_POINTS)):
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


def _face_points() -> list[tuple[float, float, float]]:
    """Return the 68 face points, from the person's right jaw on, in the order of iBUG 300-W."""
    angles = np.linspace(np.pi, 2 * np.pi, JAW_ANGLES)
    lean = np.sin(angles) ** 2
    jaw = [
        (
            JAW_RADII[0] * float(np.cos(angle)),
            JAW_CENTRE[1] + JAW_RADII[1] * float(np.sin(angle)),
            JAW_CENTRE[2] + JAW_RADII[2] * float(forward),
        )
        for angle, forward in zip(angles, lean, strict=True)
    ]
    right_brow = [(-x, y, z) for x, y, z in BROW]
    right_eye = [(-x, y, z) for x, y, z in EYE]
    left_eye = [EYE[i] for i in (3, 2, 1, 0, 5, 4)]
    brows = [*right_brow, *reversed(BROW)]
    points: list[tuple[float, float, float]] = [*jaw, *brows, *NOSE, *NOSTRILS]
    return [*points, *right_eye, *left_eye, *LIPS_OUTER, *LIPS_INNER]


def pose_joints(
    joints: Float64[np.ndarray, "133 3"], bones: tuple[str, ...], transforms: Transforms
) -> Float64[np.ndarray, "133 3"]:
    """Carry rest joints along with their bones."""
    matrices = np.stack([transforms[bone][:3] for bone in bones])
    posed: Float64[np.ndarray, "133 3"] = (
        np.einsum("nij,nj->ni", matrices[:, :, :3], joints) + matrices[:, :, 3]
    )
    return posed
