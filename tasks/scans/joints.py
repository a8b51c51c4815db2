"""Joint annotations beside a scan, read and checked, not yet interpreted.

Joint3D is a JSON of COCO-WholeBody joints. kp3ds.json, which 2K2K scans ship with, is triangulated
from OpenPose and published without a word about its order, so that it is checked against what a
body looks like. Source: docs/keypoints.md, "Projection" and "From OpenPose".
"""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from schemas.errors import InputError
from schemas.keypoints import COCO_WHOLEBODY_INDICES
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_TEXT_BYTES

MIN_JOINTS = 130
"""The highest COCO-WholeBody index in use is 129. Source: docs/keypoints.md, "The 31 joints"."""

OPENPOSE_NAME = "kp3ds.json"
"""What 2K2K scans ship with. Every other file is a Joint3D annotation."""

ROWS, COLUMNS = 118, 4
"""x, y, z, confidence of BODY_25, left hand, right hand, 51 points of the face."""

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


def read_annotation(path: Path) -> tuple[Float64[np.ndarray, "N 3"], Bool[np.ndarray, " N"]]:
    """Read joints as COCO-WholeBody positions (file coordinates) and which of them count.

    Raises InputError when the file is missing, broken, or not what its name says.
    """
    is_openpose = path.name == OPENPOSE_NAME
    return read_openpose3d(path) if is_openpose else read_joint3d(path)


def read_joint3d(path: Path) -> tuple[Float64[np.ndarray, "N 3"], Bool[np.ndarray, " N"]]:
    """Read joint positions (file coordinates and unit of the mesh) and which are visible.

    A position that is not visible may be anything; where it is not finite it becomes NaN.
    Raises InputError when the file is missing, no JSON, of the wrong shape, has fewer than 130
    joints, a visible flag other than 0 and 1, or a visible joint that is not finite.
    """
    content = load_json(path)
    if not isinstance(content, dict) or not {"joint3d", "visible"} <= content.keys():
        raise _refuse(path, f"a JSON {type(content).__name__}", 'keys "joint3d" and "visible"')
    positions = to_array(path, content["joint3d"], "joint3d")
    flags = to_array(path, content["visible"], "visible")
    if positions.ndim != 2 or positions.shape[1] != 3 or len(positions) < MIN_JOINTS:  # noqa: PLR2004 - rows of x, y, z
        raise _refuse(path, f"joint3d of shape {positions.shape}", f"(N, 3), N >= {MIN_JOINTS}")
    flags = flags[:, 0] if flags.shape == (len(positions), 1) else flags
    if flags.shape != (len(positions),):
        raise _refuse(path, f"visible of shape {flags.shape}", f"({len(positions)},)")
    return _check_values(path, positions, flags)


def _check_values(
    path: Path, positions: Float64[np.ndarray, "N 3"], flags: Float64[np.ndarray, " N"]
) -> tuple[Float64[np.ndarray, "N 3"], Bool[np.ndarray, " N"]]:
    odd = np.flatnonzero(~np.isin(flags, (0.0, 1.0)))
    if odd.size:
        raise _refuse(path, f"visible[{odd[0]}] = {flags[odd[0]]}", "0 or 1")
    visible: Bool[np.ndarray, " N"] = flags == 1
    finite: Bool[np.ndarray, " N"] = np.isfinite(positions).all(axis=1)
    bad = np.flatnonzero(visible & ~finite)
    if bad.size:
        found = f"visible joint {bad[0]} at {positions[bad[0]].tolist()}"
        raise _refuse(path, found, "finite coordinates")
    return np.where(finite[:, None], positions, np.nan), visible


def load_json(path: Path) -> object:
    """Read a JSON file; raises InputError when it is missing or no JSON."""
    data = read_whole(path, MAX_TEXT_BYTES)
    try:
        content: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _refuse(path, f"no JSON ({error})"[:200], "a JSON object") from error
    return content


def to_array(path: Path, value: object, key: str) -> Float64[np.ndarray, "..."]:
    """Turn rows of numbers into an array; raises InputError when they are none."""
    try:
        return np.array(value, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise _refuse(path, f"{key} is no table of numbers", "numbers in equal rows") from error


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
        str(path),
        found=found,
        expected=expected,
        hint="Fetch the annotation again, or take it away to render without joints.",
    )
