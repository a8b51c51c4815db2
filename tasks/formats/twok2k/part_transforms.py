"""Whether the published loader can align the parts of a view: its rule for joints.

The loader fits a similarity (a, b, tx, ty) to each of twelve parts by least squares, from joints
in -1..1 to fixed targets, and inverts its matrix ((a, -b), (b, a)). Joints that are stored as zero
are no exception to it: they count as the corner (-1, -1). Where all joints of a part coincide, a
and b are 0 and the inverse does not exist. Source: docs/networks.md, "Part alignment".
"""

import numpy as np
from jaxtyping import Float64

from schemas.body_parts import FALLBACKS, FINGERS, PARTS, Part

MIN_SCALE = 1 / 1024
"""Of the fitted transform: below it the whole image shrinks to two pixels of 2048, which is
rounding where a and b are 0, or joints that contradict the part."""


def find_singular_parts(
    keypoints_px: Float64[np.ndarray, "31 3"], resolution: int
) -> tuple[str, ...]:
    """Name the parts whose transform the published loader can't invert.

    keypoints_px: x, y, known; corner-origin pixels, 0 where unknown. resolution: pixels a side.
    """
    joints = _complete(2 * keypoints_px[:, :2] / resolution - 1)
    return tuple(part.name for part in PARTS if not _fit_scale(part, joints) >= MIN_SCALE)


def _complete(joints: Float64[np.ndarray, "31 2"]) -> Float64[np.ndarray, "33 2"]:
    """Fill toes and heels as the loader does, and append the mean of each hand's fingers.

    It takes what lies in the middle of the image, at 0, for missing: in toes and heels both
    coordinates, in fingers either.
    """
    filled = joints.copy()
    for joint, substitute in FALLBACKS:
        if not filled[joint].any():
            filled[joint] = filled[substitute]
    hands = (joints[list(hand)] for hand in FINGERS)
    used = [hand[(hand != 0).all(axis=1)] for hand in hands]
    means = [hand.mean(axis=0) if len(hand) else np.full(2, np.nan) for hand in used]
    return np.concatenate([filled, means])


def _fit_scale(part: Part, joints: Float64[np.ndarray, "33 2"]) -> float:
    """Return the scale sqrt(a^2 + b^2) of a part's least-squares similarity; 0 or NaN: none."""
    source, target = joints[list(part.joints)], np.array(part.targets)
    if part.shortened is not None:
        start, end, threshold = part.shortened
        distance = float(np.linalg.norm(source[start] - source[end]))
        target = target * min(1.0, distance / threshold)
    p, q = source - source.mean(axis=0), target - target.mean(axis=0)
    variance = float((p * p).sum())
    if not variance > 0:
        return 0.0
    a = float((p * q).sum()) / variance
    b = float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / variance
    return float(np.hypot(a, b))
