"""Garments on a posed body: closed, outside the body, hanging as the solver's equations say."""

import igl
import numpy as np
import pytest

from people.cloth_grid import Look
from people.cloth_solver import (
    GRAVITY_CM,
    INERTIA,
    Collider,
    Stuff,
    measure_lengths,
    relax_cloth,
)
from people.figure import draw_figure, rng_for
from people.garment_kinds import GARMENTS
from people.garments import wear
from people.human_body import build_body, pose_body
from people.human_mesh import piece_mesh
from people.outfits import draw_outfit
from people.pieces import Piece, close_sheet, pack_tiles
from people.pose import pose_rotations, pose_table
from people.traits import draw_traits

FAR_AWAY = Collider(
    np.array([[0.0, -900, 0], [1, -900, 0], [0, -900, -1]]), np.array([[0, 1, 2]], np.int32)
)
SQUARE = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
TWO = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
COTTON = Look("jersey", "plain", (200, 40, 40), (20, 20, 20), (240, 240, 240), 5, ("hems",))


def dress(index: int, *kinds: str) -> tuple[Piece, ...]:
    body = build_body(draw_traits(1, index))
    figure = draw_figure(1, index)
    turns = pose_table().turns_of("contrapposto")
    posed = pose_body(body, pose_rotations(figure.heft, turns, rng_for(1, index)))
    return tuple(wear(body, posed, [(kind, COTTON) for kind in kinds]))


@pytest.fixture(scope="module")
def dressed() -> tuple[Piece, ...]:
    return dress(0, "trousers", "tshirt")


def test_free_cloth_falls_by_the_sum_of_its_speeds() -> None:
    lengths = measure_lengths(SQUARE, TWO, Stuff())
    fallen = relax_cloth(SQUARE, lengths, FAR_AWAY, held=np.zeros(4), steps=3)
    speeds = [GRAVITY_CM * sum(INERTIA**k for k in range(n)) for n in (1, 2, 3)]
    np.testing.assert_allclose(fallen, SQUARE - [0, sum(speeds), 0], atol=2e-4)


def test_stretched_cloth_returns_to_its_lengths() -> None:
    lengths = measure_lengths(SQUARE, TWO, Stuff(press=1.0))
    pulled = SQUARE * [1.6, 1, 1]
    place = relax_cloth(pulled, lengths, FAR_AWAY, held=np.zeros(4), steps=250, gravity=0.0)
    sides = np.linalg.norm(place - np.roll(place, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, 1.0, atol=0.02)


def test_cloth_comes_to_rest_on_a_floor() -> None:
    size = 50.0
    corners = np.array([[-size, 0, -size], [-size, 0, size], [size, 0, size], [size, 0, -size]])
    floor = Collider(corners, TWO, gap_cm=0.4)
    start = SQUARE[:, [0, 2, 1]] + [0, 1.0, 0]
    lengths = measure_lengths(start, TWO, Stuff())
    place = relax_cloth(start, lengths, floor, held=np.zeros(4), steps=80)
    np.testing.assert_allclose(place[:, 1], 0.4, atol=1e-4)


def test_a_sheet_is_closed() -> None:
    sheet = close_sheet(SQUARE, TWO, TWO, thickness_cm=0.1)
    assert sheet_volume(sheet.vertices, sheet.faces) == pytest.approx(0.1, rel=0.2)
    assert open_edges(sheet.faces) == 0


@pytest.mark.parametrize("number", [0, 1])
def test_garments_are_closed(dressed: tuple[Piece, ...], number: int) -> None:
    assert open_edges(dressed[number].faces) == 0


@pytest.mark.parametrize("number", [0, 1])
def test_cloth_lies_outside_the_body(dressed: tuple[Piece, ...], number: int) -> None:
    body = build_body(draw_traits(1, 0))
    turns = pose_table().turns_of("contrapposto")
    posed = pose_body(body, pose_rotations(draw_figure(1, 0).heft, turns, rng_for(1, 0)))
    skin = piece_mesh("skin", 0)
    places = skin.place(posed.vertices).astype(np.float64)
    outside = dressed[number].vertices[: len(dressed[number].vertices) // 2]
    inside = igl.fast_winding_number(places, skin.faces.astype(np.int64), outside) > 0.5
    assert inside.mean() < 0.005


def test_the_same_seed_gives_the_same_bytes(dressed: tuple[Piece, ...]) -> None:
    again = dress(0, "trousers", "tshirt")
    for one, other in zip(dressed, again, strict=True):
        assert one.vertices.tobytes() == other.vertices.tobytes()
        assert one.paint(48, 32).albedo.tobytes() == other.paint(48, 32).albedo.tobytes()


def test_tiles_do_not_overlap() -> None:
    tiles = pack_tiles([(3, 2), (1, 1), (2, 4), (1, 3)], width=1, height=2)
    area = np.zeros((400, 200), int)
    for left, bottom, width, height in tiles:
        rows = slice(round(bottom * 200), round((bottom + height) * 200))
        area[rows, round(left * 200) : round((left + width) * 200)] += 1
    assert area.max() == 1


def open_edges(faces: np.ndarray) -> int:
    """Return how many directed edges have no twin of the other direction."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forward = {(int(a), int(b)) for a, b in sides}
    return sum((b, a) not in forward for a, b in forward) + len(sides) - len(forward)


def sheet_volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


@pytest.mark.parametrize("kind", ["sneakers", "boots"])
def test_shoes_have_a_flat_sole_below_the_feet(kind: str) -> None:
    body = build_body(draw_traits(1, 0))
    posed = pose_body(body, {})
    (shoes,) = wear(body, posed, [(kind, COTTON)])
    low = shoes.vertices[:, 1].min()
    sole = shoes.vertices[shoes.vertices[:, 1] < low + 0.05]
    assert low < -1
    assert np.ptp(sole[:, 2]) > 0.7 * np.ptp(shoes.vertices[:, 2])


def test_all_garments_are_worn_by_somebody() -> None:
    worn = {name for i in range(500) for name, _ in draw_outfit(draw_traits(2, i)).garments}
    assert worn == set(GARMENTS)


def test_an_outfit_is_the_same_for_the_same_person() -> None:
    assert draw_outfit(draw_traits(4, 9)) == draw_outfit(draw_traits(4, 9))


@pytest.mark.parametrize("kind", ["hood", "glasses", "cap"])
def test_accessories_are_closed_and_have_room_in_a_texture(kind: str) -> None:
    body = build_body(draw_traits(1, 0))
    (piece,) = wear(body, pose_body(body, {}), [(kind, COTTON)])
    assert open_edges(piece.faces) == 0
    assert np.isfinite(piece.vertices).all()
    assert min(piece.tile_cm) >= 12
