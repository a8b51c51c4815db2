"""Joint annotations: the Joint3D JSON beside a scan, read and checked, not yet interpreted."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_TEXT_BYTES

MIN_JOINTS = 130
"""The highest COCO-WholeBody index in use is 129. Source: docs/keypoints.md, "The 31 joints"."""


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


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path),
        found=found,
        expected=expected,
        hint="Fetch the annotation again, or take it away to render without joints.",
    )
