"""Images of rooms: a box with walls, floor, window and furniture blocks, cast ray by ray.

Room axes: x right, y up, z into the image; metres. The camera is inside, by the near wall.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from people.figure import Color, rng_for

CATEGORIES = ("livingroom", "office", "kitchen", "bedroom", "corridor", "classroom")
WALLS: tuple[Color, ...] = (
    (226, 220, 206), (204, 212, 214), (188, 200, 182), (222, 200, 176),
    (170, 184, 202), (214, 214, 210),
)  # fmt: skip
FLOORS: tuple[Color, ...] = (
    (150, 108, 70), (118, 84, 58), (166, 158, 146), (186, 150, 108),
    (104, 100, 98),
)  # fmt: skip
FURNITURE: tuple[Color, ...] = (
    (122, 78, 48), (70, 74, 82), (176, 60, 52), (58, 92, 118),
    (214, 206, 190), (92, 112, 78), (198, 150, 84),
)  # fmt: skip
BACKGROUND_PURPOSE = 1000
FOCAL = 0.95
"""Focal length in image heights: a wide room lens."""
PLANK_M, TILE_M = 0.14, 0.45


@dataclass(frozen=True, slots=True)
class Room:
    """A room's box, its colours, its window light and its furniture.

    low, high: corners of the box. boxes: (B, 2, 3) corners of the furniture. colors: (B, 3).
    light: where the window's light comes from.
    """

    low: Float32[np.ndarray, " 3"]
    high: Float32[np.ndarray, " 3"]
    wall: Color
    floor: Color
    planks: bool
    boxes: Float32[np.ndarray, "B 2 3"]
    colors: Float32[np.ndarray, "B 3"]
    light: Float32[np.ndarray, " 3"]


def draw_background(
    seed: int, index: int, *, width: int, height: int
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the image of one room, RGB: a pure function of its arguments."""
    rng = rng_for(seed, index, BACKGROUND_PURPOSE)
    room = draw_room(rng)
    rays = _rays(
        width, height, tilt=float(rng.uniform(-0.06, 0.02)), pan=float(rng.uniform(-0.3, 0.3))
    )
    eye = np.array([rng.uniform(-0.6, 0.6), rng.uniform(1.2, 1.6), 0.2], np.float32)
    color = cast_room(room, eye, rays)
    grain = rng.normal(0, 2.0, (height, width, 1)).astype(np.float32)
    image = cv2.GaussianBlur(color, (0, 0), max(0.6, height / 1200)) + grain
    clipped: UInt8[np.ndarray, "H W 3"] = np.clip(image, 0, 255).astype(np.uint8)
    return clipped


def background_name(index: int) -> str:
    """Return `<category>/<image>.jpg` of a background."""
    category = CATEGORIES[index % len(CATEGORIES)]
    return f"{category}/{category}_synth{index:04d}.jpg"


def draw_room(rng: np.random.Generator) -> Room:
    """Draw a room's size, colours and furniture."""
    half, depth, tall = rng.uniform(1.8, 3.2), rng.uniform(4.0, 7.5), rng.uniform(2.4, 3.1)
    boxes, colors = [], []
    for _ in range(int(rng.integers(5, 10))):
        for box, color in _furniture(rng, half, depth):
            boxes.append(box)
            colors.append(color)
    light = np.array([rng.choice((-1, 1)) * half * 0.8, tall * 0.8, rng.uniform(0.3, 0.8) * depth])
    return Room(
        low=np.array([-half, 0, 0], np.float32),
        high=np.array([half, tall, depth], np.float32),
        wall=WALLS[int(rng.integers(len(WALLS)))],
        floor=FLOORS[int(rng.integers(len(FLOORS)))],
        planks=bool(rng.integers(2)),
        boxes=np.array(boxes, np.float32),
        colors=np.array(colors, np.float32),
        light=light.astype(np.float32),
    )


def _furniture(
    rng: np.random.Generator, half: float, depth: float
) -> list[tuple[list[list[float]], Color]]:
    """Return the blocks of one piece by a wall: a cupboard, a table with legs, or a seat."""
    side = float(rng.choice((-1, 1)))
    long, wide, tall = rng.uniform(0.6, 1.6), rng.uniform(0.4, 0.7), rng.uniform(0.4, 2.0)
    z = rng.uniform(1.6, max(1.8, depth - long))
    x = side * (half - wide / 2)
    color = FURNITURE[int(rng.integers(len(FURNITURE)))]
    dark: Color = (color[0] * 2 // 3, color[1] * 2 // 3, color[2] * 2 // 3)

    def block(low_y: float, high_y: float, shrink: float) -> list[list[float]]:
        dx, dz = wide / 2 - shrink, long / 2 - shrink
        return [[x - dx, low_y, z - dz], [x + dx, high_y, z + dz]]

    kind = int(rng.integers(3))
    if kind == 0:
        return [(block(0.06, tall, 0), color), (block(0, 0.06, 0.05), dark)]
    if kind == 1:
        return [(block(0.70, 0.75, 0), color), (block(0, 0.70, 0.18), dark)]
    return [(block(0.1, 0.45, 0), color), (block(0.45, 0.85, 0.16), dark)]


def _rays(width: int, height: int, *, tilt: float, pan: float) -> Float32[np.ndarray, "H W 3"]:
    x = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / (FOCAL * height) + np.float32(pan)
    y = -(np.arange(height, dtype=np.float32) + 0.5 - height / 2) / (FOCAL * height) + np.float32(
        tilt
    )
    return np.stack([*np.meshgrid(x, y), np.ones((height, width), np.float32)], axis=-1)


def cast_room(
    room: Room, eye: Float32[np.ndarray, " 3"], rays: Float32[np.ndarray, "H W 3"]
) -> Float32[np.ndarray, "H W 3"]:
    """Return the lit colour that every ray from `eye` meets."""
    safe = np.where(np.abs(rays) < 1e-6, np.float32(1e-6), rays)
    exits = np.maximum((room.low - eye) / safe, (room.high - eye) / safe)
    reach, axis = exits.min(axis=-1), exits.argmin(axis=-1)
    point = eye + rays * reach[..., None]
    color = _paint_shell(room, point, axis)
    for box, paint in zip(room.boxes, room.colors, strict=True):
        one, two = (box[0] - eye) / safe, (box[1] - eye) / safe
        enter = np.minimum(one, two)
        start, stop = enter.max(axis=-1), np.maximum(one, two).min(axis=-1)
        hit = (start < stop) & (start > 0) & (start < reach)
        reach = np.where(hit, start, reach)
        axis = np.where(hit, enter.argmax(axis=-1), axis)
        color[hit] = paint
    return _light(room, eye + rays * reach[..., None], axis, color)


def _paint_shell(
    room: Room, point: Float32[np.ndarray, "H W 3"], axis: np.ndarray
) -> Float32[np.ndarray, "H W 3"]:
    color = np.empty_like(point)
    color[:] = room.wall
    x, y, z = (point[..., i] for i in range(3))
    floor = (axis == 1) & (y < 0.5)
    color[(axis == 1) & ~floor] = (240, 240, 236)
    size = PLANK_M if room.planks else TILE_M
    shade = np.sin(np.floor(x / size) * 12.9 + (0 if room.planks else np.floor(z / size) * 7.3))
    seam = (np.abs(x / size - np.round(x / size)) < 0.02).astype(np.float32)
    tone = 1 + 0.08 * shade - 0.25 * seam
    color[floor] = (np.array(room.floor, np.float32) * tone[..., None])[floor]
    color[(axis != 1) & (y < 0.09)] = (236, 234, 228)
    _hang_window(room, point, axis, color)
    return color


def _hang_window(
    room: Room,
    point: Float32[np.ndarray, "H W 3"],
    axis: np.ndarray,
    color: Float32[np.ndarray, "H W 3"],
) -> None:
    x, y, z = (point[..., i] for i in range(3))
    side = (axis == 0) & (np.sign(x) == np.sign(room.light[0]))
    across = np.abs(z - room.light[2])
    frame = side & (across < 0.85) & (y > 0.85) & (y < 2.15)
    pane = frame & (np.abs(across - 0.4) < 0.37) & (y > 0.92) & (y < 2.08)
    color[frame] = (244, 244, 240)
    color[pane] = (250, 252, 255)
    image = (axis == 2) & (np.abs(x + 0.4) < 0.45) & (np.abs(y - 1.6) < 0.32)
    canvas = (axis == 2) & (np.abs(x + 0.4) < 0.41) & (np.abs(y - 1.6) < 0.28)
    color[image] = (60, 48, 40)
    wave = 0.5 + 0.5 * np.sin(x * 9 + 3 * np.sin(y * 7))
    color[canvas] = (np.stack([90 + 120 * wave, 120 + 40 * wave, 190 - 90 * wave], -1))[canvas]


def _light(
    room: Room,
    point: Float32[np.ndarray, "H W 3"],
    axis: np.ndarray,
    color: Float32[np.ndarray, "H W 3"],
) -> Float32[np.ndarray, "H W 3"]:
    """Light by distance from the window, by the side a face shows, and darken the corners."""
    to_light = room.light - point
    distance = np.linalg.norm(to_light, axis=-1)
    facing = np.abs(np.take_along_axis(to_light, axis[..., None], axis=-1)[..., 0]) / (
        distance + 0.1
    )
    near = 1 / (1 + 0.12 * distance**2)
    gap = np.sort(np.minimum(point - room.low, room.high - point), axis=-1)[..., 1]
    corner = 1 - 0.35 * np.exp(-gap / 0.22)
    power = (0.5 + 0.35 * near + 0.35 * facing * near) * corner
    lit: Float32[np.ndarray, "H W 3"] = (color * np.clip(power, 0, 1.15)[..., None]).astype(
        np.float32
    )
    return lit
