import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from schemas.camera import (
    CAMERA_MODELS,
    HDNET_CENTRE_PX,
    Camera,
    CameraName,
    StandardCamera,
    camera_2k2k,
    camera_hdnet,
    camera_orthographic,
    crop_camera,
    lift,
    project,
    ray_directions,
    to_camera,
)
from schemas.errors import RequestError


def test_focal_length_at_2048_is_the_published_one() -> None:
    assert camera_2k2k(2048).focal_px == pytest.approx(2195.975, abs=1e-3)


def test_hdnet_centre_is_the_published_one_in_corner_origin_pixels() -> None:
    assert pytest.approx((34.972, 139.520), abs=1e-3) == HDNET_CENTRE_PX


def test_hdnet_focal_length_is_the_published_one() -> None:
    assert camera_hdnet(np.eye(4)).focal_px == pytest.approx(314.094, abs=1e-3)


@pytest.mark.parametrize("make", [camera_2k2k, camera_orthographic])
def test_the_origin_stands_in_the_middle_of_the_image(make: Callable[[int], Camera]) -> None:
    assert project(make(256), np.zeros((1, 3))).tolist() == [[128.0, 128.0]]


def test_a_point_up_and_to_the_right_lies_above_and_right_in_the_image() -> None:
    x, y = project(camera_2k2k(256), np.array([[0.1, 0.2, 0.0]]))[0]
    assert x > 128
    assert y < 128


def test_the_edge_of_the_field_of_view_projects_to_the_border() -> None:
    edge = math.tan(math.radians(25.0))
    pixels = project(camera_2k2k(512), np.array([[edge, -edge, 0.0]]))
    assert pixels[0] == pytest.approx([512.0, 512.0])


def test_orthographic_pixels_do_not_depend_on_depth() -> None:
    near, far = project(camera_orthographic(512), np.array([[0.2, 0.1, 0.3], [0.2, 0.1, -0.3]]))
    assert near == pytest.approx(far)


def test_a_point_behind_the_camera_is_refused_by_its_index() -> None:
    with pytest.raises(RequestError, match=r"point 1: z = -1 behind the camera"):
        project(camera_2k2k(64), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0]]))


def test_unknown_points_stay_unknown() -> None:
    assert np.isnan(project(camera_2k2k(64), np.full((1, 3), np.nan))).all()


@pytest.mark.parametrize(
    "camera", [camera_2k2k(32), camera_hdnet(np.eye(4)), camera_orthographic(32)]
)
def test_rays_pass_through_pixel_centres(camera: Camera) -> None:
    points = lift(camera, np.full((camera.height, camera.width), 1.7)).reshape(-1, 3)
    inverse = np.linalg.inv(camera.world_to_camera)
    world = points @ inverse[:3, :3].T + inverse[:3, 3]
    pixels = project(camera, world).reshape(camera.height, camera.width, 2)
    assert pixels[0, 0] == pytest.approx([0.5, 0.5])
    assert pixels[3, 7] == pytest.approx([7.5, 3.5])


def test_rays_have_unit_length() -> None:
    lengths = np.linalg.norm(ray_directions(camera_2k2k(64)), axis=-1)
    assert lengths == pytest.approx(np.ones((64, 64)))


def test_a_lifted_pinhole_pixel_lies_at_its_ray_length() -> None:
    points = lift(camera_2k2k(16), np.full((16, 16), 2.0))
    assert np.linalg.norm(points, axis=-1) == pytest.approx(np.full((16, 16), 2.0))


def test_camera_axes_point_right_down_and_away() -> None:
    right, up, nearer = to_camera(camera_2k2k(8), np.eye(3))
    assert right.tolist() == [1, 0, 1]
    assert up.tolist() == [0, -1, 1]
    assert nearer.tolist() == [0, 0, 0]


@pytest.mark.parametrize("make", [camera_2k2k, camera_orthographic])
def test_a_cropped_camera_sees_the_same_points_in_its_window(make: Callable[[int], Camera]) -> None:
    camera, depth = make(16), np.random.default_rng(0).uniform(0.9, 1.1, (16, 16))
    window = crop_camera(camera, left=3, top=5, width=7, height=4)
    seen = lift(window, depth[5:9, 3:10])
    np.testing.assert_allclose(seen, lift(camera, depth)[5:9, 3:10], atol=1e-12)


def test_every_name_of_a_camera_is_a_row() -> None:
    assert tuple(CAMERA_MODELS) == get_args(CameraName)
    assert set(get_args(StandardCamera)) < set(CAMERA_MODELS)


def test_sample_ids_of_different_cameras_differ() -> None:
    suffixes = [model.id_suffix for model in CAMERA_MODELS.values()]
    assert len(set(suffixes)) == len(suffixes)


@pytest.mark.parametrize("name", get_args(CameraName))
def test_a_camera_beside_a_standard_one_is_placed_as_that_one(name: CameraName) -> None:
    model = CAMERA_MODELS[name]
    assert model.companion is None or CAMERA_MODELS[model.companion].placement == model.placement
    assert model.is_standard == (name != "orthographic")


def test_a_fixed_resolution_overrules_the_one_that_is_asked_for() -> None:
    camera = CAMERA_MODELS["hdnet"].camera(2048, np.eye(4))
    assert (camera.width, camera.height) == (256, 256)


ROOMS = ("schemas", "renderers", "tasks", "flows", "people", "training")
BY_NAME = re.compile(r"""[!=]= ?["'](2k2k|hdnet|orthographic)["']|in \{["'](2k2k|hdnet)""")
"""A comparison with the name of a camera, whose facts belong into its row."""


def _lines_by_name() -> Iterator[str]:
    root = Path(__file__).resolve().parents[2]
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            for number, line in enumerate(path.read_text().splitlines(), start=1):
                if BY_NAME.search(line) and not re.search("layout|method|preset", line):
                    yield f"{path.relative_to(root)}:{number}: {line.strip()}"


def test_no_code_compares_the_name_of_a_camera() -> None:
    assert list(_lines_by_name()) == []
