"""Lifelike dancers: one mesh in all frames, smooth motion, feet on the floor, true rest points."""

import numpy as np
import pytest

from people.anny_assets import read_walk_cycle
from people.dancers import Dancer, DancerFrame, lifelike_dancer
from people.hair_mold import Molds
from people.human_body import HumanBody, build_body, pose_body
from people.human_motion import plan_human_motion, walk
from people.human_outfit import dress_human
from people.human_skeleton import share_along_spine
from people.traits import draw_traits

FRAMES = 2


@pytest.fixture(scope="module")
def body() -> HumanBody:
    return build_body(draw_traits(1, 3))


@pytest.fixture(scope="module")
def dancer() -> Dancer:
    return lifelike_dancer(1, 3, FRAMES, "sketch", 64)


@pytest.fixture(scope="module")
def frames(dancer: Dancer) -> list[DancerFrame]:
    return list(dancer.frames())


def test_frames_have_the_vertices_of_one_mesh(dancer: Dancer, frames: list[DancerFrame]) -> None:
    assert {len(frame.vertices) for frame in frames} == {len(dancer.surface.rest)}
    assert dancer.faces.max() < len(dancer.surface.rest)


def test_soles_stay_on_the_floor(frames: list[DancerFrame]) -> None:
    assert all(abs(frame.vertices[:, 1].min()) < 0.5 for frame in frames)


def test_rest_points_are_those_of_the_t_pose(dancer: Dancer) -> None:
    assert np.ptp(dancer.surface.rest[:, 0]) > 0.9 * np.ptp(dancer.surface.rest[:, 1])


def test_a_dance_moves_smoothly(body: HumanBody) -> None:
    steps = plan_human_motion(body, 20)
    hands = []
    for step in steps:
        transforms = pose_body(body, share_along_spine(step.rotations)).transforms
        hands.append(transforms["left_hand"] @ [*body.skeleton.head("left_hand"), 1])
    assert np.linalg.norm(np.diff(hands, axis=0), axis=1).max() < 15


def test_a_walk_puts_one_foot_before_the_other_and_then_the_other(body: HumanBody) -> None:
    ahead = []
    for step in walk(body, 40, np.random.default_rng(0)):
        transforms = pose_body(body, share_along_spine(step.rotations)).transforms
        left, right = (
            (transforms[f"{side}_foot"] @ [*body.skeleton.head(f"{side}_foot"), 1])[2]
            for side in ("left", "right")
        )
        ahead.append(left - right)
    assert max(ahead) > 15
    assert min(ahead) < -15


def test_the_walk_cycle_lifts_each_foot_once() -> None:
    cycle = read_walk_cycle()
    for side in ("left", "right"):
        assert 4 < cycle.foot_lift[side].max() < 15
        assert np.ptp(cycle.foot_ahead[side]) == pytest.approx(78, abs=3)


def test_hair_goes_with_the_head_and_keeps_its_mesh() -> None:
    body = build_body(draw_traits(1, 3))
    molds = Molds()
    turns = {"head": np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])}
    hairs = []
    for pose in ({}, turns):
        pieces = dress_human(body, pose_body(body, pose), "sketch", molds=molds).pieces
        hairs.append(next(piece for piece in pieces if piece.name == "hair"))
    still, turned = hairs
    np.testing.assert_array_equal(still.faces, turned.faces)
    crown = still.vertices[:, 1] > still.vertices[:, 1].max() - 6
    about = still.vertices[crown] - still.vertices[crown].mean(axis=0)
    moved = turned.vertices[crown] - turned.vertices[crown].mean(axis=0)
    assert np.linalg.norm(about @ turns["head"].T - moved, axis=1).mean() < 1.0
