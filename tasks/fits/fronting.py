"""Which way a fitted person faces.

Source: docs/2k2k-dataset.md, "Placing a scan before the camera", step 4.
"""

import math

import cv2
import numpy as np
from jaxtyping import Float64

from schemas.fits import Fronting, SmplxFit

MIN_LEVEL_PART = 0.1
"""Of the forward axis: a person who faces within 6 degrees of straight up or down has no yaw."""


def yaw_of_fit(fit: SmplxFit, fronting: Fronting) -> float | None:
    """Return the yaw that turns +z to where the person faces, degrees; None: no such yaw.

    published: the y component of the axis-angle vector, right only for turns about y alone.
    """
    if fronting == "published":
        return math.degrees(fit.global_orient[1])
    forward = rotation_of(fit.global_orient) @ np.array([0.0, 0.0, 1.0])
    if math.hypot(forward[0], forward[2]) < MIN_LEVEL_PART:
        return None
    return math.degrees(math.atan2(forward[0], forward[2]))


def rotation_of(axis_angle: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, "3 3"]:
    """Turn an axis-angle vector (radians) into a rotation matrix."""
    matrix, _ = cv2.Rodrigues(axis_angle)
    rotation: Float64[np.ndarray, "3 3"] = matrix
    return rotation
