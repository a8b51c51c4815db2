"""The 31 joints of this project: names, places in COCO-WholeBody, and the bones between them.

Source: docs/keypoints.md, "The 31 joints"; COCO-WholeBody's numbering of 133 joints.
"""

from enum import IntEnum
from typing import NamedTuple


class KeypointSource(IntEnum):
    """Where a joint came from; what `keypoint_source` stores."""

    NONE = 0
    ANNOTATED = 1
    CORRECTED = 2
    COPIED = 3
    SMPLX = 4


class JointDefinition(NamedTuple):
    """One joint: its name and its index in COCO-WholeBody."""

    name: str
    coco_wholebody: int


JOINTS: tuple[JointDefinition, ...] = (
    JointDefinition("nose", 0),
    JointDefinition("left eye", 1),
    JointDefinition("right eye", 2),
    JointDefinition("left ear", 3),
    JointDefinition("right ear", 4),
    JointDefinition("left shoulder", 5),
    JointDefinition("right shoulder", 6),
    JointDefinition("left elbow", 7),
    JointDefinition("right elbow", 8),
    JointDefinition("left wrist", 9),
    JointDefinition("right wrist", 10),
    JointDefinition("left hip", 11),
    JointDefinition("right hip", 12),
    JointDefinition("left knee", 13),
    JointDefinition("right knee", 14),
    JointDefinition("left ankle", 15),
    JointDefinition("right ankle", 16),
    JointDefinition("left big toe", 17),
    JointDefinition("left small toe", 18),
    JointDefinition("left heel", 19),
    JointDefinition("right big toe", 20),
    JointDefinition("right small toe", 21),
    JointDefinition("right heel", 22),
    JointDefinition("left index", 96),
    JointDefinition("left middle", 100),
    JointDefinition("left ring", 104),
    JointDefinition("left pinky", 108),
    JointDefinition("right index", 117),
    JointDefinition("right middle", 121),
    JointDefinition("right ring", 125),
    JointDefinition("right pinky", 129),
)

JOINT_COUNT = len(JOINTS)
COCO_WHOLEBODY_INDICES: tuple[int, ...] = tuple(joint.coco_wholebody for joint in JOINTS)
JOINT_OF_COCO: dict[int, int] = {joint.coco_wholebody: here for here, joint in enumerate(JOINTS)}

SMPLX_INDICES: tuple[int, ...] = (
    *(55, 57, 56, 59, 58),
    *(16, 17, 18, 19, 20, 21),
    *(1, 2, 4, 5, 7, 8),
    *(60, 61, 62, 63, 64, 65),
    *(67, 68, 69, 70, 72, 73, 74, 75),
)
"""The SMPL-X joint for each joint here; fingers are tips there.

Source: docs/keypoints.md, "Gap filling", 3.
"""

BONES: tuple[tuple[int, int], ...] = (
    (0, 1), (0, 2), (1, 3), (2, 4),
    (5, 6), (5, 7), (7, 9), (6, 8), (8, 10),
    (5, 11), (6, 12), (11, 12),
    (11, 13), (13, 15), (12, 14), (14, 16),
    (15, 17), (15, 18), (15, 19), (16, 20), (16, 21), (16, 22),
    (9, 23), (9, 24), (9, 25), (9, 26), (10, 27), (10, 28), (10, 29), (10, 30),
)  # fmt: skip
"""Pairs of joints here, for drawing only."""

SKIN_DEPTH_M: tuple[float, ...] = (
    *(0.05, 0.05, 0.05, 0.10, 0.10),
    *(0.12, 0.12, 0.09, 0.09, 0.07, 0.07),
    *(0.18, 0.18, 0.12, 0.12, 0.10, 0.10),
    *(0.08, 0.08, 0.10, 0.08, 0.08, 0.10),
    *(0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05),
)
"""Metres that a joint may lie below the surface that shows it, clothes included.

Ours: half the thickness of the body there plus a hand's breadth of cloth; it separates a joint
under its own skin from one behind another part of the body.
"""
