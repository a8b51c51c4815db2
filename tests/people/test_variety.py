"""Twenty people differ from each other, none is thin, and the number on the chest is readable."""

import itertools

import cv2
import numpy as np
import pytest
import trimesh
from jaxtyping import Bool, Float

from people.figure import draw_figure
from people.paint_cloth import number_mask
from people.person import Person, make_person

pytestmark = pytest.mark.long

PEOPLE = 20
RASTER = 48
BOX_CM = 220.0


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return [make_person(9, index, texture_size=64, detail="sketch") for index in range(PEOPLE)]


def silhouette(person: Person) -> Bool[np.ndarray, "48 48"]:
    """Return which squares of a front view hold a vertex or a triangle's middle."""
    middles = person.posed.vertices[person.model.faces].mean(axis=1)
    points = np.concatenate([person.posed.vertices, middles])[:, :2]
    cells = ((points + np.array([BOX_CM / 2, 5])) / BOX_CM * RASTER).astype(int)
    image = np.zeros((RASTER, RASTER), bool)
    image[cells[:, 1], cells[:, 0]] = True
    return image


def mean_colors(person: Person) -> Float[np.ndarray, " N"]:
    """Return the mean colours of the texture's eighths."""
    small = cv2.resize(person.texture, (8, 8), interpolation=cv2.INTER_AREA)
    return small.astype(float).ravel()


def test_silhouettes_differ_pairwise(people: list[Person]) -> None:
    shapes = [silhouette(person) for person in people]
    overlaps = [(a & b).sum() / (a | b).sum() for a, b in itertools.combinations(shapes, 2)]
    assert max(overlaps) < 0.97


def test_colors_differ_pairwise(people: list[Person]) -> None:
    colors = [mean_colors(person) for person in people]
    gaps = [np.abs(a - b).mean() for a, b in itertools.combinations(colors, 2)]
    assert min(gaps) > 4


def test_all_are_watertight(people: list[Person]) -> None:
    meshes = (
        trimesh.Trimesh(person.posed.vertices, person.model.faces, process=False)
        for person in people
    )
    assert [mesh.is_watertight for mesh in meshes] == [True] * PEOPLE


def test_all_atlases_keep_their_orientation(people: list[Person]) -> None:
    smallest = []
    for person in people:
        a, b, c = (person.model.atlas.uv[person.model.atlas.faces[:, i]] for i in range(3))
        one, two = b - a, c - a
        smallest.append((one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]).min())
    assert min(smallest) > 0


def test_front_and_back_of_the_torso_lie_apart(people: list[Person]) -> None:
    thinnest = []
    for person in people:
        middle = person.joints[[5, 6, 11, 12]].mean(axis=0)
        near = np.linalg.norm(person.posed.vertices[:, :2] - middle[:2], axis=1) < 4
        thinnest.append(
            np.ptp(person.posed.vertices[near, 2]) / np.ptp(person.posed.vertices[:, 1])
        )
    assert min(thinnest) > 0.005


def test_traits_are_drawn_from_seed_and_index_alone() -> None:
    assert draw_figure(3, 7) == draw_figure(3, 7)
    assert draw_figure(3, 7) != draw_figure(4, 7)


def test_the_numbers_first_digit_stands_on_the_left() -> None:
    mask = number_mask(81)
    assert mask[:, :128].sum() > 1.2 * mask[:, 128:].sum()


def test_the_number_stands_upright() -> None:
    """A seven is heavier above its middle."""
    rows = number_mask(77).sum(axis=1)
    digits = rows[rows > 0]
    middle = len(digits) // 2
    assert digits[:middle].sum() > 1.3 * digits[middle:].sum()
