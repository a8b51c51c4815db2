import numpy as np
import pytest

from renderers.projected_joints import (
    OCCLUSION_UNKNOWN,
    ProjectedJoints,
    draw_overlay,
    project_joints,
)
from schemas.camera import camera_2k2k
from schemas.codecs import Box
from schemas.keypoints import JOINT_COUNT
from schemas.scan import Joints

CAMERA = camera_2k2k(128)
EMPTY = np.zeros((128, 128), np.float32)


def _joints(positions: dict[int, tuple[float, float, float]]) -> Joints:
    points, known = np.full((JOINT_COUNT, 3), np.nan), np.zeros(JOINT_COUNT, bool)
    for joint, position in positions.items():
        points[joint], known[joint] = position, True
    return Joints(points, known, known.astype(np.uint8))


def _project(
    joints: Joints, depth: np.ndarray = EMPTY, *, factor: float = 1.0, box: Box | None = None
) -> ProjectedJoints:
    return project_joints(
        joints, CAMERA,
        mesh_to_world=np.eye(4), front_depth=depth, metres_per_unit=2.5, factor=factor, box=box,
    )  # fmt: skip


def test_a_joint_at_the_origin_lies_in_the_middle_and_one_unit_away() -> None:
    projected = _project(_joints({0: (0, 0, 0)}))
    assert projected.pixels[0].tolist() == [64, 64, 1]
    assert projected.camera[0].tolist() == [0, 0, 1]


def test_an_unknown_joint_is_zero_in_pixels_and_nan_in_space() -> None:
    projected = _project(_joints({0: (0, 0, 0)}))
    assert projected.pixels[1].tolist() == [0, 0, 0]
    assert np.isnan(projected.camera[1]).all()
    assert projected.occluded[1] == OCCLUSION_UNKNOWN
    assert projected.source[1] == 0


def test_a_joint_outside_the_image_keeps_its_coordinates() -> None:
    projected = _project(_joints({5: (0.9, 0, 0)}))
    assert projected.pixels[5, 0] > 128
    assert projected.occluded[5] == OCCLUSION_UNKNOWN


@pytest.mark.parametrize(("surface", "occluded"), [(0.99, 0), (0.5, 1), (0.0, 0)])
def test_a_joint_is_occluded_when_something_stands_far_before_it(
    surface: float, occluded: int
) -> None:
    depth = np.full((128, 128), surface, np.float32)
    assert _project(_joints({9: (0.001, 0.001, 0)}), depth).occluded[9] == occluded


@pytest.mark.parametrize("box", [np.s_[60:70, 62:90], np.s_[64:128, 0:65], np.s_[0:40, 0:128]])
def test_a_box_of_depths_says_what_the_whole_image_says(box: Box) -> None:
    depth = np.zeros((128, 128), np.float32)
    depth[box] = 0.5
    joints = _joints({9: (0.001, 0.001, 0), 10: (-0.2, 0.3, 0), 11: (0.9, 0, 0)})
    whole, part = _project(joints, depth), _project(joints, depth[box], box=box)
    assert np.array_equal(whole.occluded, part.occluded)


def test_the_published_factor_moves_joints_away_from_the_centre() -> None:
    plain = _project(_joints({0: (0.2, 0, 0)}))
    widened = _project(_joints({0: (0.2, 0, 0)}), factor=1.037)
    assert widened.pixels[0, 0] - 64 == pytest.approx(1.037 * (plain.pixels[0, 0] - 64))


def test_the_overlay_marks_a_seen_joint_green_and_leaves_the_image_alone() -> None:
    image = np.zeros((128, 128, 3), np.uint8)
    projected = _project(_joints({0: (0, 0, 0)}))
    overlay = draw_overlay(image, projected.pixels, projected.occluded)
    assert overlay[64, 64].tolist() == [40, 220, 90]
    assert not image.any()
