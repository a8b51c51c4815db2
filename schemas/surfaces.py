"""What drawing a scan from one camera gives: its front and its back surface, pixel by pixel.

Both surfaces share one silhouette: the back is seen through the person from the same camera.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8


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
