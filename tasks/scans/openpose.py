"""The joints that 2K2K scans ship with: `kp3ds.json`, triangulated from OpenPose.

118 rows of x, y, z, confidence: BODY_25, left hand, right hand, 51 points of the face. Published
without a word about the order, so it is checked against what a body looks like.
Source: docs/keypoints.md, "Projection" and "From OpenPose".
"""

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from schemas.errors import InputError
from schemas.keypoints import COCO_WHOLEBODY_INDICES
from tasks.scans.joints import MIN_JOINTS, load_json, to_array

FILE_NAME = "kp3ds.json"
ROWS, COLUMNS = 118, 4
LEFT_HAND, RIGHT_HAND = 25, 46
"""Rows at which the hands begin; each has 21."""

LEFT_FINGERS = tuple(LEFT_HAND + point for point in (6, 10, 14, 18))
RIGHT_FINGERS = tuple(RIGHT_HAND + point for point in (6, 10, 14, 18))
OPENPOSE_INDICES: tuple[int, ...] = (
    *(0, 16, 15, 18, 17),
    *(5, 2, 6, 3, 7, 4),
    *(12, 9, 13, 10, 14, 11),
    *(19, 20, 21, 22, 23, 24),
    *LEFT_FINGERS,
    *RIGHT_FINGERS,
)
"""The row for each joint here. Source: docs/keypoints.md, "From OpenPose"."""

EAR_FROM_EYE = ((18, 16), (17, 15))
"""(ear, eye): a missing ear takes the eye. Source: as above."""

WRISTS = ((7, LEFT_HAND, "left"), (4, RIGHT_HAND, "right"))
HIPS_AND_ANKLES = ((12, 14, "left"), (9, 11, "right"))
MAX_HAND_GAP = 0.15
"""Of the body's extent, between a wrist and the root of its hand."""


def read_openpose3d(path: Path) -> tuple[Float64[np.ndarray, "N 3"], Bool[np.ndarray, " N"]]:
    """Read the joints as COCO-WholeBody positions and which are known; others are NaN.

    Raises InputError when the file is missing, no JSON, of another shape, or its order can't be
    the one that it is taken for: ankles above hips, or a hand far from its wrist.
    """
    table = to_array(path, load_json(path), "the table")
    if table.shape != (ROWS, COLUMNS):
        raise _refuse(path, f"a table of shape {table.shape}", f"({ROWS}, {COLUMNS})")
    known: Bool[np.ndarray, " R"] = table[:, 3] > 0
    points: Float64[np.ndarray, "R 3"] = np.where(known[:, None], table[:, :3], np.nan)
    if not np.isfinite(points[known]).all():
        raise _refuse(path, "a known joint that is not finite", "finite coordinates")
    _check_order(path, points)
    for ear, eye in EAR_FROM_EYE:
        if not known[ear]:
            points[ear], known[ear] = points[eye], known[eye]
    positions, visible = np.full((MIN_JOINTS, 3), np.nan), np.zeros(MIN_JOINTS, bool)
    positions[list(COCO_WHOLEBODY_INDICES)] = points[list(OPENPOSE_INDICES)]
    visible[list(COCO_WHOLEBODY_INDICES)] = known[list(OPENPOSE_INDICES)]
    return positions, visible


def _check_order(path: Path, points: Float64[np.ndarray, "R 3"]) -> None:
    """Refuse joints that would be a body only in another order; unknown ones prove nothing."""
    for hip, ankle, side in HIPS_AND_ANKLES:
        if points[ankle, 1] > points[hip, 1]:
            found = f"the {side} ankle (row {ankle}) above the hip (row {hip})"
            raise _refuse(path, found, "ankles below hips, in the order BODY_25, hands, face")
    finite = points[np.isfinite(points[:, 0])]
    extent = float(np.ptp(finite, axis=0).max()) if len(finite) else 0.0
    for wrist, hand, side in WRISTS:
        gap = float(np.linalg.norm(points[hand] - points[wrist]))
        if gap > MAX_HAND_GAP * extent:
            found = f"the {side} hand (row {hand}) {gap:.3g} from its wrist (row {wrist})"
            expected = f"at most {MAX_HAND_GAP * extent:.3g}, in the order BODY_25, hands, face"
            raise _refuse(path, found, expected)


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path), found=found, expected=expected,
        hint="Give a Joint3D annotation, or take the file away to render without joints.",
    )  # fmt: skip
