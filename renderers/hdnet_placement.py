"""Where a scan stands before HDNet's off-axis camera.

World axes: x right, y up, z towards the viewer, in metres; the middle of the person's box is the
origin. The camera looks along its own z; the person stands on the ray through the crop's centre
and faces the camera along that ray.
Source: hdnet-dataset.md, Camera ("Where to put a scan before this camera is not published. Ours").
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from schemas.camera import (
    HDNET_CENTRE_PX,
    HDNET_FOCAL_PX,
    HDNET_RESOLUTION,
    Camera,
    camera_hdnet,
    project,
)

FILL = 0.90
"""Share of the crop's side that the person takes, the larger of width and height."""

NEAREST_M = 1.5
"""Of the middle of the person's box. Source: the same rule."""

FARTHEST_M = 1000.0
_HALVINGS = 60
"""Of 1000 m: far below a micrometre."""

_DOWN = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True, slots=True)
class HdnetPlacement:
    """A scan before HDNet's camera.

    camera: with world_to_camera. mesh_to_world: (4, 4) similarity, world in metres, so that
    metres_per_unit of such a sample is 1. distance_m: camera to the middle of the person's box.
    """

    camera: Camera
    mesh_to_world: Float64[np.ndarray, "4 4"]
    distance_m: float


def place_before_hdnet(
    vertices: Float[np.ndarray, "V 3"],
    turned: Float[np.ndarray, "4 4"],
    *,
    metres_per_unit: float,
) -> HdnetPlacement:
    """Place a scan that is already turned for its view.

    vertices: those that faces use, file coordinates. turned: from file coordinates to the world
    of the standard camera, as `Placement.turned(view)` gives it; only its turn and scale count.
    metres_per_unit: size of a unit of that world.
    """
    points = vertices @ (metres_per_unit * turned[:3, :3]).T
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    points = points - middle
    distance = _find_distance(points)
    mesh_to_world = np.eye(4)
    mesh_to_world[:3, :3] = metres_per_unit * turned[:3, :3]
    mesh_to_world[:3, 3] = -middle
    return HdnetPlacement(_camera_at(distance), mesh_to_world, distance)


def _find_distance(points_world: Float[np.ndarray, "V 3"]) -> float:
    """Find the distance at which the person fills its share.

    The whole person stands before the camera and inside the crop, whatever reaches forward.
    Only the outermost points decide, so it is found for some and then shown to hold for all:
    where another point sticks out, it joins them.
    """
    near = max(NEAREST_M, float(np.linalg.norm(points_world, axis=1).max()) * (1 + 1e-6))
    outermost: set[int] = set()
    distance = near
    while True:
        found = set(_find_outermost(points_world, distance))
        if _fits(points_world, distance) or found <= outermost:
            return distance
        outermost |= found
        distance = _halve(points_world[sorted(outermost)], near)


def _halve(points_world: Float[np.ndarray, "P 3"], near: float) -> float:
    """Find the distance by halving, as nearer is larger."""
    if _fits(points_world, near):
        return near
    far = FARTHEST_M
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        if _fits(points_world, middle):
            far = middle
        else:
            near = middle
    return far


def _find_outermost(points_world: Float[np.ndarray, "V 3"], distance: float) -> list[int]:
    """Return the numbers of the points that are leftmost, topmost, rightmost and lowest."""
    pixels = project(_camera_at(distance), points_world)
    numbers: list[int] = [*pixels.argmin(axis=0).tolist(), *pixels.argmax(axis=0).tolist()]
    return numbers


def _fits(points_world: Float[np.ndarray, "V 3"], distance: float) -> bool:
    pixels = project(_camera_at(distance), points_world)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    is_inside = low.min() >= 0 and high.max() <= HDNET_RESOLUTION
    return bool(is_inside and (high - low).max() <= FILL * HDNET_RESOLUTION)


def _camera_at(distance: float) -> Camera:
    """Make the camera that sees the world's origin at the crop's centre, from its front."""
    half = HDNET_RESOLUTION / 2
    ray = np.array([*((half - centre) / HDNET_FOCAL_PX for centre in HDNET_CENTRE_PX), 1.0])
    ray /= np.linalg.norm(ray)
    right = np.cross(_DOWN, ray)
    right /= np.linalg.norm(right)
    up = np.cross(right, ray)
    world_to_camera = np.eye(4)
    # Columns: where the world's x (right), y (up) and z (towards the viewer) point.
    world_to_camera[:3, :3] = np.stack([right, up, -ray], axis=1)
    world_to_camera[:3, 3] = distance * ray
    return camera_hdnet(world_to_camera)
