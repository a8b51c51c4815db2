"""Cloth at texels: weave, pattern, seams, hems, buttons, print, belt, shoes."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32

from people.figure import Bottom, Color, Figure, Top
from people.pixels import (
    Image,
    Layer,
    Plane,
    Tile,
    bump,
    darken,
    edge_alpha,
    fill,
    line_alpha,
    tile_over,
    tint,
)
from people.skinning import SHOULDER_X
from people.wardrobe import Wardrobe

WEAVE_PER_CM = {
    "tshirt": 9.0, "shirt": 12.0, "sweater": 2.6, "jacket": 6.0, "tank": 9.0,
    "trousers": 9.0, "jeans": 7.0, "shorts": 7.0, "skirt": 8.0,
}  # fmt: skip
WEAVE_DEPTH = {
    "tshirt": 0.035, "shirt": 0.03, "sweater": 0.11, "jacket": 0.05, "tank": 0.03,
    "trousers": 0.04, "jeans": 0.09, "shorts": 0.05, "skirt": 0.04,
}  # fmt: skip
STITCH: Color = (196, 140, 70)
LEATHER: Color = (58, 38, 28)
SOLE: Color = (226, 222, 214)
DARK: Color = (24, 24, 28)
NUMBER_BOX_CM = (-8.5, 8.5, 113.5, 130.5)
"""Left, right, bottom and top of the chest print."""
NUMBER_TEXELS = 256
BUTTON_STEP_CM, BUTTON_CM = 8.2, 0.55
STRIPE_CM, CHECK_CM = 5.2, 4.4


@dataclass(frozen=True, slots=True)
class Cloth:
    """What cloth painting needs of a cell.

    covers: top, inner top, bottom, shoes, neck (negative inside), centimetres.
    """

    figure: Figure
    wardrobe: Wardrobe
    point: Image
    covers: Float32[np.ndarray, "H W 5"]
    grain: Tile


def cloth_layers(cloth: Cloth) -> list[Layer]:
    """Return the garments from the innermost to the outermost."""
    shoes, bottom, top = _shoes(cloth), _bottom(cloth), _top(cloth)
    order = [shoes, top, bottom] if cloth.wardrobe.tucked else [shoes, bottom, top]
    if cloth.wardrobe.jacket:
        order = [shoes, _inner(cloth), bottom, top]
    return [layer for layer in order if layer.alpha.any()]


def _woven(cloth: Cloth, garment: Top | Bottom, color: Color) -> Image:
    """Return a garment's plain cloth: its colour, threads and grain."""
    point, shape = cloth.point, cloth.point.shape[:2]
    rate = np.float32(2 * np.pi * WEAVE_PER_CM[garment] / 2)
    x, y, z = (point[..., i] for i in range(3))
    if garment == "jeans":
        threads = np.sin((x + z + 0.9 * y) * rate)
    elif garment == "sweater":
        threads = np.sin((x + z) * rate) * (0.6 + 0.4 * np.sin(y * rate * 0.9))
    else:
        threads = np.sin((x + z) * rate) * np.sin(y * rate)
    depth = WEAVE_DEPTH[garment]
    mottle = 2.2 if garment == "jeans" else 1.0
    tone = 1 + depth * threads + 0.05 * mottle * tile_over(cloth.grain, shape, 77)
    woven: Image = (fill(color, x) * tone[..., None]).astype(np.float32)
    return woven


def _hem(color: Image, cover: Plane, stitch: Color | None = None) -> Image:
    """Darken a garment's very edge and lay a line of stitches beside it."""
    color = darken(color, 0.35 * np.exp(-np.abs(cover) / 0.25))
    line = line_alpha(cover + 1.7, 0.22)
    if stitch is not None:
        return tint(color, stitch, 0.7 * line)
    return darken(color, 0.22 * line)


def _top(cloth: Cloth) -> Layer:
    figure, cover = cloth.figure, cloth.covers[..., 0]
    alpha = edge_alpha(cover)
    if not alpha.any():
        return Layer(cloth.point, alpha)
    color = _pattern(cloth, _woven(cloth, figure.top, figure.top_color))
    color = _hem(color, cover)
    color = _seams(cloth, color)
    if figure.top in ("tshirt", "sweater", "tank") and figure.pattern in ("plain", "block"):
        color = _number(figure, cloth.point, color)
    if figure.top == "sweater":
        color = _ribs(cloth, color, cover)
    if figure.top == "shirt":
        color = _buttons(cloth, color, line_x=0.0)
    if figure.top == "jacket":
        color = _lapels(cloth, color)
    return Layer(color, alpha)


def _pattern(cloth: Cloth, color: Image) -> Image:
    figure, point = cloth.figure, cloth.point
    x, y = point[..., 0], point[..., 1]
    if figure.pattern == "plain" or figure.top == "jacket":
        return color
    body = ((np.abs(x) < SHOULDER_X + 2) | (y < 118)).astype(np.float32)
    along = np.where(body > 0, y, np.abs(x))
    if figure.pattern == "stripes":
        wave = np.abs((along / STRIPE_CM) % 1 - 0.5) * STRIPE_CM - 0.22 * STRIPE_CM
        return tint(color, figure.print_color, 0.85 * edge_alpha(wave))
    if figure.pattern == "check":
        across = np.where(body > 0, x, y)
        one = edge_alpha(np.abs((along / CHECK_CM) % 1 - 0.5) * CHECK_CM - 0.9)
        two = edge_alpha(np.abs((across / CHECK_CM) % 1 - 0.5) * CHECK_CM - 0.9)
        color = tint(color, figure.print_color, 0.42 * one)
        color = tint(color, figure.print_color, 0.42 * two)
        thin = line_alpha(((along / CHECK_CM) % 1 - 0.05) * CHECK_CM, 0.3)
        return tint(color, figure.inner_color, 0.5 * thin)
    block = edge_alpha(-(y - 131.0)) if figure.sleeve < 0.5 else 1 - body
    return tint(color, figure.print_color, block.astype(np.float32))


def _seams(cloth: Cloth, color: Image) -> Image:
    x, y, z = np.abs(cloth.point[..., 0]), cloth.point[..., 1], cloth.point[..., 2]
    high = y > 116
    armhole = line_alpha(x - cloth.wardrobe.shift - 17.0 - 0.06 * (y - 134), 0.2) * high
    side = line_alpha(z + 2.6, 0.2) * np.where(high, x > 22, x > 8)
    neck = line_alpha(cloth.covers[..., 4] + 2.0, 0.24)
    seam = np.clip(armhole + side + neck, 0, 1)
    return darken(color, 0.3 * seam)


def _ribs(cloth: Cloth, color: Image, cover: Plane) -> Image:
    x, z = cloth.point[..., 0], cloth.point[..., 2]
    rim = edge_alpha(-(cover + 5.0))
    around = np.where(np.abs(x) > 50, cloth.point[..., 1] + z, x + z)
    return darken(color, 0.16 * rim * (0.5 + 0.5 * np.sin(around * 7)))


def number_mask(number: int) -> Plane:
    """Return the image of a two-digit number, 1 on the digits, row 0 at the top."""
    mask = np.zeros((NUMBER_TEXELS, NUMBER_TEXELS), np.uint8)
    font, thick = cv2.FONT_HERSHEY_SIMPLEX, 30
    (width, height), _ = cv2.getTextSize(str(number), font, 5.2, thick)
    origin = ((NUMBER_TEXELS - width) // 2, (NUMBER_TEXELS + height) // 2)
    cv2.putText(mask, str(number), origin, font, 5.2, 255, thick, cv2.LINE_AA)
    return cv2.GaussianBlur(mask, (0, 0), 1.0).astype(np.float32) / 255


def _number(figure: Figure, point: Image, color: Image) -> Image:
    """Print the figure's number on the chest, readable from the front (+x is to the right)."""
    left, right, bottom, top = NUMBER_BOX_CM
    u = (point[..., 0] - left) / (right - left) * NUMBER_TEXELS - 0.5
    v = (top - point[..., 1]) / (top - bottom) * NUMBER_TEXELS - 0.5
    mask = number_mask(figure.number)
    shown = cv2.remap(
        mask, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderValue=0
    )
    ink = figure.inner_color if figure.pattern == "block" else figure.print_color
    return tint(color, ink, 0.95 * shown * (point[..., 2] > 0))


def _buttons(cloth: Cloth, color: Image, *, line_x: float) -> Image:
    x, y, z = (cloth.point[..., i] for i in range(3))
    front = (z > 0).astype(np.float32) * (y < 147)
    placket = line_alpha(np.abs(x - line_x) - 1.5, 0.18) * front
    color = darken(color, 0.25 * placket)
    offset = (y / BUTTON_STEP_CM + 0.5) % 1 - 0.5
    radius = np.hypot(x - line_x, offset * BUTTON_STEP_CM)
    color = tint(color, (240, 238, 232), np.clip((BUTTON_CM - radius) * 8, 0, 1) * front)
    return tint(color, DARK, 0.5 * line_alpha(radius - BUTTON_CM, 0.14) * front)


def _lapels(cloth: Cloth, color: Image) -> Image:
    x, y, z = np.abs(cloth.point[..., 0]), cloth.point[..., 1], cloth.point[..., 2]
    front = (z > 0) & (y > 112) & (y < 147)
    edge = 3.2 + 0.24 * (y - 112) + 0.9 * np.sin(np.clip((y - 112) / 30, 0, 1) * np.pi)
    notch = bump(y - 136.5 - 0.25 * (x - 8), 0.28) * (x > edge - 3.2)
    line = np.maximum(line_alpha(x - edge, 0.26) * (y < 140), notch * (x < edge)) * front
    color = darken(color, 0.45 * line)
    pocket = line_alpha(y - 98.5 - 0.1 * (x - 8), 0.5) * (np.abs(x - 9.5) < 4.2) * (z > 0)
    return darken(color, 0.4 * pocket)


def _inner(cloth: Cloth) -> Layer:
    cover = cloth.covers[..., 1]
    color = _woven(cloth, "tshirt", cloth.figure.inner_color)
    color = _hem(color, cover)
    return Layer(color, edge_alpha(cover))


def _bottom(cloth: Cloth) -> Layer:
    figure, cover = cloth.figure, cloth.covers[..., 2]
    alpha = edge_alpha(cover)
    if not alpha.any():
        return Layer(cloth.point, alpha)
    color = _woven(cloth, figure.bottom, figure.bottom_color)
    jeans = figure.bottom == "jeans"
    if jeans:
        color = _fade(cloth, color)
    color = _hem(color, cover, STITCH if jeans else None)
    color = _trouser_lines(cloth, color, STITCH if jeans else None)
    if cloth.wardrobe.tucked and figure.bottom != "skirt":
        belt = edge_alpha(np.abs(cloth.point[..., 1] - 99.6) - 1.7)
        color = tint(color, LEATHER, belt)
        near = np.maximum(
            np.abs(cloth.point[..., 0]) - 2.0, np.abs(cloth.point[..., 1] - 99.6) - 1.7
        )
        buckle = line_alpha(near, 0.5) * (cloth.point[..., 2] > 0)
        color = tint(color, (196, 186, 160), buckle)
    return Layer(color, alpha)


def _fade(cloth: Cloth, color: Image) -> Image:
    """Bleach thighs and knees of jeans."""
    x, y, z = np.abs(cloth.point[..., 0]), cloth.point[..., 1], cloth.point[..., 2]
    worn = bump(x - 9.5, 4.0) * np.clip(z / 5, 0, 1) * (bump(y - 70, 13) + 0.6 * bump(y - 49, 6))
    return tint(color, (176, 192, 208), (0.42 * np.clip(worn, 0, 1)).astype(np.float32))


def _trouser_lines(cloth: Cloth, color: Image, stitch: Color | None) -> Image:
    if cloth.figure.bottom == "skirt":
        return color
    x, y, z = np.abs(cloth.point[..., 0]), cloth.point[..., 1], cloth.point[..., 2]
    side = line_alpha(z + 1.0, 0.2) * (x > 9)
    inseam = line_alpha(z + 1.0, 0.2) * (x < 9) * (y < 78)
    middle = line_alpha(x, 0.22) * (y > 76)
    fly = line_alpha(x - 2.2 - 2 * bump(y - 84, 2.5), 0.2) * (y > 84) * (y < 98) * (z > 0)
    pocket = line_alpha(x - 9.5 - 0.42 * (97 - y), 0.24) * (y > 85) * (y < 97) * (z > 0)
    back = np.maximum(np.abs(x - 8.0) - 4.4, np.abs(y - 88.5) - 5.2)
    patch = line_alpha(back, 0.24) * (z < -1)
    lines = np.clip(side + inseam + middle + fly + pocket + patch, 0, 1)
    color = darken(color, 0.3 * lines)
    if stitch is None:
        return color
    double = line_alpha(back + 0.5, 0.2) * (z < -1) + line_alpha(z + 1.6, 0.16) * (x > 9)
    return tint(color, stitch, 0.55 * np.clip(double, 0, 1))


def _shoes(cloth: Cloth) -> Layer:
    figure, cover = cloth.figure, cloth.covers[..., 3]
    x, y, z = np.abs(cloth.point[..., 0]), cloth.point[..., 1], cloth.point[..., 2]
    alpha = edge_alpha(np.minimum(cover, y - 3))
    if not alpha.any():
        return Layer(cloth.point, alpha)
    shape = x.shape
    tone = 1 + 0.06 * tile_over(cloth.grain, shape, 13)
    color = fill(figure.shoe_color, x) * tone[..., None]
    inner = x - 11.2
    laces = np.abs((z * 0.75) % 1 - 0.5) < 0.17
    tongue = (np.abs(inner) < 1.7) & (z > 0) & (z < 7.5) & (y > 4.2)
    color = tint(color, SOLE, (0.9 * (laces & tongue)).astype(np.float32))
    cap = line_alpha(z - 10.0 + 0.1 * inner * inner, 0.3) + line_alpha(z + 3.5, 0.25)
    color = darken(color, 0.3 * np.clip(cap, 0, 1))
    color = tint(
        color, SOLE if sum(figure.shoe_color) < 600 else (150, 146, 140), edge_alpha(y - 1.95)
    )
    color = darken(color, 0.4 * line_alpha(y - 1.95, 0.25))
    return Layer(_hem(color, cover), alpha)
