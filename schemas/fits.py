"""A SMPL-X fit of a scan: the parameters of the body model, and where that body stands.

Body axes are those of the scan's file: y up; without a turn the person faces +z.
Source: keypoints.md, "Gap filling", 3.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

Fronting = Literal["true_yaw", "published"]
"""How a fit's turn is read: by the rotated forward axis, or by the axis-angle vector's y."""

BETA_COUNT = 10
EXPRESSION_COUNT = 10
BODY_POSE_COUNT = 63
HAND_COMPONENT_COUNT = 12
AXIS_ANGLE_COUNT = 3


@dataclass(frozen=True, slots=True)
class SmplxFit:
    """SMPL-X parameters (model smplx, gender male, 12 hand PCA components) and a similarity.

    Poses are axis-angle vectors, radians. Body points become file coordinates by
    `points * scale + translation`; the body itself is in metres.
    """

    betas: Float64[np.ndarray, " 10"]
    expression: Float64[np.ndarray, " 10"]
    global_orient: Float64[np.ndarray, " 3"]
    body_pose: Float64[np.ndarray, " 63"]
    left_hand_pose: Float64[np.ndarray, " 12"]
    right_hand_pose: Float64[np.ndarray, " 12"]
    jaw_pose: Float64[np.ndarray, " 3"]
    leye_pose: Float64[np.ndarray, " 3"]
    reye_pose: Float64[np.ndarray, " 3"]
    scale: float
    translation: Float64[np.ndarray, " 3"]

    @property
    def metres_per_file_unit(self) -> float:
        """Size of one unit of the scan's file: the body is in metres, its scale leads to units."""
        return 1 / self.scale
