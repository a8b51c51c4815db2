"""What a person wears: garments, their cloth and colours, haircut and beard, from the traits."""

from dataclasses import dataclass

import numpy as np

from people.cloth_grid import Look
from people.figure import Color, rng_for
from people.garment_kinds import GARMENTS
from people.hair_paint import HairLook
from people.traits import Traits

OUTFIT_PURPOSE = 21
Weights = dict[str, float]

TOPS: dict[bool, Weights] = {
    False: {"tshirt": 6, "shirt": 4, "sweater": 1.6, "hoodie": 1.5, "polo": 1.5, "tank": 0.4},
    True: {"tshirt": 5, "blouse": 2.5, "sweater": 1.6, "shirt": 2, "tank": 1.5, "hoodie": 0.8},
}
BOTTOMS: dict[bool, Weights] = {
    False: {"jeans": 5, "trousers": 3.5, "shorts": 0.9},
    True: {"jeans": 5, "trousers": 2.5, "leggings": 1.2, "skirt": 1, "shorts": 0.7},
}
OUTER: Weights = {"jacket": 2, "coat": 1}
SHOES: Weights = {"sneakers": 4, "shoes": 2, "boots": 1.2}
GLASSES_SHARE, SCARF_SHARE, HAT_SHARE, BACKPACK_SHARE, HOOD_SHARE = 0.16, 0.06, 0.09, 0.06, 0.85
HATS: Weights = {"beanie": 1, "cap": 1.2}
HAIR_UNDER_HATS: dict[bool, Weights] = {
    False: {"buzz": 2, "short": 3},
    True: {"long": 2, "bob": 2, "wavy": 1.5, "short": 1},
}
DRESS_SHARE, OUTER_SHARE, BARE_FEET = 0.1, 0.2, 0.03
HAIR: dict[bool, Weights] = {
    False: {"short": 5, "buzz": 2.5, "swept": 2.5, "curly": 0.6, "afro": 0.4, "bald": 0.8,
            "bob": 0.2, "bun": 0.2},
    True: {"ponytail": 3.5, "bun": 2.5, "long": 1.8, "bob": 1.8, "wavy": 1.2, "pixie": 1.4,
           "curly": 0.7, "afro": 0.4},
}  # fmt: skip
BEARD: Weights = {"none": 6, "short_beard": 2, "full_beard": 1, "goatee": 0.7}
GROWN_YEARS = 19
CLOTH_COLORS: tuple[Color, ...] = (
    (46, 46, 49), (64, 65, 69), (96, 98, 102), (148, 150, 152), (206, 205, 200), (228, 225, 216),
    (46, 56, 84), (52, 72, 106), (110, 134, 164), (164, 188, 206), (104, 42, 50), (150, 48, 46),
    (66, 78, 52), (104, 112, 78), (142, 126, 92), (188, 170, 138), (122, 84, 56), (84, 62, 50),
    (196, 150, 60), (176, 106, 66), (206, 160, 158), (120, 86, 122), (46, 92, 92), (130, 160, 140),
)  # fmt: skip
"""Cloth as it is worn: mostly dark, pale or muted."""
DENIM_COLORS: tuple[Color, ...] = ((54, 68, 96), (74, 94, 126), (104, 128, 158), (50, 54, 64))
TROUSER_COLORS: tuple[Color, ...] = (
    (52, 52, 55), (70, 71, 75), (96, 98, 102), (46, 54, 76), (142, 126, 92), (176, 158, 126),
    (122, 104, 78), (84, 88, 66), (84, 66, 54), (206, 202, 192),
)  # fmt: skip
"""Chinos and other trousers."""
LEATHER_COLORS: tuple[Color, ...] = ((48, 43, 41), (78, 54, 41), (106, 74, 52), (62, 49, 43))
HAIR_COLORS: tuple[Color, ...] = (
    (46, 38, 34), (64, 49, 40), (92, 67, 49), (124, 93, 64), (162, 128, 88), (196, 166, 120),
)  # fmt: skip
"""From black to blond."""
RED_HAIR: Color = (138, 64, 34)


@dataclass(frozen=True, slots=True)
class Outfit:
    """Names of GARMENTS with their looks, from the innermost; hair of CUTS and beard of BEARDS.

    hair, beard: "" for none. recede: how far temples have gone back, 0 to 1. hat: whether
    hair is under one.
    """

    garments: tuple[tuple[str, Look], ...]
    hair: str
    beard: str
    hair_look: HairLook
    recede: float
    hat: bool


def draw_outfit(traits: Traits, *, bag: bool = False) -> Outfit:
    """Draw all that a person wears; a pure function of the traits. bag: with one on the back."""
    rng = rng_for(traits.seed, traits.index, OUTFIT_PURPOSE)
    female, grown = traits.female, traits.age_years >= GROWN_YEARS
    names = _draw_garments(rng, female=female)
    if bag and "backpack" not in names:
        names = [name for name in names if name not in ("hood", "scarf")] + ["backpack"]
    hat = set(HATS) & set(names)
    hair = _draw(rng, (HAIR_UNDER_HATS if hat else HAIR)[female])
    if hair == "bald" and traits.age_years < 30:
        hair = "buzz"
    beard = "none" if female or not grown else _draw(rng, BEARD)
    recede = float(rng.random() * np.clip((traits.age_years - 25) / 35, 0, 1)) * (not female)
    return Outfit(
        garments=_draw_looks(names, rng),
        hair="" if hair == "bald" else hair,
        beard="" if beard == "none" else beard,
        hair_look=_hair_look(traits, rng),
        recede=recede,
        hat=bool(hat),
    )


def _draw_garments(rng: np.random.Generator, *, female: bool) -> list[str]:
    """Return names from the innermost to the outermost."""
    shoes = [] if rng.random() < BARE_FEET else [_draw(rng, SHOES)]
    if female and rng.random() < DRESS_SHARE:
        return [*shoes, "dress_skirt", "dress"]
    bottom, top = _draw(rng, BOTTOMS[female]), _draw(rng, TOPS[female])
    above = {"shirt": ["collar"], "polo": ["collar"]}.get(top, [])
    if top == "hoodie" and rng.random() < HOOD_SHARE:
        above = ["hood"]
    names = [*shoes, bottom]
    if shoes == ["boots"] and bottom == "leggings":
        names.reverse()
    names = [*shoes, top, bottom, *above] if bottom == "skirt" else [*names, top, *above]
    if rng.random() < OUTER_SHARE and top in OVER and bottom != "skirt":
        outer = _draw(rng, OUTER)
        names += ["coat_skirt", "coat"] if outer == "coat" else [outer]
    return names + _draw_extras(rng, hooded="hood" in names, closed=top in WARM)


def _draw_extras(rng: np.random.Generator, *, hooded: bool, closed: bool) -> list[str]:
    extras = []
    if closed and not hooded and rng.random() < 3 * SCARF_SHARE:
        extras.append("scarf")
    if not hooded and not extras and rng.random() < BACKPACK_SHARE:
        extras.append("backpack")
    if rng.random() < GLASSES_SHARE:
        extras.append("glasses")
    if rng.random() < HAT_SHARE:
        extras.append(_draw(rng, HATS))
    return extras


WARM = ("sweater", "shirt")
"""Tops that a scarf goes with."""
OVER = ("tshirt", "shirt", "tank", "blouse", "polo")
"""Tops that a jacket goes over."""
TOGETHER = (
    ("dress", "dress_skirt"), ("coat", "coat_skirt"), ("shirt", "collar"), ("polo", "collar"),
    ("hoodie", "hood"),
)  # fmt: skip
"""Garments of one cloth: the second takes the look of the first."""


def _draw_looks(names: list[str], rng: np.random.Generator) -> tuple[tuple[str, Look], ...]:
    looks = {name: _draw_look(name, rng) for name in names}
    for upper, lower in TOGETHER:
        if upper in looks and lower in looks:
            own, cloth = looks[lower], looks[upper]
            looks[lower] = Look(
                cloth.fabric, cloth.pattern, cloth.color, cloth.second, cloth.third, cloth.seed,
                own.marks,
            )  # fmt: skip
    return tuple((name, looks[name]) for name in names)


def _draw_look(name: str, rng: np.random.Generator) -> Look:
    row = GARMENTS[name]
    fabric = row.fabrics[int(rng.integers(len(row.fabrics)))]
    pattern = row.patterns[int(rng.integers(len(row.patterns)))]
    order = rng.permutation(len(CLOTH_COLORS))
    first, second, third = (CLOTH_COLORS[number] for number in order[:3])
    if name in ("trousers", "shorts"):
        first = _pick(rng, TROUSER_COLORS)
    if fabric == "denim":
        first = _pick(rng, DENIM_COLORS)
    if fabric == "leather":
        first = _pick(rng, LEATHER_COLORS)
    seed = int(rng.integers(2**31))
    return Look(fabric, pattern, _vary(first, rng), second, third, seed, row.marks)


def _hair_look(traits: Traits, rng: np.random.Generator) -> HairLook:
    """Mix hair's colour of its tone, red and grey."""
    table = np.array(HAIR_COLORS, np.float64)
    where = float(np.clip(traits.hair_tone, 0, 1)) * (len(table) - 1)
    color = np.array([np.interp(where, np.arange(len(table)), table[:, k]) for k in range(3)])
    color += np.clip(traits.hair_red, 0, 1) * (np.array(RED_HAIR) - color) * 0.8
    mixed = (int(color[0]), int(color[1]), int(color[2]))
    return HairLook(mixed, float(rng.uniform(0.15, 0.45)), traits.grey, traits.noise)


def _vary(color: Color, rng: np.random.Generator) -> Color:
    shifted = np.clip(np.array(color) * rng.uniform(0.85, 1.15) + rng.normal(0, 4, 3), 12, 240)
    return int(shifted[0]), int(shifted[1]), int(shifted[2])


def _draw(rng: np.random.Generator, weights: Weights) -> str:
    names = list(weights)
    shares = np.cumsum(list(weights.values()))
    return names[int(np.searchsorted(shares / shares[-1], rng.random()))]


def _pick(rng: np.random.Generator, colors: tuple[Color, ...]) -> Color:
    return colors[int(rng.integers(len(colors)))]
