"""Cloth of one limb stays off another's: rooms against known gaps, a shirt under folded arms."""

import igl
import numpy as np
import pytest

from people.cloth_grid import Look
from people.figure import rng_for
from people.garment_surfaces import skin_surface
from people.garments import put_on, wear_bare
from people.human_body import build_body, pose_body
from people.human_pose import hold_pose
from people.limb_sides import BETWEEN, LEFT_ARM, RIGHT_ARM, TRUNK, Rooms, Solid, faces_of, sides_of
from people.traits import draw_traits

COTTON = Look("woven", "plain", (200, 40, 40), (20, 20, 20), (240, 240, 240), 5, ("hems",))
SQUARE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
TWO = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


@pytest.mark.parametrize("gap", [0.5, 2.0, 4.5])
def test_room_is_the_gap_between_two_limbs_that_face_each_other(gap: float) -> None:
    facing = Solid(
        np.concatenate([SQUARE, SQUARE + np.array([0, 0, gap])]),
        np.concatenate([TWO, TWO[:, ::-1] + 4]),
        np.repeat(np.array([TRUNK, LEFT_ARM], np.int32), 4),
    )
    rooms = Rooms(facing)
    np.testing.assert_allclose(rooms.room, gap, atol=0.11)


def test_far_limbs_have_all_the_room() -> None:
    apart = Solid(
        np.concatenate([SQUARE, SQUARE + np.array([0, 0, 20.0])]),
        np.concatenate([TWO, TWO[:, ::-1] + 4]),
        np.repeat(np.array([TRUNK, RIGHT_ARM], np.int32), 4),
    )
    assert np.isinf(Rooms(apart).room).all()


def test_skin_has_two_arms_and_shoulders_between() -> None:
    surface = skin_surface()
    side = sides_of(surface)
    assert set(side) == {TRUNK, LEFT_ARM, RIGHT_ARM, BETWEEN}
    assert (surface.place[side == LEFT_ARM, 0] > 0).all()
    assert (side == LEFT_ARM).sum() == (side == RIGHT_ARM).sum()


def test_sleeves_do_not_sink_into_the_shirt() -> None:
    body = build_body(draw_traits(1, 1))
    posed = pose_body(body, hold_pose(body, "even", "behind_back", rng_for(1, 1), swapped=False))
    rooms, below = wear_bare(posed)
    worn, _ = put_on(body, posed, "shirt", COTTON, below, rooms=rooms, fine=False)
    solid = Solid(worn.vertices, worn.faces, worn.side)
    trunk = faces_of(solid, (TRUNK,)).astype(np.int64)
    arms = np.ascontiguousarray(worn.vertices[np.isin(worn.side, (LEFT_ARM, RIGHT_ARM))])
    normals = igl.per_face_normals(worn.vertices, trunk, np.array([0.0, 1.0, 0.0]))
    squared, face, near = igl.point_mesh_squared_distance(arms, worn.vertices, trunk)
    height = np.einsum("ij,ij->i", arms - near, normals[face])
    sunk = (height < -0.8 * np.sqrt(squared)) & (squared > 0.5**2) & (squared < 4.0**2)
    assert sunk.mean() < 0.005
