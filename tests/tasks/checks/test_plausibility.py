from collections.abc import Mapping

import numpy as np
import pytest

from schemas.camera import camera_2k2k, project
from schemas.codecs import encode_mask
from schemas.settings import RenderSettings
from tasks.checks.findings import Breach
from tasks.checks.plausibility import check_plausibility, estimate_stature
from tasks.dataset.stored_sample import StoredSample
from tests.tasks.sample_rows import RESOLUTION, ball_row

SETTINGS = RenderSettings(resolution=RESOLUTION, yaws=(0,))
STANDING = {
    5: (0.05, 0.14, 0), 6: (-0.05, 0.14, 0), 11: (0.04, 0.0, 0), 12: (-0.04, 0.0, 0),
    13: (0.04, -0.1, 0), 14: (-0.04, -0.1, 0), 15: (0.04, -0.2, 0), 16: (-0.04, -0.2, 0),
}  # fmt: skip
"""World places of a person with a trunk of 0.14 and legs of 0.2 scene units."""


def _row(places: Mapping[int, tuple[float, float, float]], **changes: object) -> dict[str, object]:
    camera = camera_2k2k(RESOLUTION)
    world = np.full((31, 3), np.nan)
    for joint, place in places.items():
        world[joint] = place
    known = np.isfinite(world[:, 0])
    keypoints = np.zeros((31, 3))
    keypoints[known, :2], keypoints[known, 2] = project(camera, world[known]), 1
    view = camera.world_to_camera
    joints = world @ view[:3, :3].T + view[:3, 3]
    return ball_row() | {"keypoints": keypoints.ravel(), "joints_camera": joints.ravel()} | changes


def _findings(row: dict[str, object]) -> list[Breach]:
    return list(check_plausibility(StoredSample(row, SETTINGS)))


def _lying(y: float, z: float) -> dict[int, tuple[float, float, float]]:
    return {joint: (x, y, z + height) for joint, (x, height, _) in STANDING.items()}


def test_a_person_who_stands_is_plausible() -> None:
    assert _findings(_row(STANDING)) == []


def test_stature_is_limbs_and_trunk_by_their_share() -> None:
    points = np.full((31, 3), np.nan)
    points[list(STANDING)] = list(STANDING.values())
    # sides stand straight below the hips; the trunk joins the middles
    assert estimate_stature(points) == pytest.approx(0.34 / 0.779)


def test_one_leg_is_enough_and_no_leg_is_too_little() -> None:
    points = np.full((31, 3), np.nan)
    points[list(STANDING)] = list(STANDING.values())
    points[13] = np.nan
    assert estimate_stature(points) == pytest.approx(0.34 / 0.779)
    points[14] = np.nan
    assert estimate_stature(points) is None


@pytest.mark.parametrize(("metres", "tall"), [(0.0245, "0.0107"), (245.0, "107"), (6.0, "2.62")])
def test_a_size_in_the_wrong_unit_is_found(metres: float, tall: str) -> None:
    (found,) = _findings(_row(STANDING, metres_per_unit=metres))
    assert (found.what, found.found) == (
        "metres_per_unit", f"a body that would stand {tall} m tall",
    )  # fmt: skip


def test_a_crouching_person_is_as_tall_as_a_standing_one() -> None:
    crouching = STANDING | {
        13: (0.04, 0.0, 0.1), 14: (-0.04, 0.0, 0.1), 15: (0.04, -0.1, 0.1), 16: (-0.04, -0.1, 0.1)
    }  # fmt: skip
    assert _findings(_row(crouching)) == []


def test_a_person_who_lies_is_found() -> None:
    found = _findings(_row(_lying(0.0, 0.0)))
    assert [one.found for one in found] == [
        "shoulders 90 degrees off the vertical above the ankles"
    ]


def test_a_pitched_view_of_a_standing_person_is_upright() -> None:
    turn = np.radians(80)
    pitch = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    tilted = {joint: tuple(pitch @ place) for joint, place in STANDING.items()}
    matrix = np.eye(4)
    matrix[:3, :3] = pitch
    assert _findings(_row(tilted, mesh_to_world=matrix.ravel())) == []


def test_a_joint_outside_the_masks_box_is_named() -> None:
    (found,) = _findings(_row(STANDING | {9: (0.42, 0.0, 0.0)}))
    assert (found.what, found.found) == ("keypoints", "left wrist outside the mask's box")


def test_a_person_who_is_cut_by_the_image_is_found() -> None:
    mask = np.zeros((RESOLUTION, RESOLUTION), bool)
    mask[10:, 10:50] = True
    (found,) = _findings(_row({}, mask={"bytes": encode_mask(mask), "path": None}))
    assert (found.what, found.found) == ("person", "cut by the edge of the image")


def test_an_empty_mask_is_found() -> None:
    mask = encode_mask(np.zeros((RESOLUTION, RESOLUTION), bool))
    (found,) = _findings(_row({}, mask={"bytes": mask, "path": None}))
    assert (found.what, found.found) == ("mask", "no pixel")


def test_unknown_joints_prove_nothing() -> None:
    assert _findings(_row({})) == []
