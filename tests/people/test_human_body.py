"""Bodies from the CC0 files: closed, jointed, posed as asked, and a pure function of their seed."""

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from people.human_body import HumanBody, body_regions, build_body, carry_points, pose_body
from people.human_mesh import piece_mesh
from people.human_skeleton import follower_weights
from people.traits import draw_traits


@pytest.fixture(scope="module")
def body() -> HumanBody:
    return build_body(draw_traits(3, 1))


@pytest.mark.parametrize(("level", "faces"), [(0, 26_756), (1, 107_024)])
def test_the_skin_is_closed_and_has_no_handle(body: HumanBody, level: int, faces: int) -> None:
    skin = piece_mesh("skin", level)
    mesh = trimesh.Trimesh(skin.place(body.rest), skin.faces, process=False)
    assert mesh.is_watertight
    assert mesh.euler_number == 2
    assert len(mesh.faces) == faces


def test_the_skin_faces_outwards_and_holds_a_persons_volume(body: HumanBody) -> None:
    skin = piece_mesh("skin", 0)
    litres = trimesh.Trimesh(skin.place(body.rest), skin.faces, process=False).volume / 1000
    assert 15 < litres < 150


def test_arms_are_level_at_rest(body: HumanBody) -> None:
    joints = [body.skeleton.head(f"left_{bone}") for bone in ("upper_arm", "forearm", "hand")]
    assert np.ptp([joint[1] for joint in joints]) == pytest.approx(0, abs=1e-6)
    assert joints[0][0] < joints[1][0] < joints[2][0]


def test_no_turn_leaves_the_body_at_rest(body: HumanBody) -> None:
    assert np.abs(pose_body(body, {}).vertices - body.rest).max() < 1e-3


def test_a_lowered_arm_hangs_below_its_shoulder(body: HumanBody) -> None:
    down = Rotation.from_euler("z", -90, degrees=True).as_matrix()
    transforms = pose_body(body, {"left_upper_arm": down}).transforms
    wrist, shoulder = body.skeleton.head("left_hand"), body.skeleton.head("left_upper_arm")
    moved = transforms["left_hand"] @ [*wrist, 1]
    length = wrist[0] - shoulder[0]
    assert moved[:3] == pytest.approx(shoulder - [0, length, 0], abs=0.05)


def test_points_on_the_skin_are_carried_as_the_skin_is(body: HumanBody) -> None:
    down = Rotation.from_euler("z", -60, degrees=True).as_matrix()
    posed = pose_body(body, {"left_upper_arm": down})
    skin = piece_mesh("skin", 0)
    carried = carry_points(posed, skin.place(body.rest), skin.matrix)
    # Blending is not linear in two steps at once: the rest pose is itself blended.
    assert np.median(np.linalg.norm(carried - skin.place(posed.vertices), axis=1)) < 0.01


def test_weights_sum_to_one() -> None:
    assert np.asarray(follower_weights().sum(axis=1)) == pytest.approx(1, abs=1e-5)


def test_both_sides_have_regions_of_the_same_size() -> None:
    sizes = np.bincount(body_regions())
    assert (sizes[5::2] == sizes[6::2]).all()


def test_the_same_seed_gives_the_same_body() -> None:
    first, second = (build_body(draw_traits(9, 4)).rest.tobytes() for _ in range(2))
    assert first == second


def test_other_indices_give_other_bodies(body: HumanBody) -> None:
    assert np.abs(build_body(draw_traits(3, 2)).bind - body.bind).max() > 0.5
