"""Cameras: how scene points become pixels, for every image of the project.

World axes:  x right, y up, z towards the viewer; scene units (the placed scan is about 0.7 high).
Camera axes: x right, y down, z away from the camera; same units.
Pixels:      corner origin, x to the right, y down; the centre of the top-left pixel is (0.5, 0.5).
Depth:       ray length from the camera centre (perspective), or length along the viewing direction
             from the plane through the camera centre (orthographic).

A camera model is a row of CAMERA_MODELS; no other code asks for a camera by its name.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from jaxtyping import Float

from schemas.errors import RequestError

Projection = Literal["perspective", "orthographic"]
CameraName = Literal["2k2k", "orthographic", "hdnet"]
StandardCamera = Literal["2k2k", "hdnet"]
"""The names that a data set's standard views may have; other models are added beside one."""

PlacementRule = Literal["fixed_camera", "fill_image"]
"""fixed_camera: the scan is scaled and the camera stays; fill_image: the scan keeps its size in
metres and the camera moves. renderers.viewpoint has one function for each."""

LayoutName = Literal["2k2k", "hdnet"]
"""The published folder layouts."""

FIELD_OF_VIEW_2K2K_DEG = 50.0
"""Both directions. Source: docs/cameras.md, "The 2K2K cameras"."""

CAMERA_DISTANCE = 1.0
"""The camera is at (0, 0, 1) and looks along -z.

Source: docs/cameras.md, "The 2K2K cameras".
"""

HDNET_RESOLUTION = 256
HDNET_CROP_SCALE = 2 * 453 / 256
HDNET_FOCAL_PX = 1111.6 / HDNET_CROP_SCALE
HDNET_CENTRE_PX = (
    (960 - 838) / HDNET_CROP_SCALE + 0.5,
    (540 - 48) / HDNET_CROP_SCALE + 0.5,
)
"""(x, y), corner origin, off axis. Source: docs/cameras.md, "HDNet's camera"."""


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

    @property
    def model(self) -> "CameraModel":
        """Its row."""
        return CAMERA_MODELS[self.name]

    @property
    def is_perspective(self) -> bool:
        """Whether rays meet in the camera's centre; else they are parallel."""
        return self.projection == "perspective"


@dataclass(frozen=True, slots=True)
class CameraModel:
    """One kind of camera.

    find_intrinsics: resolution to K. resolution: pixels a side, None where a run chooses it.
    placement: how scan and camera meet. id_suffix: what its sample ids end with, "" for nothing.
    companion: the model that `--orthographic` adds beside it, None where it has none.
    layouts: the published layouts that its samples are exported to: the first one as they are,
    the others resampled. imports_back: whether the first one holds the back surface.
    """

    name: CameraName
    projection: Projection
    find_intrinsics: Callable[[int], Float[np.ndarray, "3 3"]]
    placement: PlacementRule
    layouts: tuple[LayoutName, ...]
    resolution: int | None = None
    id_suffix: str = ""
    companion: CameraName | None = None
    imports_back: bool = True

    @property
    def is_standard(self) -> bool:
        """Whether a data set's own views may be seen by it; other models are added beside it."""
        return self.name in get_args(StandardCamera)

    @property
    def is_fixed(self) -> bool:
        """Whether it stands still, so that its extrinsics are known without a scan."""
        return self.placement == "fixed_camera"

    def camera(
        self, resolution: int, world_to_camera: Float[np.ndarray, "4 4"] | None = None
    ) -> Camera:
        """Make the square camera; world_to_camera: None for the fixed one, at (0, 0, 1)."""
        side = self.resolution or resolution
        view = _FIXED_VIEW.copy() if world_to_camera is None else world_to_camera
        K = self.find_intrinsics(side)
        return Camera(self.name, self.projection, side, side, K, view)


def camera_2k2k(resolution: int) -> Camera:
    """Make the square perspective camera of the 2K2K set.

    Source: docs/cameras.md, "The 2K2K cameras".
    """
    return CAMERA_MODELS["2k2k"].camera(resolution)


def camera_orthographic(resolution: int) -> Camera:
    """Make the orthographic camera of the 2K2K set: half-extent tan(25 deg) both ways."""
    return CAMERA_MODELS["orthographic"].camera(resolution)


def camera_hdnet(world_to_camera: Float[np.ndarray, "4 4"]) -> Camera:
    """Make HDNet's off-axis camera for its 256 x 256 crops.

    Source: docs/cameras.md, "HDNet's camera".
    """
    return CAMERA_MODELS["hdnet"].camera(HDNET_RESOLUTION, world_to_camera)


def crop_camera(camera: Camera, left: int, top: int, width: int, height: int) -> Camera:
    """Make the camera of a window of the image: the same rays, pixels counted from its corner."""
    shift = np.array([[0.0, 0, left], [0, 0, top], [0, 0, 0]])
    return replace(camera, width=width, height=height, K=camera.K - shift)


def to_camera(camera: Camera, points_world: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 3"]:
    """Move world points to camera axes."""
    points: Float[np.ndarray, "N 3"] = (
        points_world @ camera.world_to_camera[:3, :3].T + camera.world_to_camera[:3, 3]
    )
    return points


def project(camera: Camera, points_world: Float[np.ndarray, "N 3"]) -> Float[np.ndarray, "N 2"]:
    """Project world points to pixels, x then y.

    Points outside the image keep their coordinates; NaN stays NaN.
    Raises RequestError when a point lies behind a pinhole camera; names its index.
    """
    points = to_camera(camera, points_world)
    if camera.is_perspective:
        behind = np.flatnonzero(points[:, 2] <= 0)
        if behind.size:
            raise RequestError(
                f"point {behind[0]}",
                found=f"z = {points[behind[0], 2]:.4g} behind the camera",
                expected="points in front of the camera (z > 0 in camera axes)",
                hint="Check the placement of the scan and the unit of its joints.",
            )
        points = points / points[:, 2:]
    pixels: Float[np.ndarray, "N 2"] = points[:, :2] * np.diag(camera.K)[:2] + camera.K[:2, 2]
    return pixels


def ray_directions(camera: Camera) -> Float[np.ndarray, "H W 3"]:
    """Return the unit ray through every pixel centre, camera axes (orthographic: all (0, 0, 1))."""
    if not camera.is_perspective:
        return np.broadcast_to(np.array([0.0, 0.0, 1.0]), (camera.height, camera.width, 3))
    rays = np.stack([*_image_plane(camera), np.ones((camera.height, camera.width))], axis=-1)
    unit: Float[np.ndarray, "H W 3"] = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
    return unit


def lift(camera: Camera, ray_length: Float[np.ndarray, "H W"]) -> Float[np.ndarray, "H W 3"]:
    """Lift a depth map to points in camera axes; meaningful only where there is a surface."""
    if camera.is_perspective:
        points: Float[np.ndarray, "H W 3"] = ray_directions(camera) * ray_length[..., None]
        return points
    return np.stack([*_image_plane(camera), ray_length], axis=-1)


def _image_plane(camera: Camera) -> list[Float[np.ndarray, "H W"]]:
    """Return x and y of every pixel centre: at z = 1, orthographic: in scene units."""
    x = (np.arange(camera.width) + 0.5 - camera.K[0, 2]) / camera.K[0, 0]
    y = (np.arange(camera.height) + 0.5 - camera.K[1, 2]) / camera.K[1, 1]
    return list(np.meshgrid(x, y))


def _intrinsics_2k2k(resolution: int) -> Float[np.ndarray, "3 3"]:
    """Return K of 50 degrees both ways; orthographic: of the half-extent tan(25 deg)."""
    focal = resolution / (2 * math.tan(math.radians(FIELD_OF_VIEW_2K2K_DEG / 2)))
    return np.array([[focal, 0, resolution / 2], [0, focal, resolution / 2], [0, 0, 1.0]])


def _intrinsics_hdnet(_: int) -> Float[np.ndarray, "3 3"]:
    cx, cy = HDNET_CENTRE_PX
    return np.array([[HDNET_FOCAL_PX, 0, cx], [0, HDNET_FOCAL_PX, cy], [0, 0, 1.0]])


_FIXED_VIEW = np.array([[1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, CAMERA_DISTANCE], [0, 0, 0, 1]])

CAMERA_MODELS: dict[CameraName, CameraModel] = {
    model.name: model
    for model in (
        CameraModel(
            name="2k2k", projection="perspective", find_intrinsics=_intrinsics_2k2k,
            placement="fixed_camera", layouts=("2k2k", "hdnet"), companion="orthographic",
        ),
        CameraModel(
            name="orthographic", projection="orthographic", find_intrinsics=_intrinsics_2k2k,
            placement="fixed_camera", layouts=("2k2k",), id_suffix="orthographic",
        ),
        CameraModel(
            name="hdnet", projection="perspective", find_intrinsics=_intrinsics_hdnet,
            placement="fill_image", layouts=("hdnet",), resolution=HDNET_RESOLUTION,
            id_suffix="hdnet", imports_back=False,
        ),
    )
}  # fmt: skip
"""Every camera model. A new one is a row here with its name above, and a function of
renderers.viewpoint where it is placed by a new rule."""

STANDARD_CAMERA: StandardCamera = "2k2k"
"""Of a data set that does not ask for another."""
