"""People are closed, jointed, unfolded without overlap, and a pure function of their seed."""

import numpy as np
import pytest
import trimesh

from people.person import Person, make_person
from schemas.keypoints import COCO_WHOLEBODY_INDICES

SIZE = 256


@pytest.fixture(scope="module", params=[(5, 0), (5, 1)], ids=["first", "second"])
def person(request: pytest.FixtureRequest) -> Person:
    seed, index = request.param
    return make_person(seed, index, texture_size=SIZE, detail="fast")


def test_mesh_is_watertight(person: Person) -> None:
    mesh = trimesh.Trimesh(person.posed.vertices, person.model.faces, process=False)
    assert mesh.is_watertight


def test_mesh_has_twenty_thousand_triangles_even_when_fast(person: Person) -> None:
    assert len(person.model.faces) >= 20_000


def test_faces_look_outwards(person: Person) -> None:
    assert trimesh.Trimesh(person.posed.vertices, person.model.faces, process=False).volume > 30_000


def test_feet_stand_on_the_floor(person: Person) -> None:
    assert person.posed.vertices[:, 1].min() == pytest.approx(0, abs=1e-9)


def test_every_chart_triangle_keeps_its_orientation(person: Person) -> None:
    a, b, c = (person.model.atlas.uv[person.model.atlas.faces[:, i]] for i in range(3))
    doubled = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    assert doubled.min() > 0


def test_no_texel_lies_in_two_triangles(person: Person) -> None:
    places = np.random.default_rng(0).uniform(0, 1, (400, 2))
    a, b, c = (person.model.atlas.uv[person.model.atlas.faces[:, i]] for i in range(3))
    inside = np.zeros((len(places), len(a)), bool)
    inside[:] = True
    for first, second in ((a, b), (b, c), (c, a)):
        edge, offset = second - first, places[:, None] - first
        inside &= edge[:, 0] * offset[..., 1] - edge[:, 1] * offset[..., 0] > 0
    assert inside.sum(axis=1).max() == 1


def test_all_parts_are_there(person: Person) -> None:
    assert set(person.model.atlas.parts.tolist()) == set(range(1, 25))


@pytest.mark.parametrize("part", range(1, 25))
def test_charts_span_the_unit_square(person: Person, part: int) -> None:
    rows = np.unique(person.model.atlas.faces[person.model.atlas.parts == part])
    assert np.ptp(person.model.atlas.chart_uv[rows], axis=0).min() > 0.95


def test_kept_joints_lie_inside_the_body(person: Person) -> None:
    mesh = trimesh.Trimesh(person.posed.vertices, person.model.faces, process=False)
    assert mesh.contains(person.joints[list(COCO_WHOLEBODY_INDICES)]).all()


def test_same_seed_gives_the_same_person(person: Person) -> None:
    index = person.model.figure.index
    again = make_person(5, index, texture_size=SIZE, detail="fast")
    assert again.posed.vertices.tobytes() == person.posed.vertices.tobytes()
    assert again.texture.tobytes() == person.texture.tobytes()
