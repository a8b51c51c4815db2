"""Where a scan, the camera and the lights stand for one view: a world of its own for each camera.

The 2K2K camera and the orthographic one share a world of the scan's size, whose origin is the
scan's centroid. HDNet's camera has a world in metres, whose origin is the middle of the scan's box.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from renderers.hdnet_placement import place_before_hdnet
from renderers.placement import Placement
from schemas.camera import Camera
from schemas.views import View, camera_of


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """One view's camera and world.

    mesh_to_world: (4, 4) similarity from file coordinates. metres_per_unit: of this world.
    lights_to_world: (4, 4) similarity from the 2K2K camera's world, in which lights are meant.
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
    """Stand a placed scan before the camera of a view.

    used_vertices: those that faces use, file coordinates.
    """
    turned = placement.turned(view)
    if view.camera != "hdnet":
        return Viewpoint(camera_of(view, resolution), turned, placement.metres_per_unit, np.eye(4))
    before = place_before_hdnet(used_vertices, turned, metres_per_unit=placement.metres_per_unit)
    return Viewpoint(
        before.camera, before.mesh_to_world, 1.0, before.mesh_to_world @ np.linalg.inv(turned)
    )
