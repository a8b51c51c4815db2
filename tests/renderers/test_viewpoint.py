import numpy as np
import pytest

from renderers.placement import rotation_y
from renderers.viewpoint import Viewpoint, fill_image
from schemas.camera import CAMERA_MODELS, project, to_camera

HEIGHT_CM, WIDTH_CM, DEPTH_CM = 170.0, 50.0, 30.0


def box(height: float = HEIGHT_CM, width: float = WIDTH_CM, depth: float = DEPTH_CM) -> np.ndarray:
    """Return the corners of a box that stands at x = 300, feet at y = 0."""
    signs = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (0, 1) for z in (-0.5, 0.5)])
    corners: np.ndarray = signs * (width, height, depth) + (300.0, 0.0, 20.0)
    return corners


def place(corners: np.ndarray, turned: np.ndarray | None = None) -> Viewpoint:
    """Place what is measured in centimetres, at a world of 2 m a unit."""
    scale = np.diag([0.005, 0.005, 0.005, 1.0])
    turned = scale if turned is None else turned @ scale
    return fill_image(CAMERA_MODELS["hdnet"], 256, corners, turned, 2.0)


def distance_m(placed: Viewpoint) -> float:
    """Return how far the middle of the person is from the camera's centre."""
    return float(np.linalg.norm(to_camera(placed.camera, np.zeros((1, 3)))))


def world_of(placement: Viewpoint, points: np.ndarray) -> np.ndarray:
    matrix = placement.mesh_to_world
    world: np.ndarray = points @ matrix[:3, :3].T + matrix[:3, 3]
    return world


def pixels_of(placement: Viewpoint, points: np.ndarray) -> np.ndarray:
    return project(placement.camera, world_of(placement, points))


def test_the_world_is_in_metres() -> None:
    world = world_of(place(box()), box())
    assert np.ptp(world, axis=0) == pytest.approx([0.5, 1.7, 0.3])


def test_the_middle_of_the_box_stands_at_the_crops_centre() -> None:
    placed = place(box())
    middle = np.array([[300.0, 85.0, 20.0]])
    assert pixels_of(placed, middle)[0] == pytest.approx([128, 128])


def test_the_person_fills_ninety_per_cent_of_the_crop() -> None:
    extent = np.ptp(pixels_of(place(box()), box()), axis=0)
    assert extent.max() == pytest.approx(0.9 * 256, abs=0.01)


def test_a_wide_person_fills_the_crop_by_its_width() -> None:
    corners = box(height=100, width=180)
    extent = np.ptp(pixels_of(place(corners), corners), axis=0)
    assert extent[0] == pytest.approx(0.9 * 256, abs=0.01)
    assert extent[1] < extent[0]


def test_a_small_person_is_never_nearer_than_a_metre_and_a_half() -> None:
    corners = box(height=60, width=20, depth=10)
    placed = place(corners)
    assert distance_m(placed) == pytest.approx(1.5)
    assert np.ptp(pixels_of(placed, corners), axis=0).max() < 0.9 * 256


def test_the_camera_s_centre_is_that_of_its_matrix() -> None:
    placed = place(box())
    centre = np.linalg.inv(placed.camera.world_to_camera)[:3, 3]
    assert np.linalg.norm(centre) == pytest.approx(distance_m(placed))


def test_the_person_faces_the_camera_along_the_ray() -> None:
    placed = place(box())
    ends = to_camera(placed.camera, np.array([[0, 0, 0], [0, 0, 1.0]]))
    towards_camera = -ends[0] / np.linalg.norm(ends[0])
    assert ends[1] - ends[0] == pytest.approx(towards_camera)


def test_the_person_stands_upright_in_the_image() -> None:
    placed = place(box())
    head, feet = pixels_of(placed, np.array([[300.0, 170, 20], [300.0, 0, 20]]))
    assert head[1] < feet[1]
    axes = placed.camera.world_to_camera[:3, :3]
    assert axes[1, 0] == pytest.approx(0)  # the world's x has no part downwards: no roll
    assert np.linalg.det(axes) == pytest.approx(1)


def test_the_right_hand_side_of_the_person_is_on_the_left_of_the_image() -> None:
    placed = place(box())
    left, right = pixels_of(placed, np.array([[290.0, 85, 20], [310.0, 85, 20]]))
    assert left[0] < right[0]


def test_a_turned_view_turns_the_person_before_the_camera() -> None:
    placed = place(box(), rotation_y(90))
    assert np.ptp(world_of(placed, box()), axis=0) == pytest.approx([0.3, 1.7, 0.5])


def test_whatever_reaches_forward_stays_inside_the_crop() -> None:
    corners = np.concatenate([box(), [[300.0, 165.0, 140.0]]])  # an arm towards the camera, raised
    pixels = pixels_of(place(corners), corners)
    assert pixels.min() >= 0
    assert pixels.max() <= 256


def test_all_of_the_person_is_in_the_range_of_depth_that_the_reader_uses() -> None:
    depth = to_camera(place(box()).camera, world_of(place(box()), box()))[:, 2]
    assert depth.min() > 1
    assert depth.max() < 8


def test_of_many_points_the_outermost_decide() -> None:
    # What halving over all points gives: a figure whose widest points change with the distance.
    points = np.random.default_rng(5).normal(size=(4000, 3)) * (18.0, 40.0, 25.0)
    placed = place(points)
    extent = np.ptp(pixels_of(placed, points), axis=0)
    assert extent.max() == pytest.approx(0.9 * 256, abs=1e-6)
    assert pixels_of(placed, points).min() >= 0
