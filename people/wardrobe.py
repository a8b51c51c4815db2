"""What a figure wears, where each garment ends, and how loose it hangs.

A cover is a field that is negative where the garment lies, about centimetres from its edge; the
same fields shape the cloth and paint it. All on the left half (x >= 0), canonical rest.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from people.figure import Figure
from people.shapes import Distances, Points
from people.skeleton import shoulder_shift_cm
from people.skinning import SHOULDER_X, WRIST_X

Neckline = Literal["crew", "vee", "turtle", "collar", "straps"]

NECK_RADIUS_CM = 8.2
NECK_Z = -3.5
HEAD_FREE_Y = 154.8
"""No garment lies above this height, measured along the jaw's slope."""
COLLAR_LEVEL_CM = {"crew": 145.4, "vee": 145.8, "turtle": 150.6, "collar": 146.4, "straps": 139.0}
"""Height of the neckline at the neck's axis; it falls towards the front."""
NECK_FALL = {"crew": 0.34, "vee": 0.34, "turtle": 0.30, "collar": 0.30, "straps": 0.55}
VEE_HALF_WIDTH_CM = 5.6
VEE_DEPTH_CM, VEE_SLOPE = 8.0, 1.45
JACKET_GAP_CM, JACKET_SPREAD = 3.2, 0.13
LAPEL_Y = 112.0
WAIST_Y = 101.5
INSTEP_Y, INSTEP_Z = 10.0, 6.4
"""Below this height the trouser leg ends at this depth: the shoe's tip stays free."""
HEM_RANGES_CM = {
    "tshirt": (88.0, 95.0), "shirt": (85.0, 92.0), "sweater": (89.0, 95.0), "jacket": (82.0, 90.0),
    "tank": (90.0, 97.0),
}  # fmt: skip
SLEEVE_RANGES_CM = {
    "tshirt": (31.0, 39.0), "shirt": (65.0, 67.5), "sweater": (65.5, 68.5), "jacket": (66.0, 69.0),
    "tank": (14.5, 15.0),
}  # fmt: skip
LEG_HEM_RANGES_CM = {
    "trousers": (4.4, 7.5), "jeans": (4.2, 9.0), "shorts": (46.0, 58.0), "skirt": (40.0, 58.0),
}  # fmt: skip
SHOE_THROATS = {False: (10.2, 0.16), True: (7.4, 0.28)}
"""Height of a shoe's opening at the heel and how steeply it falls forwards: laced shoes, pumps."""


@dataclass(frozen=True, slots=True)
class Wardrobe:
    """A figure's garments; lengths in canonical centimetres at rest.

    sleeve_x already counts this figure's own shoulder width.
    """

    figure: Figure
    shift: float
    neckline: Neckline
    top_hem_y: float
    sleeve_x: float
    leg_hem_y: float
    tucked: bool
    jacket: bool
    inner_hem_y: float


def choose_wardrobe(figure: Figure) -> Wardrobe:
    """Dress a figure according to its traits."""
    tucked = (figure.bottom == "skirt" or figure.fit > 0.75) and figure.top not in (
        "jacket",
        "sweater",
    )
    shift = shoulder_shift_cm(figure)
    return Wardrobe(
        figure=figure,
        shift=shift,
        neckline=_choose_neckline(figure),
        top_hem_y=_between(HEM_RANGES_CM[figure.top], figure.hem_cm),
        sleeve_x=_between(SLEEVE_RANGES_CM[figure.top], figure.sleeve) + shift,
        leg_hem_y=_between(LEG_HEM_RANGES_CM[figure.bottom], figure.hem_cm),
        tucked=tucked,
        jacket=figure.top == "jacket",
        inner_hem_y=WAIST_Y - 3.0,
    )


def _between(limits: tuple[float, float], share: float) -> float:
    return limits[0] + share * (limits[1] - limits[0])


def _choose_neckline(figure: Figure) -> Neckline:
    if figure.top == "shirt":
        return "collar"
    if figure.top == "tank":
        return "straps"
    if figure.top == "sweater":
        return "turtle" if figure.sleeve > 0.55 else "crew"
    return "vee" if figure.sleeve > 0.7 else "crew"


def neck_cover(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return where the top leaves the neck free: positive there."""
    is_open = wardrobe.neckline == "vee" or wardrobe.jacket
    return _neckline_cover(wardrobe.neckline, half, is_open=is_open)


def _neckline_cover(style: Neckline, half: Points, *, is_open: bool) -> Distances:
    """Return the cover above a neckline; is_open: with a vee in front."""
    x, y, z = half[:, 0], half[:, 1], half[:, 2] - np.float32(NECK_Z)
    edge = COLLAR_LEVEL_CM[style] - NECK_FALL[style] * z
    radius = np.float32(NECK_RADIUS_CM + (3.2 if style == "straps" else 0.0))
    outer = radius - np.sqrt(x * x + z * z)
    if is_open:
        edge = edge - np.where(z > 0, np.maximum(0, VEE_DEPTH_CM - VEE_SLOPE * x), 0)
        outer = np.maximum(outer, VEE_HALF_WIDTH_CM - x)
    head = y + 0.6 * (half[:, 2] + 2) - np.float32(HEAD_FREE_Y)
    return np.asarray(np.maximum(np.minimum(y - edge, outer), head), np.float32)


def top_cover(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return the cover of the outermost top: shirt, sweater or jacket."""
    x, y, z = (half[:, i] for i in range(3))
    hem = wardrobe.inner_hem_y if wardrobe.tucked else wardrobe.top_hem_y
    sides = np.where(z > 0, 0.0, 1.5) if wardrobe.figure.top == "shirt" else 0.0
    cover = np.maximum(hem - sides - y, sleeve_end(wardrobe, half))
    cover = np.maximum(cover, neck_cover(wardrobe, half))
    if wardrobe.jacket:
        gap = JACKET_GAP_CM + JACKET_SPREAD * np.abs(y - LAPEL_Y) - x
        cover = np.maximum(cover, np.where(z > 1, gap, -9))
    return np.asarray(cover, np.float32)


def sleeve_end(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return the distance beyond the end of the sleeve, measured along the arm."""
    reach = half[:, 0] - np.float32(wardrobe.sleeve_x)
    on_arm = half[:, 1] > 112
    if wardrobe.figure.top == "tank":
        reach = reach - 0.35 * np.abs(half[:, 1] - 141)
    return np.where(on_arm, reach, -9).astype(np.float32)


def inner_cover(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return the cover of the T-shirt under an open jacket."""
    free = _neckline_cover("crew", half, is_open=False)
    cover = np.maximum(wardrobe.inner_hem_y - half[:, 1], free)
    return np.asarray(np.maximum(cover, half[:, 0] - (SHOULDER_X + 6)), np.float32)


def bottom_cover(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return the cover of trousers, shorts or skirt."""
    y = half[:, 1]
    waist = WAIST_Y + (1.5 if wardrobe.figure.bottom == "skirt" else 0.0)
    cover = np.maximum(wardrobe.leg_hem_y - y, y - np.float32(waist))
    cover = np.maximum(cover, half[:, 0] - (WRIST_X - 10))
    instep = np.where(y < INSTEP_Y, half[:, 2] - np.float32(INSTEP_Z), -9)
    return np.asarray(np.maximum(cover, instep), np.float32)


def shoe_cover(wardrobe: Wardrobe, half: Points) -> Distances:
    """Return the cover of the shoes; low ones leave the instep free."""
    top, fall = SHOE_THROATS[wardrobe.figure.female and wardrobe.figure.bottom == "skirt"]
    edge = top - fall * (half[:, 2] + 3.0)
    return np.asarray(half[:, 1] - np.maximum(edge, 4.6), np.float32)
