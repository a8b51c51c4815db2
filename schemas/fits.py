"""A SMPL-X fit of a scan: the parameters of the body model, and where that body is.

Body axes are those of the scan's file: y up; without a turn the person faces +z.
Source: docs/keypoints.md, "SMPL-X fits".
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int32
from pydantic import BaseModel, ConfigDict, Field

Fronting = Literal["true_yaw", "published"]
"""How a fit's turn is read: by the rotated forward axis, or by the axis-angle vector's y."""

BETA_COUNT = 10
EXPRESSION_COUNT = 10
BODY_POSE_COUNT = 63
HAND_COMPONENT_COUNT = 12
HAND_POSE_COUNT = 45
AXIS_ANGLE_COUNT = 3


@dataclass(frozen=True, slots=True)
class SmplxFit:
    """SMPL-X parameters (model smplx, gender male) and a similarity.

    Hands are 12 PCA components (THuman2.0) or 15 axis-angle vectors (2K2K), 45 numbers.

    Poses are axis-angle vectors, radians. Body points become file coordinates by
    `points * scale + translation`; the body itself is in metres.
    """

    betas: Float64[np.ndarray, " 10"]
    expression: Float64[np.ndarray, " 10"]
    global_orient: Float64[np.ndarray, " 3"]
    body_pose: Float64[np.ndarray, " 63"]
    left_hand_pose: Float64[np.ndarray, " H"]
    right_hand_pose: Float64[np.ndarray, " H"]
    jaw_pose: Float64[np.ndarray, " 3"]
    leye_pose: Float64[np.ndarray, " 3"]
    reye_pose: Float64[np.ndarray, " 3"]
    scale: float
    translation: Float64[np.ndarray, " 3"]

    @property
    def metres_per_file_unit(self) -> float:
        """Size of one unit of the scan's file: the body is in metres, its scale leads to units."""
        return 1 / self.scale


@dataclass(frozen=True, slots=True)
class FittedBody:
    """The body that a fit describes, in file coordinates.

    joints: SMPL-X's 55, then the vertices and landmarks that the smplx package counts as joints.
    """

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    joints: Float64[np.ndarray, "J 3"]


class FitCheck(BaseModel):
    """How well the fitted body lies in its scan, seen by the scan's camera at yaw 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scan_id: str
    overlap: float = Field(ge=0, le=1, description="of the two silhouettes: common part by union")
    distance_m: float | None = Field(
        description="metres between the surfaces, mean both ways; null: the body is out of sight"
    )
    height_ratio: float | None = Field(
        description="of the body's silhouette to the scan's, both from top to bottom"
    )
    is_misfit: bool
