"""Skin: darker with melanin, lips redder than cheeks, freckles and stubble where there are any."""

from dataclasses import replace

import numpy as np
import pytest

from people.complexion import skin_tone
from people.skin_ground import lay_ground
from people.skin_layout import islands, texel_rectangle
from people.skin_paint import paint_skin
from people.traits import Traits, draw_traits

SIZE = 512


@pytest.fixture(scope="module")
def traits() -> Traits:
    return replace(draw_traits(2, 1), melanin=0.2, freckles=0.0, stubble=0.0)


@pytest.fixture(scope="module")
def head(traits: Traits) -> np.ndarray:
    return head_of(traits)


def head_of(traits: Traits) -> np.ndarray:
    rows, columns = texel_rectangle(islands()["head"].rectangle, SIZE)
    return paint_skin(traits, SIZE)[rows, columns].astype(float)


def test_skin_is_darker_with_more_melanin(traits: Traits) -> None:
    tones = [float(skin_tone(replace(traits, melanin=share)).mean()) for share in (0, 0.3, 0.6, 1)]
    assert tones == sorted(tones, reverse=True)


def test_lips_are_redder_than_the_cheeks(head: np.ndarray) -> None:
    ground = lay_ground("head", SIZE)
    lips = ground.mask("lips") > 0.8
    x, y, z = np.abs(ground.place[..., 0]), ground.place[..., 1], ground.place[..., 2]
    cheeks = (np.hypot(x - 4.6, y - 68) < 1) & (z > 5)
    lip, cheek = (head[rows].mean(axis=0) for rows in (lips, cheeks))
    assert lip[0] / lip[1] > 1.05 * cheek[0] / cheek[1]


def test_brows_are_darker_than_the_forehead(head: np.ndarray) -> None:
    place = lay_ground("head", SIZE).place
    x, y, z = np.abs(place[..., 0]), place[..., 1], place[..., 2]
    brow = (np.abs(x - 3) < 0.8) & (np.abs(y - 75.05) < 0.15) & (z > 5)
    forehead = (x < 2) & (np.abs(y - 77.5) < 0.5) & (z > 5)
    assert head[brow].mean() < 0.9 * head[forehead].mean()


def test_a_freckled_face_has_more_contrast(traits: Traits, head: np.ndarray) -> None:
    freckled = head_of(replace(traits, freckles=1.0))
    assert (freckled != head).any()
    assert freckled.std() > head.std() * 0.98
