"""Paint of the head: lips, lids, brows of single hairs, stubble, short hair, wrinkles, blushes.

Places: the unshaped base mesh, centimetres of its file; the face looks along +z.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from jaxtyping import Float, Float32
from scipy.spatial import cKDTree

from people.garment_surfaces import FLOOR_CM
from people.hair_styles import above_hairline
from people.pixels import bump
from people.skin_ground import RASTER_SIZE, Ground, Image, Plane, vertex_values
from people.skin_layout import island_raster
from people.texel_noise import fine_grain, smooth_noise
from people.traits import Traits

Tone = Float32[np.ndarray, " 3"]

BLOOD = np.array((1.03, 0.84, 0.81), np.float32)
BROW_X = (1.15, 2.3, 3.6, 4.7, 5.7)
BROW_Y = (74.6, 74.9, 75.15, 75.1, 74.55)
BROW_WIDTH_CM = (0.6, 0.72, 0.6, 0.42, 0.18)
"""The middle line of the left brow, and how wide it is there."""
PALE_LIPS, DARK_LIPS, ROUGE = (0.93, 0.76, 0.77), (0.93, 0.80, 0.80), (0.88, 0.62, 0.65)
"""What lips' skin does to the colour of the skin around."""


@dataclass(frozen=True, slots=True)
class Scalp:
    """Hair on the head: its colour, how much of the skin its roots hide, how far it recedes."""

    hair: Tone
    cover: float
    recede: float


def paint_face(
    traits: Traits,
    color: Image,
    ground: Ground,
    rng: np.random.Generator,
    *,
    brow: Tone,
    scalp: Scalp,
) -> Image:
    """Return the head's skin with everything on it; color: bare skin."""
    place = ground.place
    x, y, front = np.abs(place[..., 0]), place[..., 1], np.clip((place[..., 2] - 5) / 3, 0, 1)
    light = 1 - 0.65 * traits.melanin
    color = _blush(color, (x, y, front), ground.mask("ears"), light)
    color = _wrinkle(traits, color, place, rng)
    color = _shade_beard(traits, color, ground, rng, scalp.hair)
    color = _paint_lips(traits, color, ground, rng)
    color = _paint_lids(color, ground, brow, female=traits.female and traits.age_years > 15)
    color = _draw_brows(traits, color, ground, rng, brow)
    return _shade_scalp(color, ground, rng, scalp)


def _mix(color: Image, tone: Tone, alpha: Plane) -> Image:
    return np.asarray(color + alpha[..., None] * (tone - color), np.float32)


def _blush(color: Image, xyf: tuple[Plane, Plane, Plane], ears: Plane, light: float) -> Image:
    """Redden cheeks, nose, chin and ears; darken the eyes' surroundings."""
    x, y, front = xyf
    cheeks = bump(np.hypot(x - 4.6, (y - 69.6) * 0.9), 2.4)
    nose = bump(np.hypot(x, (y - 69.2) * 0.8), 1.6)
    chin = bump(np.hypot(x, y - 62.8), 1.6)
    lids = bump(np.hypot((x - 3.2) * 0.75, y - 73.3), 1.25)
    red = (0.50 * cheeks + 0.55 * nose + 0.22 * chin + 0.30 * lids) * front + 0.5 * ears
    color = color * (1 + np.clip(red * light, 0, 1)[..., None] * (BLOOD - 1))
    bag = bump(np.hypot((x - 2.9) * 0.6, y - 71.9), 0.75) * front
    inner = bump(np.hypot(x - 1.7, y - 72.9), 0.7) * front
    shade = 0.10 * bag + 0.10 * inner + 0.05 * lids * front
    tint = np.array((0.9, 1.05, 0.95), np.float32)
    return np.asarray(color * (1 - shade[..., None] * tint), np.float32)


def _wrinkle(
    traits: Traits, color: Image, place: Float[np.ndarray, "H W 3"], rng: np.random.Generator
) -> Image:
    """Darken the lines that age draws: forehead, crow's feet, under the eyes, round the mouth."""
    strength = float(np.clip((traits.age_years - 24) / 50, 0, 1))
    if strength <= 0:
        return color
    x, y, z = np.abs(place[..., 0]), place[..., 1], place[..., 2]
    front = np.clip((z - 4) / 3, 0, 1)
    wave = 0.12 * smooth_noise(rng, x.shape, 60)
    forehead = sum(bump(y - level - 0.012 * x * x + wave, 0.07) for level in (76.4, 77.2, 78.0))
    forehead = forehead * bump(x, 3.6)
    angle = np.arctan2(y - 73.0, x - 4.4)
    crow = bump(np.sin(9 * angle + 2 * wave), 0.35) * bump(np.hypot(x - 5.7, y - 73.0), 0.7)
    under = sum(bump(y - level + 0.10 * (x - 3.1) ** 2 - wave, 0.07) for level in (72.0, 71.55))
    under = under * bump(x - 3.1, 1.3)
    fold = bump(x - 2.0 - 0.38 * (69.2 - y) + 0.3 * wave, 0.13) * bump(y - 67.3, 1.3)
    frown = bump(x - 0.55 + wave, 0.08) * bump(y - 74.8, 0.6)
    lines = 0.5 * forehead + 0.5 * crow + 0.55 * under + 0.5 * fold + 0.4 * frown
    neck = bump(np.sin(3.1 * y + 4 * wave), 0.3) * bump(y - 58.5, 2.2) * 0.35
    amount = 0.24 * strength * np.clip(lines * front + neck, 0, 1)
    return np.asarray(color * (1 - amount[..., None] * np.array((0.8, 1.0, 1.05))), np.float32)


def beard_region(place: Float[np.ndarray, "H W 3"]) -> Plane:
    """Return 0 to 1: where a beard grows on the base mesh's head."""
    x, y, z = np.abs(place[..., 0]), place[..., 1], place[..., 2]
    cheek = 66.6 + 0.115 * np.clip(x - 2.2, 0, None) ** 2
    below = np.clip((cheek - y) / 0.7 + 0.5, 0, 1)
    lip = np.clip((68.1 - y) / 0.4, 0, 1) * np.clip((3.0 - x) / 0.6, 0, 1)
    side = np.clip((7.4 - x) / 0.5, 0, 1) * np.clip((z - 2.2) / 1.2, 0, 1)
    neck = np.clip((y - 59.2) / 1.6, 0, 1)
    return np.asarray(np.maximum(below, lip) * side * neck, np.float32)


def _shade_beard(
    traits: Traits, color: Image, ground: Ground, rng: np.random.Generator, hair: Tone
) -> Image:
    if traits.stubble <= 0:
        return color
    region = beard_region(ground.place) * (1 - ground.mask("lips"))
    region = cv2.GaussianBlur(region, (0, 0), 2)
    region *= np.clip(0.85 + 0.25 * smooth_noise(rng, region.shape, 28), 0, 1)
    shadow = np.array((0.80, 0.86, 0.92), np.float32)
    color = color * (1 + 0.5 * traits.stubble * region[..., None] * (shadow - 1))
    sharp = np.clip(fine_grain(rng, region.shape) - 0.55, 0, 1.5)
    dots = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.5))
    return _mix(color, 0.8 * hair, np.clip(0.85 * traits.stubble * region * dots, 0, 0.9))


def _paint_lips(traits: Traits, color: Image, ground: Ground, rng: np.random.Generator) -> Image:
    mask = cv2.GaussianBlur(ground.mask("lips"), (0, 0), 0.045 * ground.texels_per_cm)
    lines = smooth_noise(rng, (1, mask.shape[1] * 4), 6)
    x = ground.place[..., 0]
    column = np.clip((x + 3.5) / 7 * (lines.shape[1] - 1), 0, lines.shape[1] - 1).astype(int)
    rouged = traits.female and traits.age_years > 17 and traits.noise % 3 == 0
    tint = np.array(
        ROUGE if rouged else PALE_LIPS if traits.melanin < 0.5 else DARK_LIPS, np.float32
    )
    lip = color * tint * (1 + 0.035 * lines[0][column])[..., None]
    color = color + mask[..., None] * (lip - color)
    gap = bump(ground.place[..., 1] - 65.93, 0.10) * (np.abs(x) < 2.9) * mask
    return np.asarray(color * (1 - 0.45 * gap[..., None] * np.array((0.85, 1, 1))), np.float32)


def _paint_lids(color: Image, ground: Ground, brow: Tone, *, female: bool) -> Image:
    """Darken the lid margins, which are the island's border round each eye, where lashes root."""
    x, y = np.abs(ground.place[..., 0]), ground.place[..., 1]
    near = (np.hypot((x - 3.25) / 1.9, (y - 73.0) / 1.0) < 1.0).astype(np.float32)
    near = cv2.GaussianBlur(near, (0, 0), 2)
    upper = np.clip((y - 72.9 + 0.06 * (x - 3.2)) / 0.2 + 0.5, 0, 1)
    outer = np.clip((x - 2.2) / 2.2, 0.25, 1)
    width = (0.15 if female else 0.11) * (0.55 + 0.6 * outer)
    lash = np.exp(-((ground.inside_cm / width) ** 2))
    color = _mix(color, 0.45 * brow, np.clip(near * upper * lash * (1.0 if female else 0.85), 0, 1))
    rim = np.exp(-((ground.inside_cm / 0.07) ** 2)) * near * (1 - upper)
    color = _mix(color, 0.6 * brow + 0.3 * color.mean(axis=(0, 1)), 0.5 * rim * outer)
    crease = bump(y - 73.95 + 0.11 * (x - 3.1) ** 2, 0.10) * bump(x - 3.3, 1.5)
    return np.asarray(
        color * (1 - 0.14 * (crease * (ground.place[..., 2] > 4))[..., None]), np.float32
    )


@cache
def _brow_texels() -> tuple[cKDTree, Float[np.ndarray, "n 2"]]:
    """Return a search tree over x and y of the texels about the brows, and their raster places."""
    raster = island_raster("head", RASTER_SIZE["head"])
    place = raster.spread(vertex_values("skin"))[..., :3]
    rows, columns = np.nonzero(
        raster.covered & (np.abs(place[..., 1] - 75) < 2.2) & (place[..., 2] > 4)
    )
    tree = cKDTree(place[rows, columns, :2])
    return tree, (np.stack([columns, rows], axis=1) + 0.5).astype(np.float32) / len(place)


def _draw_brows(
    traits: Traits, color: Image, ground: Ground, rng: np.random.Generator, brow: Tone
) -> Image:
    """Draw each brow hair by hair, inner ones upright, outer ones along the brow."""
    count = int((150 if traits.female else 210) * (0.8 + 0.4 * rng.random()))
    lift, scale = (
        float(rng.normal(0, 0.08)),
        (0.8 if traits.female else 1.05) + 0.1 * float(rng.normal()),
    )
    roots, tips = [], []
    for sign in (1, -1):
        along = rng.random(count)
        x = np.interp(along, np.linspace(0, 1, 5), BROW_X)
        width = np.interp(x, BROW_X, BROW_WIDTH_CM) * scale
        across = np.clip(rng.normal(0, 0.27, count), -0.5, 0.5)
        y = np.interp(x, BROW_X, BROW_Y) + lift + across * width
        angle = np.interp(along, (0, 0.12, 0.35, 0.7, 1), (1.35, 0.95, 0.42, -0.15, -0.55))
        angle = angle - 0.9 * across + rng.normal(0, 0.16, count)
        length = np.interp(along, (0, 0.2, 1), (0.42, 0.72, 0.5)) * rng.uniform(0.7, 1.15, count)
        roots.append(np.stack([sign * x, y], axis=1))
        step = np.stack([sign * np.cos(angle), np.sin(angle)], axis=1)
        tips.append(roots[-1] + length[:, None] * step)
    hairs = _draw_lines(ground.shape, np.concatenate(roots), np.concatenate(tips))
    soft = cv2.GaussianBlur(hairs, (0, 0), 0.14 * ground.texels_per_cm)
    strength = 0.62 if traits.hair_tone < 0.6 else 0.45
    return _mix(color, brow, np.clip(strength * hairs + 0.42 * soft, 0, 0.88))


def _draw_lines(
    shape: tuple[int, int], roots: Float[np.ndarray, "n 2"], tips: Float[np.ndarray, "n 2"]
) -> Plane:
    """Draw thin lines between places on the face; returns their cover of each texel."""
    tree, places = _brow_texels()
    size = 2 * np.array(shape[::-1])
    ends = [places[tree.query(points)[1]] * size for points in (roots, tips)]
    canvas = np.zeros((2 * shape[0], 2 * shape[1]), np.uint8)
    for start, stop in zip(*(np.round(end * 16).astype(int) for end in ends), strict=True):
        cv2.line(canvas, start.tolist(), stop.tolist(), 255, 1, cv2.LINE_AA, 4)
    small = cv2.resize(canvas, shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / 255


def _shade_scalp(color: Image, ground: Ground, rng: np.random.Generator, scalp: Scalp) -> Image:
    """Shade the skin under the hair with hair's roots."""
    small = cv2.resize(ground.place, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    canonical = small.reshape(-1, 3).astype(np.float64) + np.array([0.0, FLOOR_CM, 0.0])
    line = above_hairline(canonical, scalp.recede).reshape(small.shape[:2]).astype(np.float32)
    above = cv2.resize(line, ground.shape[::-1]) + 0.2 * smooth_noise(rng, ground.shape, 9)
    cover = np.clip(above / 1.1, 0, 1) * (1 - ground.mask("ears"))
    grain = np.clip(0.8 + 0.35 * fine_grain(rng, ground.shape), 0, 1.3)
    return _mix(color, scalp.hair, np.clip(scalp.cover * cover * grain, 0, 0.97))
