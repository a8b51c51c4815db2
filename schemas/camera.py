"""Cameras: how scene points become pixels, for every image of the project.

World axes:  x right, y up, z towards the viewer; scene units (the placed scan is about 0.7 high).
Camera axes: x right, y down, z away from the camera; same units.
Pixels:      corner origin, x to the right, y down; the centre of the top-left pixel is (0.5, 0.5).
Depth:       ray length from the camera centre (perspective), or length along the viewing direction
             from the plane through the camera centre (orthographic).
"""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from schemas.errors import RequestError

Projection = Literal["perspective", "orthographic"]
CameraName = Literal["2k2k", "orthographic", "hdnet"]
StandardCamera = Literal["2k2k", "hdnet"]
"""What the standard views of a data set are seen by; orthographic ones stand beside them."""

FIELD_OF_VIEW_2K2K_DEG = 50.0
"""Both directions. Source: 2k2k-dataset.md, Cameras."""

CAMERA_DISTANCE = 1.0
"""The camera stands at (0, 0, 1) and looks along -z. Source: 2k2k-dataset.md, Cameras."""

HDNET_RESOLUTION = 256
HDNET_CROP_SCALE = 2 * 453 / 256
HDNET_FOCAL_PX = 1111.6 / HDNET_CROP_SCALE
HDNET_CENTRE_PX = (
    (960 - 838) / HDNET_CROP_SCALE + 0.5,
    (540 - 48) / HDNET_CROP_SCALE + 0.5,
)
"""(x, y), corner origin, off axis. Source: hdnet-dataset.md, Camera."""


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole or an orthographic camera.

    K: (3, 3) float64; pinhole: focal lengths and principal point in corner-origin pixels;
    orthographic: pixels for one scene unit on the diagonal, and the centre.
    world_to_camera: (4, 4) float64, rigid.
    """

    name: CameraName
    projection: Projection
    width: int
    height: int
    K: Float[np.ndarray, "3 3"]
    world_to_camera: Float[np.ndarray, "4 4"]

    @property
    def focal_px(self) -> float:
        """Pixels for one scene unit at unit distance: what a stored depth unit is made from."""
        return float(self.K[0, 0])


def crop_camera(camera: Camera, left: int, top: int, width: int, height: int) -> Camera:
    """Make the camera of a window of the image: the same rays, pixels counted from its corner."""
    shift = np.array([[0.0, 0, left], [0, 0, top], [0, 0, 0]])
    return replace(camera, width=width, height=height, K=camera.K - shift)


def camera_2k2k(resolution: int) -> Camera:
    """Make the square perspective camera of the 2K2K set. Source: 2k2k-dataset.md, Cameras."""
    return Camera("2k2k", "perspective", resolution, resolution, _k_2k2k(resolution), _view_2k2k())


def camera_orthographic(resolution: int) -> Camera:
    """Make the orthographic camera of the 2K2K set: half-extent tan(25 deg) both ways."""
    return Camera(
        "orthographic", "orthographic", resolution, resolution, _k_2k2k(resolution), _view_2k2k()
    )


def camera_hdnet(world_to_camera: Float[np.ndarray, "4 4"]) -> Camera:
    """Make HDNet's off-axis camera for its 256 x 256 crops. Source: hdnet-dataset.md, Camera."""
    cx, cy = HDNET_CENTRE_PX
    K = np.array([[HDNET_FOCAL_PX, 0, cx], [0, HDNET_FOCAL_PX, cy], [0, 0, 1.0]])
    return Camera("hdnet", "perspective", HDNET_RESOLUTION, HDNET_RESOLUTION, K, world_to_camera)


def to_camera(camera: Camera, points_world: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
    """Move world points to camera axes."""
    points: Float[np.ndarray, "N 3"] = (
        points_world @ camera.world_to_camera[:3, :3].T + camera.world_to_camera[:3, 3]
    )
    return points


def project(camera: Camera, points_world: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 2"]:
    """Project world points to pixels, x then y.

    Points outside the image keep their coordinates; NaN stays NaN.
    Raises RequestError when a point stands behind a pinhole camera; names its index.
    """
    points = to_camera(camera, points_world)
    if camera.projection == "perspective":
        behind = np.flatnonzero(points[:, 2] <= 0)
        if behind.size:
            raise RequestError(
                f"point {behind[0]}",
                found=f"z = {points[behind[0], 2]:.4g} behind the camera",
                expected="points in front of the camera (z > 0 in camera axes)",
                hint="Check the placement of the scan and the unit of its joints.",
            )
        points = points / points[:, 2:]
    scale = np.diag(camera.K)[:2]
    pixels: Float[np.ndarray, "N 2"] = points[:, :2] * scale + camera.K[:2, 2]
    return pixels


def ray_directions(camera: Camera) -> Float[np.ndarray, "H W 3"]:
    """Return the unit ray through every pixel centre, camera axes (orthographic: all (0, 0, 1))."""
    if camera.projection == "orthographic":
        return np.broadcast_to(np.array([0.0, 0.0, 1.0]), (camera.height, camera.width, 3))
    x = (np.arange(camera.width) + 0.5 - camera.K[0, 2]) / camera.K[0, 0]
    y = (np.arange(camera.height) + 0.5 - camera.K[1, 2]) / camera.K[1, 1]
    rays = np.stack([*np.meshgrid(x, y), np.ones((camera.height, camera.width))], axis=-1)
    unit: Float[np.ndarray, "H W 3"] = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return unit


def lift(camera: Camera, ray_length: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "H W 3"]:
    """Lift a depth map to points in camera axes; meaningful only where there is a surface."""
    rays = ray_directions(camera)
    if camera.projection == "perspective":
        points: Float[np.ndarray, "H W 3"] = rays * ray_length[..., None]
        return points
    x = (np.arange(camera.width) + 0.5 - camera.K[0, 2]) / camera.K[0, 0]
    y = (np.arange(camera.height) + 0.5 - camera.K[1, 2]) / camera.K[1, 1]
    return np.stack([*np.meshgrid(x, y), ray_length], axis=-1)


def _k_2k2k(resolution: int) -> Float[np.ndarray, "3 3"]:
    focal = resolution / (2 * math.tan(math.radians(FIELD_OF_VIEW_2K2K_DEG / 2)))
    return np.array([[focal, 0, resolution / 2], [0, focal, resolution / 2], [0, 0, 1.0]])


def _view_2k2k() -> Float[np.ndarray, "4 4"]:
    view = np.diag([1.0, -1.0, -1.0, 1.0])
    view[2, 3] = CAMERA_DISTANCE
    return view
