"""One drawn view: its front and back surface pixel by pixel, and all arrays before encoding.

Both surfaces share one silhouette: the back is seen through the person from the same camera.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from schemas.camera import Camera
from schemas.scan import InputFile, ScanRef
from schemas.views import View


@dataclass(frozen=True, slots=True)
class Surface:
    """The first (front) or the last (back) surface point hit by the ray of every pixel.

    color: RGB of the texture, no lighting, 0 outside.
    depth: length of the ray, scene units, 0 outside (orthographic: see schemas.camera).
    normal: camera axes, unit length, 0 outside; faces the viewer on the front, away on the back.
    triangle: index into the mesh's faces, -1 outside.
    """

    color: UInt8[np.ndarray, "H W 3"]
    depth: Float32[np.ndarray, "H W"]
    normal: Float32[np.ndarray, "H W 3"]
    triangle: Int32[np.ndarray, "H W"]


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Front and back of one view and the mask they share."""

    front: Surface
    back: Surface
    mask: Bool[np.ndarray, "H W"]

    def without_triangles(self) -> "Surfaces":
        """Forget the triangles, a sixth of a sample that waits to be encoded: -1 everywhere."""
        none = np.broadcast_to(np.int32(-1), self.mask.shape)
        front, back = (replace(one, triangle=none) for one in (self.front, self.back))
        return replace(self, front=front, back=back)


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
