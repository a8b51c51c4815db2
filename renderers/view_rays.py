"""One view of a mesh, worked out in float64 before the device sees any of it.

Which rectangle of the image the mesh covers, how its local coordinates reach clip space, and
which rays pass through the rectangle's pixels, in local space.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from schemas.camera import Camera
from schemas.errors import RequestError

DEPTH_MARGIN = 1e-3
"""Share of the mesh's depth left free before and behind it, so that nothing is clipped."""

BORDER_PX = 1
"""Pixels added round the projected vertices, against rounding."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Columns left <= x < right and rows top <= y < bottom of the image."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def is_empty(self) -> bool:
        """Return whether no pixel lies inside."""
        return self.width <= 0 or self.height <= 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an image with."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class ViewRays:
    """What one view's passes need; vectors in local space, q counts pixels from `middle`.

    middle: of the rectangle in its own pixels. The ray of a pixel starts at origin + qx origin_x +
    qy origin_y and runs along direction + qx direction_x + qy direction_y.
    camera_direction: x and y of that ray in camera axes where z is 1; camera_direction_step: by
    one pixel. local_to_camera: rotation alone. near, far: z in camera axes, scene units.
    """

    rectangle: Rectangle
    local_to_clip: Float64[np.ndarray, "4 4"]
    local_to_camera: Float64[np.ndarray, "3 3"]
    middle: Float64[np.ndarray, " 2"]
    origin: Float64[np.ndarray, " 3"]
    origin_x: Float64[np.ndarray, " 3"]
    origin_y: Float64[np.ndarray, " 3"]
    direction: Float64[np.ndarray, " 3"]
    direction_x: Float64[np.ndarray, " 3"]
    direction_y: Float64[np.ndarray, " 3"]
    camera_direction: Float64[np.ndarray, " 2"]
    camera_direction_step: Float64[np.ndarray, " 2"]
    near: float
    far: float


def work_out_view(
    camera: Camera,
    local_to_world: Float64[np.ndarray, "4 4"],
    positions: Float64[np.ndarray, "V 3"],
) -> ViewRays | None:
    """Work out one view of a mesh whose local positions are given; None where it is outside.

    Raises RequestError when any of it lies behind a pinhole camera.
    """
    local_to_view = camera.world_to_camera @ local_to_world
    points = positions @ local_to_view[:3, :3].T + local_to_view[:3, 3]
    near, far = _depth_range(camera, points[:, 2])
    rectangle = _covered_rectangle(camera, points)
    if rectangle.is_empty:
        return None
    back = np.linalg.inv(local_to_view)
    focal, centre = np.diag(camera.K)[:2], camera.K[:2, 2]
    middle = np.array([rectangle.width, rectangle.height]) / 2
    corner = np.array([rectangle.left, rectangle.top])
    toward, step = (corner + middle - centre) / focal, 1 / focal
    turn, zero = back[:3, :3], np.zeros(3)
    across_x, across_y = turn[:, 0] * step[0], turn[:, 1] * step[1]
    flat = not camera.is_perspective
    start = turn @ [*toward, 0.0] + back[:3, 3] if flat else back[:3, 3]
    return ViewRays(
        rectangle=rectangle,
        local_to_clip=clip_matrix(camera, rectangle, near, far) @ local_to_view,
        local_to_camera=local_to_view[:3, :3] / np.cbrt(np.linalg.det(local_to_view[:3, :3])),
        middle=middle,
        origin=start,
        origin_x=across_x if flat else zero,
        origin_y=across_y if flat else zero,
        direction=turn[:, 2] if flat else turn @ [*toward, 1.0],
        direction_x=zero if flat else across_x,
        direction_y=zero if flat else across_y,
        camera_direction=toward,
        camera_direction_step=step,
        near=near,
        far=far,
    )


def clip_matrix(
    camera: Camera, rectangle: Rectangle, near: float, far: float
) -> Float64[np.ndarray, "4 4"]:
    """Return the matrix from camera axes to clip space for one rectangle of the image.

    Clip y runs down the image, so that the first row of the framebuffer is the top row.
    """
    matrix = np.zeros((4, 4))
    size = (rectangle.width, rectangle.height)
    depth_axis = 2 if camera.is_perspective else 3
    for axis, (first, pixels) in enumerate(zip((rectangle.left, rectangle.top), size, strict=True)):
        matrix[axis, axis] = 2 * camera.K[axis, axis] / pixels
        matrix[axis, depth_axis] = 2 * (camera.K[axis, 2] - first) / pixels - 1
    if not camera.is_perspective:
        matrix[2, 2:] = 2 / (far - near), -(far + near) / (far - near)
        matrix[3, 3] = 1
    else:
        matrix[2, 2:] = (far + near) / (far - near), -2 * far * near / (far - near)
        matrix[3, 2] = 1
    return matrix


def _depth_range(camera: Camera, z: Float64[np.ndarray, " V"]) -> tuple[float, float]:
    low, high = float(z.min()), float(z.max())
    margin = DEPTH_MARGIN * max(high - low, abs(high) * DEPTH_MARGIN)
    if not camera.is_perspective:
        return low - margin, high + margin
    if low <= 0:
        raise RequestError(
            "mesh before the camera",
            found=f"part of it at z = {low:.4g}, behind the pinhole",
            expected="all of it in front of the camera (z > 0 in camera axes)",
            hint="Check the placement of the scan, or move the camera back.",
        )
    return max(low - margin, low / 2), high + margin


def _covered_rectangle(camera: Camera, points: Float64[np.ndarray, "V 3"]) -> Rectangle:
    """Return the rectangle round the projected points, one axis at a time: 20 times faster."""
    ends = []
    for axis, limit in enumerate((camera.width, camera.height)):
        along = points[:, axis] / points[:, 2] if camera.is_perspective else points[:, axis]
        pixels = along * camera.K[axis, axis] + camera.K[axis, 2]
        low = np.clip(np.floor(pixels.min()) - BORDER_PX, 0, limit)
        high = np.clip(np.ceil(pixels.max()) + BORDER_PX, 0, limit)
        ends.append((int(low), int(high)))
    (left, right), (top, bottom) = ends
    return Rectangle(left, top, right, bottom)
