"""Read the SMPL-X parameters of a scan.

THuman2.0 has pickles, of plain float32 arrays or of trimesh's arrays with float64. 2K2K has JSON:
lists of numbers by the names of the smplx package, hands as 45 numbers, `transl` for where the
body is, in metres unless a `scale` says otherwise.
Source: docs/keypoints.md, "SMPL-X fits".
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float64, Shaped

from schemas.errors import InputError
from schemas.fits import (
    AXIS_ANGLE_COUNT,
    BETA_COUNT,
    BODY_POSE_COUNT,
    EXPRESSION_COUNT,
    HAND_COMPONENT_COUNT,
    HAND_POSE_COUNT,
    SmplxFit,
)
from tasks.fits.pickles import Table, read_pickled_table
from tasks.scans.joints import load_json, to_array

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
"""How many numbers each parameter has, whatever axes of length one are around them."""

JSON_SIZES = SIZES | dict.fromkeys(("left_hand_pose", "right_hand_pose"), HAND_POSE_COUNT)
JSON_REQUIRED = ("betas", "global_orient", "body_pose")
"""The others are 0, scale 1, when a JSON file leaves them out."""


def read_fit(path: Path) -> SmplxFit:
    """Read and check the parameters of one scan.

    Raises InputError when the file is hostile or broken, a parameter is missing, has another
    size or is not finite, or the scale is not positive.
    """
    is_json = path.suffix == ".json"
    table = _read_json(path) if is_json else read_pickled_table(path)
    sizes = JSON_SIZES if is_json else SIZES
    missing = [name for name in sizes if name not in table]
    if missing:
        raise _refuse(path, f"no {', '.join(missing)}", f"the parameters {', '.join(sizes)}")
    values = {name: _flatten(path, table[name], name, sizes[name]) for name in sizes}
    scale = float(values.pop("scale")[0])
    if not scale > 0:
        raise _refuse(path, f"scale {scale}", "a positive scale")
    return SmplxFit(scale=scale, **values)


def _read_json(path: Path) -> Table:
    """Read lists of numbers by name, and complete what may be left out."""
    content = load_json(path)
    if not isinstance(content, dict):
        raise _refuse(path, "no object", f"the parameters {', '.join(JSON_REQUIRED)}")
    named = {name: content[name] for name in (*JSON_SIZES, "transl") if name in content}
    table = {name: to_array(path, value, name).reshape(-1) for name, value in named.items()}
    for name, size in JSON_SIZES.items():
        if name not in table and name not in JSON_REQUIRED:
            table[name] = np.full(size, 1.0 if name == "scale" else 0.0)
    if (
        "transl" in table and table["scale"].size == 1
    ):  # the package adds it before anything scales the body
        table["translation"] = table.pop("transl") * table["scale"]
    return table


def _flatten(
    path: Path, stored: Shaped[np.ndarray, "..."], name: str, size: int
) -> Float64[np.ndarray, " N"]:
    if stored.size != size or max(stored.shape, default=1) != size:
        raise _refuse(path, f"{name} of shape {stored.shape}", f"{size} numbers")
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
