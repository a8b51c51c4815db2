"""One drawn view, all of its arrays, before they are encoded."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from schemas.camera import Camera
from schemas.scan import InputFile, ScanRef
from schemas.surfaces import Surfaces
from schemas.views import View


@dataclass(frozen=True, slots=True)
class Sample:
    """What schemas.samples describes column by column, as arrays.

    keypoints: (31, 3) x, y, known. joints_camera: (31, 3) camera axes, NaN unknown.
    shaded: lit front surface, 0 outside. image: shaded over its background.
    background: None for black. iuv: DensePose part, U, V; None where unknown.
    """

    sample_id: str
    ref: ScanRef
    view: View
    camera: Camera
    mesh_to_world: Float64[np.ndarray, "4 4"]
    metres_per_unit: float
    metric_source: str
    surfaces: Surfaces
    shaded: UInt8[np.ndarray, "H W 3"]
    image: UInt8[np.ndarray, "H W 3"]
    keypoints: Float32[np.ndarray, "31 3"]
    joints_camera: Float32[np.ndarray, "31 3"]
    keypoint_source: UInt8[np.ndarray, " 31"]
    keypoint_occluded: UInt8[np.ndarray, " 31"]
    background: InputFile | None
    seed: int
    iuv: UInt8[np.ndarray, "H W 3"] | None = None
