"""Who a figure is: every trait drawn from (seed, index) and nothing else.

Lengths are centimetres of the canonical figure of 175 cm; `scale` turns it into the person's own.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeVar

import numpy as np

Top = Literal["tshirt", "shirt", "sweater", "jacket", "tank"]
Bottom = Literal["trousers", "jeans", "shorts", "skirt"]
Hair = Literal["short", "crop", "bob", "long", "bun", "bald"]
Color = tuple[int, int, int]
T = TypeVar("T")

CANONICAL_HEIGHT_CM = 175.0
CM_PER_M = 100.0
CANONICAL = "canonical_figure.toml"
"""The table of its measures; `read_table` reads it."""

MEAN_HEIGHT_CM = {False: 177.0, True: 165.0}
HEIGHT_DEVIATION_CM = 6.0
"""Men (False) and women (True). Source: round numbers for European adults."""

TOPS: dict[bool, tuple[Top, ...]] = {
    False: ("tshirt", "shirt", "sweater", "jacket", "tshirt", "jacket"),
    True: ("tshirt", "shirt", "sweater", "jacket", "tank", "tshirt"),
}
BOTTOMS: dict[bool, tuple[Bottom, ...]] = {
    False: ("trousers", "jeans", "shorts", "jeans"),
    True: ("trousers", "jeans", "skirt", "skirt", "shorts"),
}
HAIRS: dict[bool, tuple[Hair, ...]] = {
    False: ("short", "crop", "short", "bald", "crop"),
    True: ("bob", "long", "bun", "long", "short"),
}
POSES = (
    "stand", "contrapposto", "walk", "hand_on_hip", "wave",
    "step", "present", "look_aside", "arms_out", "thinking",
)  # fmt: skip

SKIN_TONES: tuple[Color, ...] = (
    (241, 203, 178), (232, 188, 158), (222, 172, 138), (198, 143, 106),
    (168, 114, 78), (134, 88, 60), (99, 64, 46), (236, 196, 166),
)  # fmt: skip
HAIR_TONES: tuple[Color, ...] = (
    (34, 26, 22), (58, 40, 28), (92, 62, 38), (132, 92, 52),
    (176, 136, 84), (118, 52, 28),
)  # fmt: skip
GREY_HAIR: Color = (160, 156, 150)
GREY_FROM_AGE = 52
TOP_COLORS: tuple[Color, ...] = (
    (206, 58, 52), (38, 84, 150), (236, 232, 222), (58, 120, 82),
    (226, 172, 54), (44, 46, 54), (124, 72, 132), (96, 164, 186),
    (232, 136, 110), (110, 122, 70), (150, 154, 160), (90, 36, 48),
)  # fmt: skip
BOTTOM_COLORS: dict[Bottom, tuple[Color, ...]] = {
    "trousers": ((52, 54, 62), (118, 104, 82), (150, 134, 106), (40, 52, 76), (84, 90, 78)),
    "jeans": ((52, 74, 112), (76, 102, 142), (36, 46, 70), (112, 136, 168)),
    "shorts": ((168, 150, 118), (60, 76, 98), (92, 100, 80), (44, 46, 52)),
    "skirt": ((126, 40, 58), (44, 60, 92), (186, 160, 122), (60, 98, 92), (38, 38, 44)),
}
SHOE_COLORS: tuple[Color, ...] = (
    (232, 230, 226), (44, 40, 40), (104, 66, 42), (60, 78, 120),
    (160, 60, 54), (110, 110, 112),
)  # fmt: skip
EYE_COLORS: tuple[Color, ...] = ((74, 50, 32), (96, 74, 44), (84, 108, 130), (88, 104, 72))


@dataclass(frozen=True, slots=True)
class Figure:
    """One person's traits; every number is unitless unless its name says otherwise.

    heft: -1 thin to 1 heavy. muscle: 0 to 1. noise: the seed of this person's textures and folds.
    """

    index: int
    female: bool
    age_years: float
    height_cm: float
    heft: float
    muscle: float
    shoulders: float
    hips: float
    legs: float
    head: float
    face: tuple[float, ...]
    top: Top
    bottom: Bottom
    hair: Hair
    beard: bool
    hem_cm: float
    sleeve: float
    fit: float
    pose: str
    skin_color: Color
    hair_color: Color
    eye_color: Color
    top_color: Color
    print_color: Color
    inner_color: Color
    bottom_color: Color
    shoe_color: Color
    pattern: Literal["plain", "stripes", "check", "block"]
    number: int
    noise: int

    @property
    def scale(self) -> float:
        """Centimetres of this person for one centimetre of the canonical figure."""
        return self.height_cm / CANONICAL_HEIGHT_CM


@cache
def read_table(name: str) -> dict[str, Any]:
    """Read a TOML table that is beside this module."""
    return tomllib.loads(resources.files("people").joinpath(name).read_text())


def rng_for(seed: int, index: int, purpose: int = 0) -> np.random.Generator:
    """Return the generator of one person and purpose: a pure function of its arguments."""
    return np.random.default_rng(np.random.SeedSequence([seed, index, purpose]))


def draw_figure(seed: int, index: int) -> Figure:
    """Draw all traits of the person `index` of the run `seed`."""
    rng = rng_for(seed, index)
    female = bool((index + rng.integers(2)) % 2)
    age = float(rng.uniform(19, 68))
    heft = float(np.clip(rng.normal(0.1, 0.4), -0.8, 1.0))
    hair = _pick(rng, HAIRS[female])
    bottom = _pick(rng, BOTTOMS[female])
    top_color, print_color, inner_color = _distinct_colors(rng)
    grey = age > GREY_FROM_AGE and rng.random() < 0.7
    return Figure(
        index=index,
        female=female,
        age_years=age,
        height_cm=float(rng.normal(MEAN_HEIGHT_CM[female], HEIGHT_DEVIATION_CM)),
        heft=heft,
        muscle=float(rng.uniform(0.1, 0.9)),
        shoulders=float(rng.normal(0, 0.5)),
        hips=float(rng.normal(0, 0.5)),
        legs=float(rng.normal(0, 0.4)),
        head=float(rng.normal(1.0, 0.02)),
        face=tuple(float(value) for value in rng.normal(0, 0.5, 8)),
        top=_pick(rng, TOPS[female]),
        bottom=bottom,
        hair=hair,
        beard=bool(not female and rng.random() < 0.35),
        hem_cm=float(rng.uniform(0, 1)),
        sleeve=float(rng.uniform(0, 1)),
        fit=float(rng.uniform(0, 1)),
        pose=_pick(rng, POSES),
        skin_color=_pick(rng, SKIN_TONES),
        hair_color=GREY_HAIR if grey else _pick(rng, HAIR_TONES),
        eye_color=_pick(rng, EYE_COLORS),
        top_color=top_color,
        print_color=print_color,
        inner_color=inner_color,
        bottom_color=_pick(rng, BOTTOM_COLORS[bottom]),
        shoe_color=_pick(rng, SHOE_COLORS),
        pattern=_pick(rng, ("plain", "stripes", "check", "block", "plain")),
        number=int(rng.integers(10, 100)),
        noise=int(rng.integers(2**31)),
    )


def _pick(rng: np.random.Generator, choices: tuple[T, ...]) -> T:
    return choices[int(rng.integers(len(choices)))]


def _distinct_colors(rng: np.random.Generator) -> tuple[Color, Color, Color]:
    order = rng.permutation(len(TOP_COLORS))
    return TOP_COLORS[order[0]], TOP_COLORS[order[1]], TOP_COLORS[order[2]]
