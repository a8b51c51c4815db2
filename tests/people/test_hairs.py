"""Hair and beards: closed, on the head, out of the face, the same for the same seed."""

import igl
import numpy as np
import pytest

from people.anny_assets import BODY_VERTICES
from people.garment_surfaces import canonical_places
from people.hair_locks import find_head, grow_locks, spread_roots
from people.hair_paint import HairLook
from people.hair_styles import CUTS
from people.hairs import BEARDS, grow_beard, grow_hair
from people.human_body import PosedBody, build_body, pose_body
from people.human_mesh import piece_mesh
from people.traits import draw_traits
from tests.people.test_garments import open_edges

LOOK = HairLook((90, 60, 40), 0.3, 0.1, 7)


@pytest.fixture(scope="module")
def posed() -> PosedBody:
    return pose_body(build_body(draw_traits(1, 3)), {})


def collider(posed: PosedBody) -> tuple[np.ndarray, np.ndarray]:
    skin = piece_mesh("skin", 0)
    return skin.place(posed.vertices).astype(np.float64), skin.faces


@pytest.mark.parametrize("style", ["short", "long", "bun"])
def test_hair_is_closed(posed: PosedBody, style: str) -> None:
    hair = grow_hair(posed, style, LOOK, collider(posed))
    assert open_edges(hair.faces) == 0


@pytest.mark.parametrize("style", sorted(set(CUTS) - {"pixie", "curly", "afro", "buzz"}))
def test_hair_leaves_the_eyes_free(posed: PosedBody, style: str) -> None:
    hair = grow_hair(posed, style, LOOK, collider(posed))
    eyes = [piece_mesh(eye, 0).place(posed.vertices) for eye in ("left_eye", "right_eye")]
    for eye in eyes:
        middle, radius = eye.mean(axis=0), float(np.ptp(eye[:, 0])) / 2
        across = np.hypot(*(hair.vertices - middle)[:, :2].T)
        before = (across < radius) & (hair.vertices[:, 2] > middle[2])
        assert before.mean() < 0.001


def test_a_head_is_found_where_it_is(posed: PosedBody) -> None:
    skin = posed.vertices[:BODY_VERTICES].astype(np.float64)
    head = find_head(skin, *collider(posed))
    own = canonical_places()[:BODY_VERTICES, 1] > 151
    error = head.canonical(skin[own]) - canonical_places()[:BODY_VERTICES][own]
    assert np.sqrt((error**2).sum(axis=1).mean()) < 1.0
    np.testing.assert_allclose(head.turn @ head.turn.T, np.eye(3), atol=1e-9)


def test_locks_stay_outside_the_skull(posed: PosedBody) -> None:
    vertices, faces = collider(posed)
    skin = posed.vertices[:BODY_VERTICES].astype(np.float64)
    head, rng = find_head(skin, vertices, faces), np.random.default_rng(3)
    above = np.where(canonical_places()[:BODY_VERTICES, 1] > 160, 1.0, -1.0)
    roots = spread_roots(skin, above, 300, rng)
    cut = CUTS["swept"]
    lines = grow_locks(head, roots, cut, np.full(len(roots.place), cut.top), rng)
    points = np.ascontiguousarray(lines[:, 2:].reshape(-1, 3))
    inside = igl.fast_winding_number(vertices, faces.astype(np.int64), points) > 0.5
    assert inside.mean() < 0.01


@pytest.mark.parametrize("kind", sorted(BEARDS))
def test_a_beard_grows_on_the_lower_face(posed: PosedBody, kind: str) -> None:
    beard = grow_beard(posed, kind, LOOK, collider(posed))
    places = canonical_places()[beard.near]
    assert open_edges(beard.faces) == 0
    assert places[:, 1].max() < 156
    assert places[:, 2].min() > 2


def test_hair_is_the_same_for_the_same_seed(posed: PosedBody) -> None:
    one, two = (grow_hair(posed, "curly", LOOK, collider(posed)) for _ in range(2))
    assert one.vertices.tobytes() == two.vertices.tobytes()
    assert one.paint(32, 64).albedo.tobytes() == two.paint(32, 64).albedo.tobytes()
