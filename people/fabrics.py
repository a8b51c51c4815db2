"""Cloth at texels: threads, knit, twill, leather; stripes, checks, dots and prints on it."""

import cv2
import numpy as np

from people.cloth_grid import Grid, noise, soft, wave
from people.pixels import Image, Plane, fill, tint

THREADS_PER_CM = {
    "jersey": 9.0, "woven": 8.0, "knit": 1.7, "denim": 6.0, "leather": 0.0, "fleece": 0.0,
    "felt": 5.0,
}  # fmt: skip
DEPTH = {
    "jersey": 0.05, "woven": 0.05, "knit": 0.2, "denim": 0.14, "leather": 0.0, "fleece": 0.08,
    "felt": 0.1,
}  # fmt: skip
MELANGE = {
    "jersey": 0.035, "woven": 0.03, "knit": 0.07, "denim": 0.09, "leather": 0.09, "fleece": 0.06,
    "felt": 0.09,
}  # fmt: skip


def weave(grid: Grid, color: Image) -> Image:
    """Lay threads and unevenness over the colours."""
    rate, depth = THREADS_PER_CM[grid.look.fabric], DEPTH[grid.look.fabric]
    tone = MELANGE[grid.look.fabric] * (0.6 * noise(grid, 0.15) + 0.4 * noise(grid, 3.0))
    if grid.look.fabric == "denim":
        tone = tone + depth * (
            0.6 * wave(grid, grid.u + grid.v, rate) + 0.4 * noise(grid, 0.1, stretch=(1, 5))
        )
        color = _fade_denim(grid, color)
    elif grid.look.fabric == "knit":
        zigzag = grid.v + 0.25 * np.abs((grid.u * rate) % 1 - 0.5)
        tone = tone + depth * (0.7 * wave(grid, grid.u, rate) + 0.5 * wave(grid, zigzag, 2.4))
    elif grid.look.fabric == "leather":
        tone = tone + _leather(grid)
    else:
        tone = tone + depth * wave(grid, grid.u, rate) * wave(grid, grid.v, rate)
        tone = tone + 0.5 * depth * noise(grid, 0.1, stretch=(1, 4))
    worn: Image = color * (1 + tone)[..., None]
    return worn


def _leather(grid: Grid) -> Plane:
    """Return pebbles between dark creases, rubbed pale on folds and rims."""
    creases = sum(
        weight * np.exp(-((noise(grid, size) / 0.22) ** 2))
        for size, weight in ((0.34, 0.2), (0.9, 0.12))
    )
    patina = 0.07 * noise(grid, 5.0) + 0.1 * np.exp(-((grid.rim / 0.9) ** 2))
    shine = 1.1 * np.clip(grid.light - 0.99, -0.15, 0.12) * (1 + 0.5 * noise(grid, 0.5))
    tone: Plane = (0.08 - creases + patina + shine).astype(np.float32)
    return tone


def _fade_denim(grid: Grid, color: Image) -> Image:
    thigh = np.exp(-(((grid.y - 64) / 11) ** 2)) + 0.7 * np.exp(-(((grid.y - 45) / 6) ** 2))
    middle = np.exp(-(((np.abs(grid.x) - 13) / 5.5) ** 2)) * np.clip((grid.z - 2) / 4, 0, 1)
    whiskers = 0.6 + 0.4 * noise(grid, 1.2, stretch=(5, 1))
    seat = 0.5 * np.exp(-(((grid.y - 82) / 8) ** 2)) * np.clip(-grid.z / 4, 0, 1)
    share = np.clip((thigh * middle + seat) * whiskers, 0, 1)
    return tint(color, (186, 200, 214), 0.3 * share)


def paint_pattern(grid: Grid) -> Image:
    """Return the cloth's colours, before threads."""
    color = fill(grid.look.color, grid.u)
    if grid.look.pattern == "stripes":
        step = (2.2, 4.0, 1.2)[grid.look.seed % 3]
        band = np.abs((grid.v / step) % 1 - 0.5) * step - 0.22 * step
        return tint(color, grid.look.second, soft(grid, band) * 0.92)
    if grid.look.pattern == "checks":
        return _checks(grid, color)
    if grid.look.pattern == "dots":
        step = 2.4
        row = np.floor(grid.v / step)
        du = ((grid.u / step + 0.5 * (row % 2)) % 1 - 0.5) * step
        dv = ((grid.v / step) % 1 - 0.5) * step
        return tint(color, grid.look.second, soft(grid, np.hypot(du, dv) - 0.45))
    if grid.look.pattern == "block":
        return tint(color, grid.look.second, soft(grid, 121.0 - grid.y))
    if grid.look.pattern == "print":
        return _print(grid, color)
    return color


def _checks(grid: Grid, color: Image) -> Image:
    step = (3.2, 5.5, 1.6)[grid.look.seed % 3]
    for along in (grid.u, grid.v):
        wide = np.abs((along / step) % 1 - 0.5) * step - 0.2 * step
        thin = np.abs((along / step) % 1 - 0.08) * step - 0.1
        color = tint(color, grid.look.second, 0.5 * soft(grid, wide))
        color = tint(color, grid.look.third, 0.45 * soft(grid, thin))
    return color


def _print(grid: Grid, color: Image) -> Image:
    """Print an image of rings, bars and letters on the chest."""
    rng = np.random.default_rng([grid.look.seed, 5])
    size = 256
    mask = np.zeros((size, size), np.uint8)
    kind = int(rng.integers(4))
    if kind == 0:
        word = "".join(rng.choice(list("AEIORSTNLMK"), 5))
        cv2.putText(mask, word, (8, 150), cv2.FONT_HERSHEY_DUPLEX, 2.6, 255, 8, cv2.LINE_AA)
        cv2.putText(mask, word[::-1], (60, 200), cv2.FONT_HERSHEY_PLAIN, 2.5, 190, 2, cv2.LINE_AA)
    elif kind == 1:
        for radius in (110, 84, 60):
            cv2.circle(mask, (128, 128), radius, 255, int(rng.integers(4, 14)), cv2.LINE_AA)
        cv2.putText(mask, str(rng.integers(10, 99)), (62, 160), cv2.FONT_HERSHEY_DUPLEX, 3, 255, 9,
                    cv2.LINE_AA)  # fmt: skip
    elif kind == 2:
        points = rng.integers(20, 236, (7, 2)).astype(np.int32)
        cv2.fillPoly(mask, [cv2.convexHull(points)], 255, cv2.LINE_AA)
        cv2.polylines(mask, [points], True, 60, 7, cv2.LINE_AA)
    else:
        cv2.putText(mask, str(rng.integers(10, 99)), (20, 210), cv2.FONT_HERSHEY_DUPLEX, 6, 255, 22,
                    cv2.LINE_AA)  # fmt: skip
    box = 17.0
    column = (grid.x / box + 0.5) * size - 0.5
    row = (0.5 - (grid.y - 119) / box) * size - 0.5
    shown = cv2.remap(mask, column.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR)
    front = (grid.z > 3) & (grid.fields[..., 4] < 0.3)
    worn = 0.9 - 0.12 * np.abs(noise(grid, 0.5))
    return tint(color, grid.look.second, worn * shown.astype(np.float32) / 255 * front)
