"""What is sewn onto cloth: hems, ribs, seams, buttons, zips, pockets; the table of it."""

from collections.abc import Callable

import numpy as np

from people.cloth_grain import ARMHOLE
from people.cloth_grid import Grid, line, soft, wave
from people.figure import Color
from people.pixels import Image, Plane, darken, tint

SOLE: Color = (228, 226, 220)
LACE: Color = (238, 236, 230)
FOOT_AXIS_CM = 22.0
ARM_SHARE_CM = 10.0
"""The share of the arm rises from 0 to 1 over about so much cloth."""
STITCH: Color = (196, 148, 84)


def _hems(grid: Grid, color: Image) -> Image:
    """Darken the very rim and sew a line beside it."""
    color = darken(color, 0.3 * np.exp(-grid.rim / 0.3))
    sewn = line(grid, grid.rim - 2.0, 0.2)
    if grid.look.fabric == "denim":
        return tint(color, STITCH, 0.6 * sewn)
    return darken(color, 0.2 * sewn)


def _ribs(grid: Grid, color: Image) -> Image:
    """Rib cuffs, hem and neck."""
    band = np.clip((4.5 - grid.rim) * 3, 0, 1)
    rib = 0.5 + 0.5 * wave(grid, grid.u, 1.6)
    return darken(color, band * (0.08 + 0.18 * rib) + 0.25 * line(grid, grid.rim - 4.5, 0.3))


def _collar_rib(grid: Grid, color: Image) -> Image:
    high = grid.y > 128
    band = np.clip((1.9 - grid.rim) * 6, 0, 1) * high
    color = darken(color, 0.1 * band)
    return darken(color, 0.3 * line(grid, grid.rim - 1.9, 0.2) * high)


def _seams(grid: Grid, color: Image) -> Image:
    """Draw side and armhole seams of a top."""
    arm = grid.fields[..., 4]
    armhole = line(grid, ARM_SHARE_CM * (arm - ARMHOLE), 0.2) * (grid.fields[..., 3] < 12)
    side = line(grid, grid.z - 4.0, 0.2) * (np.abs(grid.x) > 9) * (grid.y < 122) * (arm < 0.4)
    return darken(color, 0.28 * np.clip(armhole + side, 0, 1))


def _placket(grid: Grid, color: Image) -> Image:
    """Close the front with buttons."""
    front = (grid.z > 4) & (grid.fields[..., 4] < 0.3)
    color = darken(color, 0.25 * line(grid, np.abs(grid.x) - 1.6, 0.18) * front)
    step = 8.5
    offset = ((grid.y - 4) / step % 1 - 0.5) * step
    radius = np.hypot(grid.x, offset)
    color = darken(color, 0.35 * np.exp(-(((radius - 0.65) / 0.25) ** 2)) * front)
    return tint(color, grid.look.third, 0.9 * soft(grid, radius - 0.55) * front)


def _short_placket(grid: Grid, color: Image) -> Image:
    """Sew on a placket with two buttons below the neck."""
    here = ((grid.z > 4) & (grid.y > 122)).astype(np.float32)
    color = darken(color, 0.3 * line(grid, np.abs(grid.x) - 1.5, 0.2) * here)
    color = darken(color, 0.4 * line(grid, grid.x, 0.2) * here)
    radius = np.minimum(np.hypot(grid.x, grid.y - 129), np.hypot(grid.x, grid.y - 125))
    return tint(color, LACE, 0.9 * soft(grid, radius - 0.5) * here)


def _zip(grid: Grid, color: Image) -> Image:
    front = (grid.z > 2) & (grid.fields[..., 4] < 0.3)
    teeth = 0.5 + 0.5 * wave(grid, grid.y, 2.0)
    band = soft(grid, np.abs(grid.x) - 0.5) * front
    color = tint(color, (150, 150, 152), band * (0.55 + 0.4 * teeth))
    return darken(color, 0.3 * line(grid, np.abs(grid.x) - 1.4, 0.18) * front)


def _trousers(grid: Grid, color: Image) -> Image:
    """Draw waistband, fly, pockets, side and inner seams."""
    x, y, z = np.abs(grid.x), grid.y, grid.z
    band = line(grid, grid.rim - 3.6, 0.2) * (y > 90)
    side = line(grid, z - 2.5, 0.2) * (x > 10 + 0.1 * (86 - y).clip(0))
    fly = line(grid, x - 3.0, 0.2) * (z > 6) * (y > 84) * (y < 95)
    middle = line(grid, x, 0.2) * (y > 74)
    pocket = line(grid, (x - 9.5) + 0.55 * (y - 93), 0.2) * (z > 3) * (y < 95) * (y > 84)
    back = np.maximum(np.abs(x - 8.0) - 5.5, np.abs(y - 85) - 6.0)
    patch = line(grid, back, 0.22) * (z < 0)
    lines = np.clip(band + side + fly + middle + pocket + patch, 0, 1)
    color = darken(color, 0.3 * lines)
    if grid.look.fabric == "denim":
        twin = line(grid, back + 0.6, 0.2) * (z < 0) + line(grid, z - 1.9, 0.18) * (x > 10)
        color = tint(color, STITCH, 0.55 * np.clip(twin, 0, 1))
        rivet = soft(grid, np.hypot(x - 9.0, y - 94) - 0.45) * (z > 3)
        color = tint(color, (176, 120, 70), rivet)
    return color


def _pockets(grid: Grid, color: Image) -> Image:
    """Draw two slanted hand pockets of a jacket, and one on the chest."""
    x = np.abs(grid.x)
    slant = line(grid, (x - 11) - 0.35 * (grid.y - 94), 0.3) * (np.abs(grid.y - 94) < 7)
    chest = line(grid, grid.y - 121, 0.3) * (np.abs(grid.x - 8) < 4)
    return darken(color, 0.45 * np.clip(slant + chest, 0, 1) * (grid.z > 3))


def _pouch(grid: Grid, color: Image) -> Image:
    """Sew on the front pocket of a hoodie."""
    x = np.abs(grid.x)
    outline = np.maximum(np.abs(grid.y - 92) - 7, x - 13 + 0.5 * (grid.y - 90).clip(0))
    return darken(color, 0.4 * line(grid, outline, 0.3) * (grid.z > 3))


def _foot(grid: Grid) -> tuple[Plane, Plane]:
    """Return how far to the side of the foot's own axis texels lie, and how far forward."""
    return np.abs(grid.x) - FOOT_AXIS_CM, grid.z


def _sneaker(grid: Grid, color: Image) -> Image:
    """Draw sole, toe cap, tongue, laces and a stripe."""
    side, ahead = _foot(grid)
    tongue = soft(grid, np.abs(side) - 1.7) * (ahead > 2.5) * (ahead < 12.5) * (grid.y > 5)
    color = tint(color, grid.look.third, 0.5 * tongue)
    rows = np.abs((ahead / 1.7) % 1 - 0.5) * 1.7 - 0.32
    color = tint(color, LACE, 0.95 * soft(grid, rows) * tongue)
    color = darken(color, 0.4 * line(grid, np.abs(side) - 2.0, 0.25) * (grid.y > 5) * (ahead < 13))
    slash = np.abs(ahead - 4 - 0.9 * (grid.y - 5)) - 0.7
    color = tint(color, grid.look.second, soft(grid, slash) * (np.abs(side) > 2.4) * (grid.y < 8.5))
    cap = soft(grid, 15.2 - ahead) * (grid.y < 6)
    color = tint(color, SOLE, 0.8 * cap)
    return _sole(grid, color, SOLE)


def _leather_shoe(grid: Grid, color: Image) -> Image:
    """Draw a dark sole, a toe seam and a shine."""
    side, ahead = _foot(grid)
    seam = line(grid, ahead - 12.5 + 0.12 * side * side, 0.25) + line(grid, ahead - 0.5, 0.2)
    color = darken(color, 0.35 * np.clip(seam, 0, 1))
    shine = np.exp(-(((side + 1.2) / 1.2) ** 2 + ((ahead - 15) / 2.5) ** 2)) * (grid.y > 4)
    color = tint(color, (230, 225, 220), 0.25 * shine)
    return _sole(grid, color, (34, 28, 26))


def _sole(grid: Grid, color: Image, sole: Color) -> Image:
    color = tint(color, sole, soft(grid, grid.y - 2.6))
    tread = 0.15 * soft(grid, np.abs((grid.z / 0.8) % 1 - 0.5) * 0.8 - 0.1) * (grid.y < 0.4)
    return darken(color, 0.35 * line(grid, grid.y - 2.7, 0.22) + tread)


MARKS: dict[str, Callable[[Grid, Image], Image]] = {
    "hems": _hems, "ribs": _ribs, "collar": _collar_rib, "seams": _seams, "placket": _placket,
    "sneaker": _sneaker, "leather_shoe": _leather_shoe, "short_placket": _short_placket,
    "zip": _zip, "trousers": _trousers, "pockets": _pockets, "pouch": _pouch,
}  # fmt: skip
"""What is sewn on, by name."""
