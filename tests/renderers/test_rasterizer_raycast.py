"""Front and back of a folded figure against Embree, at the yaws that are promised."""

from collections.abc import Callable
from functools import cache

import pytest

from benchmarks.raycast import Agreement, agree, cast_surfaces
from renderers.egl import GLContext
from renderers.rasterizer import Rasterizer
from schemas.camera import camera_2k2k
from tests.renderers.figures import folded_figure, in_file_units, rotation_y

YAWS = (-30, -20, -10, 0, 10, 20, 30)
CAMERA = camera_2k2k(1024)


Comparer = Callable[[float], dict[str, Agreement]]


@pytest.fixture(scope="module")
def compared(context: GLContext) -> Comparer:
    mesh, file_to_world = in_file_units(folded_figure())

    @cache
    def compare(yaw: float) -> dict[str, Agreement]:
        mesh_to_world = rotation_y(yaw) @ file_to_world
        with Rasterizer(context, mesh) as rasterizer:
            drawn = rasterizer.draw(CAMERA, mesh_to_world)
        cast = cast_surfaces(mesh, CAMERA, mesh_to_world)
        front, back = agree(drawn, cast, tolerance=1 / (32 * CAMERA.focal_px))
        return {"front": front, "back": back}

    return compare


@pytest.mark.parametrize("side", ["front", "back"])
@pytest.mark.parametrize("yaw", YAWS)
def test_masks_overlap_with_ray_casting(compared: Comparer, yaw: float, side: str) -> None:
    assert compared(yaw)[side].mask_overlap >= 0.9999


@pytest.mark.parametrize("side", ["front", "back"])
@pytest.mark.parametrize("yaw", YAWS)
def test_ray_lengths_agree_with_ray_casting(compared: Comparer, yaw: float, side: str) -> None:
    assert compared(yaw)[side].within >= 0.9999
