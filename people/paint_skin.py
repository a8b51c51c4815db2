"""Skin, face and hair colours at texels, from their rest points."""

import numpy as np

from people.figure import Color, Figure
from people.hair import Hair, beard_cover
from people.head import EYE_CENTRE, MOUTH_Y, to_head
from people.pixels import (
    Image,
    Plane,
    Tile,
    bump,
    darken,
    fill,
    line_alpha,
    tile_over,
    tint,
)

EYE_X, EYE_Y = EYE_CENTRE[0], EYE_CENTRE[1]
EYE_HALF_WIDTH, EYE_HALF_HEIGHT = 1.5, 0.62
IRIS_CM, PUPIL_CM = 0.62, 0.27
WHITE: Color = (236, 230, 224)
DARK: Color = (30, 20, 18)
FACE_Y, FACE_Z = 154.0, 2.0
HAND_X = 66.0
BLUSH = (1.06, 0.86, 0.84)
STUBBLE_SHARE = 0.28


def skin_color(figure: Figure, hair: Hair, point: Image, grain: Tile) -> Image:
    """Return bare skin, with a face on the head and nails on the hands."""
    shape = point.shape[:2]
    color = fill(figure.skin_color, point[..., 0])
    fine = tile_over(grain, shape)
    color = color * (1 + 0.07 * fine)[..., None]
    if point[..., 1].max() > FACE_Y:
        color = _paint_face(figure, hair, color, point, fine)
    if np.abs(point[..., 0]).max() > HAND_X:
        color = _paint_hand(color, point)
    return color.astype(np.float32)


def _paint_face(figure: Figure, hair: Hair, color: Image, point: Image, fine: Plane) -> Image:
    local = to_head(hair.head, np.ascontiguousarray(point).reshape(-1, 3))
    face = local.reshape(point.shape)
    x, y, z = np.abs(face[..., 0]), face[..., 1], face[..., 2]
    front = np.clip((z - FACE_Z) / 2, 0, 1)
    color = _blush(color, (x, y, front))
    color = _stubble(figure, color, local.reshape(point.shape), fine)
    color = _age(figure, color, (x, y, front))
    color = _brows(figure, color, (x, y, front), fine)
    color = _lips(figure, color, (x, y, front), fine)
    color = _eyes(figure, color, (face[..., 0], y, front))
    nostril = bump(np.hypot(x - 0.78, (y - 158.5) * 1.3), 0.32) * front
    return tint(color, DARK, 0.75 * nostril)


def _blush(color: Image, xyf: tuple[Plane, Plane, Plane]) -> Image:
    x, y, front = xyf
    cheeks = bump(np.hypot(x - 4.3, y - 159.6), 2.2)
    nose = bump(np.hypot(x, (y - 159.8) * 0.7), 1.3)
    socket = bump(np.hypot((x - 3.0) * 0.7, y - 163.2), 1.7)
    red = np.array(BLUSH, np.float32)
    amount = (0.45 * cheeks + 0.4 * nose) * front
    color = color * (1 + (red - 1) * amount[..., None])
    return darken(color, 0.13 * socket * front)


def _stubble(figure: Figure, color: Image, face: Image, fine: Plane) -> Image:
    if figure.female:
        return color
    cover = beard_cover(np.ascontiguousarray(face).reshape(-1, 3)).reshape(fine.shape)
    inside = np.clip(cover / 0.9 + 0.5 * fine, 0, 1)
    share = 0.82 if figure.beard else STUBBLE_SHARE * (figure.face[6] > -0.2)
    texture = 0.75 + 0.5 * fine
    return tint(color, figure.hair_color, np.clip(share * inside * texture, 0, 1))


def _age(figure: Figure, color: Image, xyf: tuple[Plane, Plane, Plane]) -> Image:
    x, y, front = xyf
    strength = 0.26 * min(max((figure.age_years - 22) / 50, 0.0), 1.0)
    fold = line_alpha(x - 1.9 - 0.33 * (159.5 - y), 0.32) * bump(y - 157.6, 1.6)
    bag = line_alpha(y - 162.3 + 0.12 * (x - 3.1) ** 2, 0.26) * bump(x - 3.1, 1.4)
    brow = sum(line_alpha(y - level - 0.05 * x, 0.26) for level in (167.6, 168.5, 169.4))
    lines = np.clip(fold + bag + 0.6 * brow * bump(x, 4.0), 0, 1) * front
    return darken(color, strength * lines)


def _brows(figure: Figure, color: Image, xyf: tuple[Plane, Plane, Plane], fine: Plane) -> Image:
    x, y, front = xyf
    arch = 165.8 + 0.07 * (x - 1.2) - 0.10 * np.maximum(0, x - 3.6) ** 2
    thick = (0.36 if figure.female else 0.5) * np.clip((6.0 - x) / 2.4, 0.25, 1)
    along = np.clip((x - 1.0) * 2.5, 0, 1) * np.clip((5.9 - x) * 2.5, 0, 1)
    hairs = np.clip(1.25 - np.abs(y - arch) / thick + 0.5 * fine, 0, 1)
    dark = tuple(int(0.75 * channel) for channel in figure.hair_color)
    return tint(color, (dark[0], dark[1], dark[2]), 0.85 * hairs * along * front)


def _lips(figure: Figure, color: Image, xyf: tuple[Plane, Plane, Plane], fine: Plane) -> Image:
    x, y, front = xyf
    half = 2.35
    y = y - 0.035 * x * x
    taper = np.sqrt(np.clip(1 - (x / half) ** 2, 0, 1))
    full = 1.0 if figure.female else 0.78
    bow = full * (0.74 * taper - 0.14 * bump(x, 0.35))
    upper = np.clip((MOUTH_Y + bow - y) * 6, 0, 1)
    lower = np.clip((y - (MOUTH_Y - 0.95 * full * taper)) * 6, 0, 1)
    inside = upper * lower * (x < half) * front
    red = (0.84, 0.52, 0.52) if figure.female else (0.9, 0.7, 0.68)
    skin = figure.skin_color
    lip = (int(skin[0] * red[0]), int(skin[1] * red[1]), int(skin[2] * red[2]))
    color = tint(color, lip, (0.85 + 0.1 * fine) * inside)
    gap = line_alpha(y - MOUTH_Y - 0.04 * np.cos(2.4 * x), 0.2) * (x < half) * front
    color = tint(color, DARK, 0.62 * gap)
    below = bump(y - 154.55, 0.35) * bump(x, 1.6) * front
    return darken(color, 0.12 * below)


def _eyes(figure: Figure, color: Image, xyf: tuple[Plane, Plane, Plane]) -> Image:
    signed, y, front = xyf
    x = np.abs(signed) - EYE_X
    lift = 0.08 * x
    shape = np.sqrt(np.clip(1 - (x / EYE_HALF_WIDTH) ** 2, 0, 1))
    top = EYE_Y + lift + EYE_HALF_HEIGHT * shape - y
    bottom = y - EYE_Y - lift + 0.72 * EYE_HALF_HEIGHT * shape
    inside = np.minimum(top, bottom)
    opening = np.clip(inside * 9 + 0.5, 0, 1) * (np.abs(x) < EYE_HALF_WIDTH) * front
    crease = line_alpha(top + 0.42, 0.22) * (np.abs(x) < 1.35) * front
    color = darken(color, 0.3 * crease)
    color = tint(color, WHITE, 0.93 * opening)
    radius = np.hypot(x, y - EYE_Y - 0.04)
    color = tint(color, figure.eye_color, np.clip((IRIS_CM - radius) * 12, 0, 1) * opening)
    color = tint(color, DARK, line_alpha(radius - IRIS_CM, 0.14) * opening * 0.6)
    color = tint(color, DARK, np.clip((PUPIL_CM - radius) * 14, 0, 1) * opening)
    glint = np.hypot(signed - np.sign(signed) * EYE_X - 0.2, y - EYE_Y - 0.26)
    color = tint(color, (250, 250, 250), np.clip((0.13 - glint) * 20, 0, 1) * opening)
    near = (np.abs(x) < EYE_HALF_WIDTH + 0.1) & (np.abs(y - EYE_Y) < 1.2)
    lash = np.clip(1.3 - np.abs(top) / (0.17 if figure.female else 0.12), 0, 1) * near * front
    color = tint(color, DARK, 0.85 * lash)
    rim = line_alpha(bottom, 0.14) * near * front
    return darken(color, 0.25 * rim)


def _paint_hand(color: Image, point: Image) -> Image:
    """Redden knuckles and fingertips."""
    reach = np.abs(point[..., 0])
    knuckles = bump(reach - 77.5, 1.1) + 0.8 * bump(reach - 81.2, 0.7) + bump(reach - 85.5, 1.6)
    red = np.array(BLUSH, np.float32)
    warm: Image = color * (1 + 0.5 * (red - 1) * np.clip(knuckles, 0, 1)[..., None])
    return warm


def hair_color(figure: Figure, point: Image, grain: Tile) -> Image:
    """Return hair: strands that run down, lighter on the crown."""
    shape = point.shape[:2]
    strands = tile_over(grain, shape)
    x, y, z = (point[..., i] for i in range(3))
    angle = np.arctan2(x, z + 1.0)
    wander = 5.0 * strands + 0.22 * y + 1.7 * np.sin(0.55 * y + 5 * angle)
    fibre = np.sin(61 * angle + wander) * 0.5 + np.sin(37.7 * angle - 0.7 * wander) * 0.6
    tone = 0.9 + 0.09 * fibre + 0.2 * strands + 0.12 * np.clip((y - 168) / 8, -1, 1)
    image: Image = (fill(figure.hair_color, x) * tone[..., None]).astype(np.float32)
    return image
