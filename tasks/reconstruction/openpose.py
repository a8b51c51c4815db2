"""OpenPose's JSON of a photograph: BODY_25 and both hands, to the 31 joints.

Source: docs/keypoints.md, "From OpenPose".
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from schemas.errors import InputError
from schemas.keypoints import JOINT_COUNT
from schemas.reconstruct_request import PersonChoice
from tasks.scans.joints import EAR_FROM_EYE, OPENPOSE_INDICES, load_json, to_array

BODY, HAND = 25, 21
KEYS = ("pose_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
ROWS = (BODY, HAND, HAND)
MAX_PEOPLE = 1000
MIN_JOINTS = 6
"""Fewer known joints of the body are no person whose parts could be aligned."""

MAX_OUTSIDE = 0.2
"""Share of the known joints of the body that may lie outside the photograph."""

MIN_IN_MASK = 0.5
"""Share of them that lie in the person's mask, if they are of this photograph."""

BODY_JOINTS = 17
_NEAR = 0.05


@dataclass(frozen=True, slots=True)
class Joints:
    """The 31 joints of a person: x, y, known (0 or 1); pixels of the photograph."""

    values: Float[np.ndarray, "31 3"]

    @property
    def known(self) -> Bool[np.ndarray, " 31"]:
        """Return which of them are known."""
        known: Bool[np.ndarray, " 31"] = self.values[:, 2] > 0
        return known

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of the known ones."""
        points = self.values[self.known, :2]
        (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


def read_openpose(path: Path, person: PersonChoice, size: tuple[int, int]) -> Joints:
    """Read the joints of one person; size: height and width of the photograph.

    Raises InputError when the file is broken, shows nobody, several people where one is asked
    for, or joints that lie outside the photograph: those of another one.
    """
    content = load_json(path)
    people = content.get("people") if isinstance(content, dict) else None
    if not isinstance(people, list) or len(people) > MAX_PEOPLE:
        raise _refuse(path, "no list of people", 'a JSON object with "people", from OpenPose')
    found = [joints for one in people if (joints := _read_person(path, one)) is not None]
    if not found:
        raise _refuse(path, f"no person among {len(people)}", "a person, seen by OpenPose")
    if len(found) > 1 and person == "only":
        raise _refuse(path, f"{len(found)} people", "one person, since --person only was given")
    chosen = max(found, key=_area)
    check_inside(chosen, size, str(path))
    return chosen


def check_inside(joints: Joints, size: tuple[int, int], name: str) -> None:
    """Refuse joints that are not of a photograph of this size (height, width)."""
    points = joints.values[:BODY_JOINTS][joints.known[:BODY_JOINTS], :2]
    height, width = size
    slack = _NEAR * max(size)
    outside = (points < -slack) | (points > np.array([width, height]) + slack)
    if outside.any(axis=1).mean() > MAX_OUTSIDE:
        raise _refuse(
            Path(name), f"joints up to ({points[:, 0].max():.0f}, {points[:, 1].max():.0f})",
            f"joints inside the photograph of {width} x {height} pixels",
        )  # fmt: skip
    if max(size) > 2 * MIN_JOINTS and points.max() <= 1:
        raise _refuse(Path(name), "joints between 0 and 1", "joints in pixels (keypoint_scale 0)")


def check_in_mask(joints: Joints, mask: Bool[np.ndarray, "H W"], name: str) -> None:
    """Refuse joints that lie beside the person's mask: they are of another photograph."""
    points = joints.values[:BODY_JOINTS][joints.known[:BODY_JOINTS], :2].astype(int)
    height, width = mask.shape
    rows, columns = points[:, 1].clip(0, height - 1), points[:, 0].clip(0, width - 1)
    share = float(mask[rows, columns].mean())
    if share < MIN_IN_MASK:
        raise _refuse(
            Path(name), f"{share:.0%} of the body's joints in the mask",
            f"at least {MIN_IN_MASK:.0%}: joints and mask of the same photograph",
        )  # fmt: skip


def _read_person(path: Path, person: object) -> Joints | None:
    """Return a person's joints; None for somebody of whom too little is seen."""
    if not isinstance(person, dict):
        raise _refuse(path, f"a {type(person).__name__} as person", "an object with joints")
    tables = zip(KEYS, ROWS, strict=True)
    rows = np.concatenate([_table(path, person.get(key, []), key, n) for key, n in tables])
    known = (rows[:, 2] > 0) & rows[:, :2].any(axis=1)
    for ear, eye in EAR_FROM_EYE:
        if not known[ear]:
            rows[ear], known[ear] = rows[eye], known[eye]
    chosen = list(OPENPOSE_INDICES)
    values = np.zeros((JOINT_COUNT, 3))
    values[:, :2] = np.where(known[chosen, None], rows[chosen, :2], 0)
    values[:, 2] = known[chosen]
    return Joints(values) if values[:BODY_JOINTS, 2].sum() >= MIN_JOINTS else None


def _table(path: Path, value: object, key: str, rows: int) -> Float[np.ndarray, "N 3"]:
    """Read a flat list of x, y, confidence; an empty one means that nothing is known."""
    flat = to_array(path, value, key)
    if flat.size == 0:
        return np.zeros((rows, 3))
    if flat.shape != (3 * rows,) or not np.isfinite(flat).all():
        raise _refuse(path, f"{key} of shape {flat.shape}", f"{3 * rows} finite numbers")
    return flat.reshape(rows, 3).copy()


def _area(joints: Joints) -> float:
    left, top, right, bottom = joints.extent
    return (right - left) * (bottom - top)


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path), found=found, expected=expected,
        hint="Run OpenPose on this photograph, with --hand and --write_json.",
    )  # fmt: skip
