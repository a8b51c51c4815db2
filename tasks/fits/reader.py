"""Read the SMPL-X parameters of a scan.

Both published releases are read: plain float32 arrays, and trimesh's arrays with float64.
Source: docs/keypoints.md, "SMPL-X fits".
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float64

from schemas.errors import InputError
from schemas.fits import (
    AXIS_ANGLE_COUNT,
    BETA_COUNT,
    BODY_POSE_COUNT,
    EXPRESSION_COUNT,
    HAND_COMPONENT_COUNT,
    SmplxFit,
)
from tasks.fits.pickles import Table, read_pickled_table

SIZES: dict[str, int] = {
    "betas": BETA_COUNT,
    "expression": EXPRESSION_COUNT,
    "global_orient": AXIS_ANGLE_COUNT,
    "body_pose": BODY_POSE_COUNT,
    "left_hand_pose": HAND_COMPONENT_COUNT,
    "right_hand_pose": HAND_COMPONENT_COUNT,
    "jaw_pose": AXIS_ANGLE_COUNT,
    "leye_pose": AXIS_ANGLE_COUNT,
    "reye_pose": AXIS_ANGLE_COUNT,
    "scale": 1,
    "translation": AXIS_ANGLE_COUNT,
}
"""How many numbers each parameter has, whatever axes of length one stand around them."""


def read_fit(path: Path) -> SmplxFit:
    """Read and check the parameters of one scan.

    Raises InputError when the file is hostile or broken, a parameter is missing, has another
    size or is not finite, or the scale is not positive.
    """
    table = read_pickled_table(path)
    missing = [name for name in SIZES if name not in table]
    if missing:
        raise _refuse(path, f"no {', '.join(missing)}", f"the parameters {', '.join(SIZES)}")
    values = {name: _flatten(path, table, name) for name in SIZES}
    scale = float(values.pop("scale")[0])
    if not scale > 0:
        raise _refuse(path, f"scale {scale}", "a positive scale")
    return SmplxFit(scale=scale, **values)


def _flatten(path: Path, table: Table, name: str) -> Float64[np.ndarray, " N"]:
    stored = table[name]
    if stored.size != SIZES[name] or max(stored.shape, default=1) != SIZES[name]:
        raise _refuse(path, f"{name} of shape {stored.shape}", f"{SIZES[name]} numbers")
    values: Float64[np.ndarray, " N"] = stored.astype(np.float64).reshape(-1)
    if not np.isfinite(values).all():
        raise _refuse(path, f"{name} = {values.tolist()}", "finite numbers")
    return values


def _refuse(path: Path, found: str, expected: str) -> InputError:
    return InputError(
        str(path),
        found=found,
        expected=expected,
        hint="Fetch the fit again, or take it away to render the scan unturned.",
    )
