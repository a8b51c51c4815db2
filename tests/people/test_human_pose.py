"""Studio poses: balanced over both feet, hands where they hold, no arm inside the body."""

import numpy as np
import pytest
import trimesh
from scipy.spatial import ConvexHull

from people.arm_room import arm_gap_cm
from people.figure import read_table, rng_for
from people.held_things import phone, phone_mesh
from people.human_body import HumanBody, PosedBody, build_body, pose_body
from people.human_pose import draw_human_pose, hold_pose, things_held
from people.leg_solver import mass_centre
from people.outfits import draw_outfit
from people.traits import draw_traits
from tests.people.test_garments import open_edges

TABLE = read_table("studio_poses.toml")


@pytest.fixture(scope="module")
def body() -> HumanBody:
    return build_body(draw_traits(0, 4))


@pytest.fixture(scope="module", params=sorted(TABLE["stances"]))
def standing(request: pytest.FixtureRequest, body: HumanBody) -> PosedBody:
    return pose_body(body, hold_pose(body, request.param, "hanging", rng_for(0, 1)))


def test_the_centre_of_mass_is_over_the_feet(standing: PosedBody) -> None:
    floor = standing.vertices[:13380]
    soles = floor[floor[:, 1] < 4][:, [0, 2]]
    x, z = mass_centre(standing)[[0, 2]]
    hull = ConvexHull(soles)
    assert (hull.equations @ [x, z, 1] <= 0).all()


def test_both_feet_touch_the_floor(standing: PosedBody) -> None:
    floor = standing.vertices[:13380]
    for sign in (1, -1):
        assert floor[(floor[:, 0] * sign > 0)][:, 1].min() < 2.0


@pytest.mark.parametrize("pair", sorted(TABLE["pairs"]))
def test_no_arm_is_inside_the_body(body: HumanBody, pair: str) -> None:
    posed = pose_body(body, hold_pose(body, "even", pair, rng_for(0, 2)))
    # Flesh gives way where it is touched: half a finger's thickness.
    assert min(arm_gap_cm(posed, side) for side in ("left", "right")) > -1.6


def test_a_hand_on_the_hip_is_near_the_hip(body: HumanBody) -> None:
    posed = pose_body(body, hold_pose(body, "even", "hands_on_hips", rng_for(0, 3)))
    wrist = posed.transforms["left_hand"] @ [*body.skeleton.head("left_hand"), 1]
    pelvis = posed.transforms["pelvis"] @ [*body.skeleton.head("pelvis"), 1]
    assert np.linalg.norm((wrist - pelvis)[:3]) < 32


def test_the_same_draw_gives_the_same_pose(body: HumanBody) -> None:
    (first, held), (second, again) = (draw_human_pose(body, rng_for(7, 7)) for _ in range(2))
    assert held == again
    assert all((first[name] == second[name]).all() for name in first)


@pytest.mark.parametrize(("swapped", "side"), [(False, "left"), (True, "right")])
def test_a_phone_lies_in_the_hand_that_holds_it(body: HumanBody, swapped: bool, side: str) -> None:
    posed = pose_body(body, hold_pose(body, "even", "phone", rng_for(0, 3), swapped=swapped))
    held = things_held("phone", swapped=swapped)
    assert held.phones == (side,)
    middle = phone(body, posed, side).vertices.mean(axis=0)
    knuckle = posed.transforms[f"{side}_hand"] @ [*body.skeleton.head(f"{side}_middle1"), 1]
    assert np.linalg.norm(middle - knuckle[:3]) < 4


def test_a_phone_is_a_closed_box() -> None:
    vertices, faces = phone_mesh()
    assert open_edges(faces) == 0
    assert trimesh.Trimesh(vertices, faces).volume > 0


def test_a_bag_is_on_the_back_of_whom_the_pose_gives_one() -> None:
    worn = [name for name, _ in draw_outfit(draw_traits(2, 5), bag=True).garments]
    assert things_held("bag", swapped=False).bag
    assert "backpack" in worn
