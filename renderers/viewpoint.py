"""Where scan, camera and lights are for one view: one function for each placement rule.

fixed_camera: a world of the scan's size, whose origin is the scan's centroid; the camera stays.
fill_image: a world in metres, whose origin is the middle of the person's box. The camera looks
along its own z; the person is on the ray through the image's centre, faces the camera along
that ray, and is as near as the image allows.
Source: docs/cameras.md, "HDNet's camera": the second rule is ours, none is published.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from renderers.placement import Placement
from schemas.camera import CAMERA_MODELS, Camera, CameraModel, PlacementRule, project
from schemas.views import View

FILL = 0.90
"""Share of the image's side that the person takes, the larger of width and height."""

NEAREST_M = 1.5
"""Of the middle of the person's box. Source: the same rule."""

FARTHEST_M = 1000.0
_HALVINGS = 60
"""Of 1000 m: far below a micrometre."""

_DOWN = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """One view's camera and world.

    mesh_to_world: (4, 4) similarity from file coordinates. metres_per_unit: of this world.
    lights_to_world: (4, 4) similarity from the fixed camera's world, in which lights are meant.
    """

    camera: Camera
    mesh_to_world: Float64[np.ndarray, "4 4"]
    metres_per_unit: float
    lights_to_world: Float64[np.ndarray, "4 4"]


def take_viewpoint(
    view: View,
    placement: Placement,
    used_vertices: Float[np.ndarray, "V 3"],
    *,
    resolution: int,
) -> Viewpoint:
    """Place a scan before the camera of a view, as the camera's model says.

    used_vertices: those that faces use, file coordinates. resolution: pixels a side, where the
    model has none of its own.
    """
    model = CAMERA_MODELS[view.camera]
    turned = placement.turned(view)
    metres = placement.metres_per_unit
    return _RULES[model.placement](model, resolution, used_vertices, turned, metres)


def keep_camera(
    model: CameraModel,
    resolution: int,
    used_vertices: Float[np.ndarray, "V 3"],  # noqa: ARG001 - the signature of all rules
    turned: Float64[np.ndarray, "4 4"],
    metres_per_unit: float,
) -> Viewpoint:
    """Leave the scan where it was placed, before the model's fixed camera."""
    return Viewpoint(model.camera(resolution), turned, metres_per_unit, np.eye(4))


def fill_image(
    model: CameraModel,
    resolution: int,
    used_vertices: Float[np.ndarray, "V 3"],
    turned: Float64[np.ndarray, "4 4"],
    metres_per_unit: float,
) -> Viewpoint:
    """Move the camera to where the person fills its share of the image.

    turned: from file coordinates to the world of the fixed camera, as `Placement.turned(view)`
    gives it; only its turn and scale count. metres_per_unit: size of a unit of that world.
    """
    points = used_vertices @ (metres_per_unit * turned[:3, :3]).T
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    mesh_to_world = np.eye(4)
    mesh_to_world[:3, :3] = metres_per_unit * turned[:3, :3]
    mesh_to_world[:3, 3] = -middle
    camera = _Approach(model, resolution).find_camera(points - middle)
    return Viewpoint(camera, mesh_to_world, 1.0, mesh_to_world @ np.linalg.inv(turned))


_RULES: dict[PlacementRule, Callable[..., Viewpoint]] = {
    "fixed_camera": keep_camera,
    "fill_image": fill_image,
}


@dataclass(frozen=True, slots=True)
class _Approach:
    """Looks for the distance from which a camera sees a person as large as it may."""

    model: CameraModel
    resolution: int

    def find_camera(self, points_world: Float[np.ndarray, "V 3"]) -> Camera:
        """Return the camera for points about the world's origin.

        The whole person is before the camera and inside the image, whatever reaches forward.
        Only the outermost points decide, so it is found for some and then shown to hold for all:
        where another point sticks out, it joins them.
        """
        near = max(NEAREST_M, float(np.linalg.norm(points_world, axis=1).max()) * (1 + 1e-6))
        outermost: set[int] = set()
        distance = near
        while True:
            found = set(self._find_outermost(points_world, distance))
            if self._fits(points_world, distance) or found <= outermost:
                return self.camera_at(distance)
            outermost |= found
            distance = self._halve(points_world[sorted(outermost)], near)

    def camera_at(self, distance: float) -> Camera:
        """Make the camera that sees the world's origin at the image's centre, from its front."""
        K = self.model.camera(self.resolution).K
        half = (self.model.resolution or self.resolution) / 2
        ray = np.array([*((half - K[axis, 2]) / K[axis, axis] for axis in (0, 1)), 1.0])
        ray /= np.linalg.norm(ray)
        right = np.cross(_DOWN, ray)
        right /= np.linalg.norm(right)
        up = np.cross(right, ray)
        world_to_camera = np.eye(4)
        # Columns: where the world's x (right), y (up) and z (towards the viewer) point.
        world_to_camera[:3, :3] = np.stack([right, up, -ray], axis=1)
        world_to_camera[:3, 3] = distance * ray
        return self.model.camera(self.resolution, world_to_camera)

    def _halve(self, points_world: Float[np.ndarray, "P 3"], near: float) -> float:
        """Find the distance by halving, as nearer is larger."""
        if self._fits(points_world, near):
            return near
        far = FARTHEST_M
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            if self._fits(points_world, middle):
                far = middle
            else:
                near = middle
        return far

    def _find_outermost(self, points_world: Float[np.ndarray, "V 3"], distance: float) -> list[int]:
        """Return the numbers of the points that are leftmost, topmost, rightmost and lowest."""
        pixels = project(self.camera_at(distance), points_world)
        numbers: list[int] = [*pixels.argmin(axis=0).tolist(), *pixels.argmax(axis=0).tolist()]
        return numbers

    def _fits(self, points_world: Float[np.ndarray, "V 3"], distance: float) -> bool:
        camera = self.camera_at(distance)
        pixels = project(camera, points_world)
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        is_inside = low.min() >= 0 and high.max() <= camera.width
        return bool(is_inside and (high - low).max() <= FILL * camera.width)
