"""One drawn view: its front and back surface pixel by pixel, and all arrays before encoding.

Both surfaces share one silhouette: the back is seen through the person from the same camera.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Shaped, UInt8

from schemas.camera import Camera
from schemas.codecs import Box
from schemas.scan import InputFile, ScanRef
from schemas.views import View


@dataclass(frozen=True, slots=True)
class Surface:
    """The first (front) or the last (back) surface point hit by the ray of every pixel.

    color: RGB of the texture, no lighting, 0 outside.
    box: rows and columns that the other arrays hold; nothing is seen outside of them, and at 2048
    what is inside takes a third of the memory. seen: normal and depth, as the properties of these
    names have them. seen_triangle: as triangle.
    """

    color: UInt8[np.ndarray, "H W 3"]
    box: Box
    seen: Float32[np.ndarray, "h w 4"]
    seen_triangle: Int32[np.ndarray, "h w"]

    @classmethod
    def of_images(
        cls,
        color: UInt8[np.ndarray, "H W 3"],
        depth: Float32[np.ndarray, "H W"],
        normal: Float32[np.ndarray, "H W 3"],
        triangle: Int32[np.ndarray, "H W"],
    ) -> "Surface":
        """Make a surface of images of full size."""
        height, width = triangle.shape
        seen = np.concatenate([normal, depth[..., None]], axis=2)
        return cls(color, (slice(0, height), slice(0, width)), seen, triangle)

    @property
    def depth(self) -> Float32[np.ndarray, "H W"]:
        """Length of the ray, scene units, 0 outside (orthographic: see schemas.camera); a copy."""
        image: Float32[np.ndarray, "H W"] = self._paste(self.seen[..., 3], 0)
        return image

    @property
    def normal(self) -> Float32[np.ndarray, "H W 3"]:
        """Camera axes, unit length, 0 outside; towards the viewer in front, else away; a copy."""
        image: Float32[np.ndarray, "H W 3"] = self._paste(self.seen[..., :3], 0)
        return image

    @property
    def triangle(self) -> Int32[np.ndarray, "H W"]:
        """Index into the mesh's faces, -1 outside; a copy."""
        image: Int32[np.ndarray, "H W"] = self._paste(self.seen_triangle, -1)
        return image

    def _paste(self, values: Shaped[np.ndarray, "h w *channels"], outside: int) -> Any:  # noqa: ANN401 - of the kind of the values
        shape = (*self.color.shape[:2], *values.shape[2:])
        image = np.full(shape, outside, values.dtype) if outside else np.zeros(shape, values.dtype)
        image[self.box] = values
        return image


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Front and back of one view, which have one box, and the mask they share."""

    front: Surface
    back: Surface
    mask: Bool[np.ndarray, "H W"]

    def without_triangles(self) -> "Surfaces":
        """Forget the triangles, which nothing asks for once a sample waits: -1 everywhere."""
        none = np.broadcast_to(np.int32(-1), self.front.seen_triangle.shape)
        front, back = (replace(one, seen_triangle=none) for one in (self.front, self.back))
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
