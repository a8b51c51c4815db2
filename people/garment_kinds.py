"""The table of garments: where each is cut from the body's helper surfaces, and how it is sewn.

Cuts are written in canonical coordinates (`garment_surfaces`), so one row fits every body.
"""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float64

from people.cloth_grain import Panels
from people.cloth_grid import Fabric, Pattern
from people.cloth_solver import Stuff
from people.garment_shapes import Ease
from people.garment_surfaces import Surface

Group = Literal["helper-tights", "helper-skirt", "accessory"]
Place = Literal["top", "bottom", "outer", "feet", "extra"]
Neckline = Literal["crew", "vee", "scoop", "high", "none"]

NECK_CENTRE = np.array([0.0, 143.0, 2.0])
NECK_RADIUS_CM: dict[Neckline, float] = {
    "crew": 8.3, "vee": 8.8, "scoop": 11.5, "high": 3.0, "none": 0.0,
}  # fmt: skip
NECK_TOP_CM = 143.0
"""Where the helper surfaces end."""
VEE_DEPTH_CM = 10.0
NO_CUT = 1000.0
SOFT_STUFF, STIFF_STUFF = Stuff(bend=0.06), Stuff(bend=0.35, press=0.5)


@dataclass(frozen=True, slots=True)
class Cut:
    """One garment.

    hem: canonical height of its lower end. waist: of its upper end, for what hangs on the hips.
    sleeve: how far it covers the arm; negative covers none of the shoulder's outside. strap: how
    far from the middle a sleeveless top reaches on the shoulder. opening: half the width of an
    open front; below 0 the front is closed. held: how firmly the waist stays where it is put on.
    """

    place: Place
    hem: float
    waist: float = NO_CUT
    sleeve: float = -NO_CUT
    neck: Neckline = "none"
    opening: float = -1.0
    strap: float = NO_CUT
    group: Group = "helper-tights"
    ease: Ease = field(default_factory=Ease)
    stuff: Stuff = field(default_factory=Stuff)
    thickness_cm: float = 0.18
    gap_cm: float = 0.35
    steps: int = 36
    fabrics: tuple[Fabric, ...] = ("woven",)
    patterns: tuple[Pattern, ...] = ("plain",)
    marks: tuple[str, ...] = ("hems",)


GARMENTS: dict[str, Cut] = {
    "tshirt": Cut(
        "top", 83, sleeve=17, neck="crew", ease=Ease(1.1, hang=0.65, flare=0.01, sleeve=0.9),
        fabrics=("jersey",), patterns=("plain", "stripes", "print", "print"),
        marks=("collar", "hems", "seams"), stuff=SOFT_STUFF,
    ),
    "polo": Cut(
        "top", 83, sleeve=18, neck="crew", ease=Ease(1.1, hang=0.7, flare=0.02, sleeve=0.8),
        fabrics=("woven",), patterns=("plain", "stripes"),
        marks=("collar", "hems", "seams", "short_placket"),
    ),
    "tank": Cut(
        "top", 84, sleeve=2, strap=13.5, neck="scoop", ease=Ease(0.7, hang=0.4),
        fabrics=("jersey",), patterns=("plain", "stripes"), marks=("hems", "seams"),
        stuff=SOFT_STUFF,
    ),
    "shirt": Cut(
        "top", 80, sleeve=45.5, neck="crew",
        ease=Ease(1.5, hang=0.9, flare=0.02, sleeve=0.8, arm_taper=0.6),
        patterns=("plain", "checks", "stripes"), marks=("hems", "seams", "placket"),
    ),
    "sweater": Cut(
        "top", 83, sleeve=46, neck="crew", ease=Ease(1.9, hang=0.6, sleeve=0.8, arm_taper=0.62),
        fabrics=("knit",), patterns=("plain", "stripes", "block"), marks=("ribs", "seams"),
        thickness_cm=0.45, stuff=STIFF_STUFF,
    ),
    "hoodie": Cut(
        "top", 82, sleeve=46.5, neck="crew", ease=Ease(2.3, hang=0.75, sleeve=1.2, arm_taper=0.62),
        fabrics=("fleece",), patterns=("plain", "print", "plain"),
        marks=("ribs", "seams", "pouch"), thickness_cm=0.45, stuff=STIFF_STUFF,
    ),
    "blouse": Cut(
        "top", 85, sleeve=34, neck="vee",
        ease=Ease(1.2, hang=0.8, flare=0.04, sleeve=1.2, arm_taper=0.9),
        patterns=("plain", "dots", "stripes"), marks=("hems", "seams"), stuff=SOFT_STUFF,
    ),
    "jacket": Cut(
        "outer", 82, sleeve=46.5, neck="crew", opening=2.5,
        ease=Ease(2.4, hang=0.8, sleeve=0.6, arm_taper=0.66), thickness_cm=0.5,
        fabrics=("leather", "denim", "felt"), marks=("hems", "seams", "pockets"),
        stuff=STIFF_STUFF, gap_cm=0.5,
    ),
    "coat": Cut(
        "outer", 97, sleeve=47, neck="vee", opening=1.5,
        ease=Ease(2.6, hang=0.9, sleeve=1.4, arm_taper=0.7), thickness_cm=0.6,
        fabrics=("felt",), patterns=("plain", "checks"), marks=("hems", "seams"),
        stuff=STIFF_STUFF, gap_cm=0.6,
    ),
    "coat_skirt": Cut(
        "outer", 48, waist=99, group="helper-skirt", opening=2.0,
        ease=Ease(2.6, flare=0.05, rounder=0.6, gather=0.8),
        thickness_cm=0.6, fabrics=("felt",), patterns=("plain",), stuff=STIFF_STUFF, gap_cm=0.6,
    ),
    "collar": Cut(
        "extra", 0, group="accessory", marks=(), thickness_cm=0.2, steps=3, gap_cm=0.55,
        stuff=STIFF_STUFF,
    ),
    "hood": Cut(
        "extra", 0, group="accessory", fabrics=("fleece",), marks=("hems",), thickness_cm=0.5,
        steps=16, gap_cm=0.7, stuff=Stuff(bend=0.3, press=0.6),
    ),
    "scarf": Cut(
        "extra", 0, group="accessory", fabrics=("knit", "felt"),
        patterns=("plain", "checks", "stripes"), marks=(), thickness_cm=0.5, steps=30, gap_cm=0.7,
        stuff=Stuff(bend=0.3, press=0.7),
    ),
    "backpack": Cut(
        "extra", 0, group="accessory", fabrics=("woven", "leather"), marks=("hems",),
        thickness_cm=0.4, steps=8, gap_cm=0.5, stuff=Stuff(bend=0.9, press=1.0),
    ),
    "glasses": Cut(
        "extra", 0, group="accessory", fabrics=("jersey",), marks=(), thickness_cm=0.08, steps=0,
    ),
    "beanie": Cut(
        "extra", 0, group="accessory", fabrics=("knit",), patterns=("plain", "plain", "stripes"),
        marks=("ribs",), thickness_cm=0.4, steps=0,
    ),
    "cap": Cut(
        "extra", 0, group="accessory", marks=("hems",), patterns=("plain", "plain"),
        thickness_cm=0.25, steps=0,
    ),
    "sneakers": Cut(
        "feet", -NO_CUT, waist=8.0, ease=Ease(0.7, hem=2.0), thickness_cm=0.35, steps=0,
        fabrics=("woven", "leather"), patterns=("plain", "plain"), marks=("sneaker",),
    ),
    "shoes": Cut(
        "feet", -NO_CUT, waist=7.5, ease=Ease(0.6, hem=1.6), thickness_cm=0.3, steps=0,
        fabrics=("leather",), marks=("leather_shoe",),
    ),
    "boots": Cut(
        "feet", -NO_CUT, waist=25, ease=Ease(0.9, hem=2.4), thickness_cm=0.35, steps=0,
        fabrics=("leather",), marks=("leather_shoe",),
    ),
    "trousers": Cut(
        "bottom", 6.5, waist=97, ease=Ease(0.9, knee=0.82, hem=0.74),
        patterns=("plain", "plain", "plain", "plain", "checks"),
        marks=("hems", "trousers"),
    ),
    "jeans": Cut(
        "bottom", 7, waist=96, ease=Ease(0.7, knee=0.72, hem=0.62), fabrics=("denim",),
        marks=("hems", "trousers"), stuff=Stuff(bend=0.2), thickness_cm=0.22,
    ),
    "shorts": Cut(
        "bottom", 46, waist=96, ease=Ease(1.0, knee=1.12, hem=1.1), marks=("hems", "trousers"),
        patterns=("plain", "plain", "checks"),
    ),
    "leggings": Cut(
        "bottom", 10, waist=99, ease=Ease(0.3), fabrics=("jersey",), marks=("hems",), steps=6,
        gap_cm=0.2, thickness_cm=0.12,
    ),
    "skirt": Cut(
        "bottom", 38, waist=99, group="helper-skirt",
        ease=Ease(0.7, flare=0.1, rounder=0.8, gather=2.2),
        patterns=("plain", "checks", "dots", "stripes"), stuff=SOFT_STUFF, steps=60, gap_cm=0.6,
    ),
    "dress": Cut(
        "top", 96, sleeve=14, neck="scoop", ease=Ease(0.9, hang=0.15, sleeve=0.6),
        patterns=("plain", "dots", "stripes"), marks=("seams",),
    ),
    "dress_skirt": Cut(
        "bottom", 40, waist=99, group="helper-skirt", stuff=SOFT_STUFF, steps=60,
        ease=Ease(0.9, flare=0.14, rounder=0.8, gather=2.6),
    ),
}  # fmt: skip


def panels_of(cut: Cut) -> Panels:
    """Return how a garment's cloth is cut."""
    if cut.place in ("extra", "feet"):
        return "none"
    return "legs" if cut.place == "bottom" and cut.group == "helper-tights" else "trunk"


def covered(cut: Cut, surface: Surface) -> Float64[np.ndarray, " N"]:
    """Return how far inside a garment points lie, centimetres about; 0 on its rims."""
    x, y, z = surface.place.T
    parts = [y - cut.hem, cut.waist - y]
    if cut.place in ("top", "outer") and cut.waist == NO_CUT:
        parts.append(np.where(surface.on_arm > 0.5, cut.sleeve - surface.arm, NO_CUT))
        parts.append(_neckline(cut.neck, x, y, z))
        parts.append(np.where(y > 118, cut.strap - np.abs(x), NO_CUT))
    else:
        parts.append(np.where(surface.on_arm > 0.3, -1.0, NO_CUT))
    if cut.opening >= 0:
        parts.append(np.where((z > 2) & (surface.on_arm < 0.5), np.abs(x) - cut.opening, NO_CUT))
    cover: Float64[np.ndarray, " N"] = np.minimum.reduce(parts)
    return cover


def _neckline(
    neck: Neckline,
    x: Float64[np.ndarray, " N"],
    y: Float64[np.ndarray, " N"],
    z: Float64[np.ndarray, " N"],
) -> Float64[np.ndarray, " N"]:
    away = np.sqrt(x**2 + 0.8 * (z - NECK_CENTRE[2]) ** 2 + (1.6 * (y - NECK_CENTRE[1])) ** 2)
    inside = away - NECK_RADIUS_CM[neck]
    if neck == "vee":
        plunge = 0.9 * np.abs(x) + 0.45 * (NECK_CENTRE[1] - 8 - y) - 0.45 * VEE_DEPTH_CM + 1.2
        inside = np.where(z > 4, np.minimum(inside, plunge), inside)
    cover: Float64[np.ndarray, " N"] = np.minimum(inside, NECK_TOP_CM - y)
    return cover
