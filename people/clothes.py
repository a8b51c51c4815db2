"""Garments as solids around the body, and the dressed figure: body, clothes and hair as one solid.

A garment is looser than the body and ends where its cover ends. Lengths: canonical centimetres.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float32

from people.body import Body, body_distance, build_body, trunk_distance
from people.figure import Figure
from people.hair import Hair, grow_hair, hair_distance
from people.shapes import (
    Distances,
    Points,
    Profile,
    Step,
    cone,
    ellipsoid,
    grow,
    join_near,
    measure_where,
    mirror,
    sculpt,
    smooth_union,
    tabulate_profile,
    tube,
)
from people.wardrobe import (
    Wardrobe,
    bottom_cover,
    choose_wardrobe,
    inner_cover,
    shoe_cover,
    top_cover,
)

TOP_EASE_CM = {"tshirt": 0.9, "shirt": 0.9, "sweater": 1.5, "jacket": 1.9, "tank": 0.5}
SLEEVE_EASE_CM = {"tshirt": 1.3, "shirt": 1.1, "sweater": 1.4, "jacket": 1.7, "tank": 0.4}
LEG_EASE_CM = {"trousers": 1.2, "jeans": 0.7, "shorts": 1.6, "skirt": 0.8}
LEG_WIDTH_CM = {"trousers": (9.4, 8.6), "jeans": (8.0, 7.0), "shorts": (10.6, 10.4)}
"""Half-width of a trouser leg at the knee and at the ankle."""
SLEEVE_WIDTH_CM = {
    "tshirt": (7.4, 7.2),
    "shirt": (5.8, 3.7),
    "sweater": (6.0, 3.9),
    "jacket": (6.6, 4.7),
}
"""Half-width of a sleeve at the elbow (or its short end) and at the wrist."""
EDGE_ROUNDING_CM = 0.9
LAYER_FILLET_CM, HAIR_FILLET_CM, CLOTH_FILLET_CM = 0.3, 0.4, 0.3
PLEATS = 9
SKIRT_TOP_Y = 103.0
LEGS_APART_CM, CROTCH_Y = 0.9, 75.0
"""Below the crotch, trouser legs keep so far from the middle."""


@dataclass(frozen=True, slots=True)
class Clothes:
    """The looser shapes that garments hang to."""

    wardrobe: Wardrobe
    hang: Profile
    sleeve: Profile | None
    trouser: Profile | None
    skirt: Float32[np.ndarray, " 4"]
    collar: Profile | None


def cut_clothes(figure: Figure, body: Body, wardrobe: Wardrobe) -> Clothes:
    """Cut a wardrobe to a body."""
    return Clothes(
        wardrobe=wardrobe,
        hang=_cut_hang(figure, body),
        sleeve=_cut_sleeve(figure, wardrobe),
        trouser=_cut_trouser(figure),
        skirt=_cut_skirt(figure),
        collar=_cut_collar(figure, wardrobe),
    )


def _cut_hang(figure: Figure, body: Body) -> Profile:
    """Let the top fall straight from the chest; fitted ones follow the waist."""
    loose = 1.0 - 0.7 * figure.fit
    chest = 15.2 + 1.0 * figure.heft + 0.5 * body.shoulder_shift
    depth = 8.6 + 1.2 * figure.heft
    hip = (16.4 if figure.female else 16.0) + 1.1 * figure.heft
    rows = [
        (76, 0, -1, hip + loose, hip + loose, 9.6 + depth / 9, 10.8),
        (94, 0, -1, hip, hip, 9.8 + depth / 9, 10.2),
        (108, 0, -1, chest - 1.8 + loose, chest - 1.8 + loose, depth + 1.2, 8.4),
        (122, 0, -1.5, chest, chest, depth + 1.6, 8.6),
        (132, 0, -2.5, chest - 0.5, chest - 0.5, depth, 8.6),
        (140, 0, -3, 9, 9, 5, 6),
    ]
    return tabulate_profile("y", np.array(rows, np.float32), exponent=2.3)


def _cut_sleeve(figure: Figure, wardrobe: Wardrobe) -> Profile | None:
    if figure.top == "tank":
        return None
    elbow, wrist = (w + 0.4 * figure.heft for w in SLEEVE_WIDTH_CM[figure.top])
    if figure.female:
        elbow, wrist = elbow - 0.9, wrist - 0.5
    y, z, shift = 140.5, -3.4, wardrobe.shift
    rows = [
        (12 + shift, y, z, 4.0, 6.2, 5.8, 5.8),
        (20 + shift, y, z, 5.2, elbow + 0.2, elbow, elbow),
        (34 + shift, y - 0.4, z - 0.3, elbow - 0.9, elbow, elbow - 0.4, elbow - 0.4),
        (45 + shift, y - 0.4, z - 0.4, elbow - 1.5, elbow - 0.8, elbow - 1, elbow - 0.9),
        (58 + shift, y - 0.3, z, wrist, wrist + 0.5, wrist + 0.4, wrist + 0.4),
        (70 + shift, y, z + 0.4, wrist - 0.8, wrist - 0.5, wrist - 0.3, wrist - 0.3),
    ]
    return tabulate_profile("x", np.array(rows, np.float32))


def _cut_trouser(figure: Figure) -> Profile | None:
    if figure.bottom == "skirt":
        return None
    knee, ankle = (w + 0.5 * figure.heft for w in LEG_WIDTH_CM[figure.bottom])
    slim = 0.8 if figure.female else 0.0
    knee, ankle = knee - slim, ankle - slim
    rows = [
        (2, 10.6, -2.6, ankle + 0.3, ankle + 0.3, ankle + 0.8, ankle + 0.4),
        (12, 10.5, -2.8, ankle - 0.6, ankle - 0.8, ankle - 0.6, ankle - 0.2),
        (30, 10.3, -1.8, ankle - 0.4, ankle - 0.6, ankle - 0.2, ankle + 0.2),
        (50, 10.0, -0.4, knee - 1.6, knee - 2.0, knee - 1.2, knee - 1.6),
        (66, 9.6, -0.6, knee - 0.4, knee - 1.7, knee - 0.4, knee - 0.2),
        (79, 9.2, -1, knee - 0.6, knee - 2.0, knee - 1.0, knee),
        (94, 6, -1, 4, 4, 4, 4),
    ]
    knots = np.array(rows, np.float32)
    apart = knots[:, 1] - np.float32(LEGS_APART_CM)
    knots[:, 4] = np.where(knots[:, 0] < CROTCH_Y, np.minimum(knots[:, 4], apart), knots[:, 4])
    return tabulate_profile("y", knots)


def _cut_skirt(figure: Figure) -> Float32[np.ndarray, " 4"]:
    """Return half-widths at the hip, the flare per centimetre, and the pleats' depth."""
    hip = 18.4 + 1.0 * figure.heft + 0.4 * figure.hips
    flare = 0.06 + 0.30 * figure.fit
    return np.array([hip, 12.6 + 1.1 * figure.heft, flare, 0.4 + 1.5 * figure.fit], np.float32)


def _cut_collar(figure: Figure, wardrobe: Wardrobe) -> Profile | None:
    radius = {"collar": 7.0, "turtle": 6.3}.get(wardrobe.neckline)
    if wardrobe.jacket:
        radius = 7.8
    if radius is None:
        return None
    slim = 0.9 if figure.female else 0.0
    r = radius - slim + 0.4 * figure.heft
    rows = [
        (141, 0, -4.6, r + 1.4, r + 1.4, r + 0.6, r + 0.4),
        (147, 0, -4.0, r, r, r, r),
        (154, 0, -3.0, r - 0.6, r - 0.6, r, r - 0.2),
    ]
    return tabulate_profile("y", np.array(rows, np.float32))


def clothes_distance(clothes: Clothes, body: Body, half: Points) -> Distances:
    """Return the distance to all garments together; half: rest points with x >= 0."""
    x, y = half[:, 0], half[:, 1]
    wardrobe = clothes.wardrobe
    above = y > min(wardrobe.top_hem_y, wardrobe.inner_hem_y) - 12
    inner = wardrobe.jacket & (y > 80) & (y < 158) & (x < 34)
    return join_near(
        measure_where(above, partial(_top_distance, clothes, body), half),
        half,
        (inner, partial(_inner_distance, clothes, body), LAYER_FILLET_CM),
        ((y < 114) & (x < 60), partial(_bottom_distance, clothes, body), LAYER_FILLET_CM),
        (y < 24, partial(_shoe_distance, wardrobe), LAYER_FILLET_CM),
    )


def _end_at(solid: Distances, cover: Distances) -> Distances:
    """Cut a garment off where its cover ends, with a soft edge."""
    return -smooth_union(-solid, -cover, EDGE_ROUNDING_CM)


def _top_distance(clothes: Clothes, body: Body, half: Points) -> Distances:
    """Return the distance to the outermost top."""
    figure = clothes.wardrobe.figure
    x, y = half[:, 0], half[:, 1]
    ease = TOP_EASE_CM[figure.top] + 0.5 * (1 - figure.fit)
    arm = grow(tube(body.arm), SLEEVE_EASE_CM[figure.top])
    parts = [((y > 112) & (x > 2), arm, 6.0)]
    if not clothes.wardrobe.tucked:
        hips = grow(tube(body.leg), ease + 0.9)
        parts.insert(0, (x < 40, grow(tube(clothes.hang), ease), 5.0))
        parts.insert(1, ((x < 40) & (y < 112), hips, 5.0))
    if clothes.sleeve is not None:
        parts.append(((y > 112) & (x > 4), tube(clothes.sleeve), 4.0))
    if clothes.collar is not None:
        parts.append(((y > 132) & (x < 20), tube(clothes.collar), 1.5))
    torso = measure_where(x < 40, grow(partial(trunk_distance, body), ease), half)
    return _end_at(join_near(torso, half, *parts), top_cover(clothes.wardrobe, half))


def _inner_distance(clothes: Clothes, body: Body, half: Points) -> Distances:
    """Return the distance to the T-shirt below a jacket."""
    shirt = sculpt(half, partial(trunk_distance, body), Step(tube(body.arm), 6.0))
    return _end_at(shirt - np.float32(0.7), inner_cover(clothes.wardrobe, half))


def _bottom_distance(clothes: Clothes, body: Body, half: Points) -> Distances:
    """Return the distance to trousers, shorts or skirt."""
    figure = clothes.wardrobe.figure
    legs = Step(grow(tube(body.leg), LEG_EASE_CM[figure.bottom]), 4.0)
    loose = partial(_skirt_distance, clothes) if clothes.trouser is None else tube(clothes.trouser)
    torso = measure_where(half[:, 1] > 62, grow(partial(trunk_distance, body), 0.9), half)
    distance = sculpt(half, lambda _: torso, legs, Step(loose, 3.0))
    return _end_at(distance, bottom_cover(clothes.wardrobe, half))


def _skirt_distance(clothes: Clothes, half: Points) -> Distances:
    """Return the distance to a flared, pleated skirt."""
    wide, deep, flare, pleat = (np.float32(v) for v in clothes.skirt)
    drop = np.maximum(0, np.float32(90) - half[:, 1])
    top = np.clip((half[:, 1] - 88) / (SKIRT_TOP_Y - 88), 0, 1)
    width = wide * (1 - 0.24 * top * top) + flare * drop
    depth = deep * (1 - 0.22 * top * top) + flare * drop
    z = half[:, 2] + 1
    angle = np.arctan2(half[:, 0] / width, z / depth)
    wave = np.cos(PLEATS * angle + 0.6 * np.sin(2 * angle) + 0.02 * drop)
    reach = np.sqrt((half[:, 0] / width) ** 2 + (z / depth) ** 2)
    fold = pleat * wave * np.clip(drop / 45, 0, 1.2)
    distance = np.asarray((reach - 1) * np.minimum(width, depth) - fold, np.float32)
    return np.asarray(np.maximum(distance, half[:, 1] - np.float32(SKIRT_TOP_Y)))


def _shoe_distance(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return the distance to the shoe with its sole."""
    upper = sculpt(
        half,
        ellipsoid((10.5, 4.4, -4.0), (4.0, 5.4, 4.9)),
        Step(ellipsoid((11.8, 2.6, 8.4), (5.1, 3.7, 7.6)), 4.0),
        Step(cone(((10.5, 7.0, -1.5), (11.7, 3.6, 9.0)), (4.2, 3.4)), 3.0),
        Step(cone(((10.5, 4.0, -3.0), (10.5, 12.0, -3.2)), (4.6, 4.5)), 2.0),
    )
    outline = sculpt(
        half * np.array([1, 0, 1], np.float32),
        ellipsoid((10.6, 0.0, -4.0), (4.5, 4.0, 5.3)),
        Step(ellipsoid((11.8, 0.0, 7.6), (5.5, 4.0, 8.9)), 4.0),
    )
    sole = _end_at(outline, half[:, 1] - np.float32(1.9))
    distance = smooth_union(_end_at(upper, shoe_cover(wardrobe, half)), sole, 0.3)
    return np.asarray(np.maximum(distance, -half[:, 1]))


@dataclass(frozen=True, slots=True)
class Dressed:
    """A figure's three layers."""

    body: Body
    clothes: Clothes
    hair: Hair


def dress(figure: Figure) -> Dressed:
    """Build all layers of a figure."""
    body = build_body(figure)
    clothes = cut_clothes(figure, body, choose_wardrobe(figure))
    return Dressed(body, clothes, grow_hair(figure, body.head))


def dressed_distance(dressed: Dressed, points: Points) -> Distances:
    """Return the signed distance to the outermost surface."""
    half = mirror(points)
    distance = body_distance(dressed.body, half)
    clothes = clothes_distance(dressed.clothes, dressed.body, half)
    distance = smooth_union(distance, clothes, CLOTH_FILLET_CM)
    return smooth_union(distance, hair_distance(dressed.hair, half), HAIR_FILLET_CM)
