"""Draw people on a sheet to be looked at: whole on a studio's floor, or their heads alone.

Drawn by the project's own rasteriser, without perspective, all at one scale, at RESOLUTION and then
averaged down; lit in linear light by a large soft lamp, a fill and the sky, with a shadow below.
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, UInt8

from renderers.egl import GLContext
from renderers.rasterizer import Rasterizer
from schemas.camera import camera_orthographic
from schemas.scan import Mesh

Picture = UInt8[np.ndarray, "H W 3"]

RESOLUTION, CELL_PX, HEAD_PX = 2048, 640, 300
TALL_CM, FLOOR_CM, SHARE = 206.0, 7.0, 0.47
"""Height that a cell shows, how much of it lies below the floor, and its width over its height."""
HEAD_CM, HEAD_DOWN_CM, HEAD_SLICE_CM = 36.0, 14.0, 20.0
HALF_EXTENT = float(np.tan(np.radians(25)))
"""Of the orthographic camera, `schemas.camera`."""
PAPER = (214, 217, 222)
GAMMA = 2.2
LAMPS: tuple[tuple[tuple[float, float, float], float, float], ...] = (
    ((-0.55, -0.55, -0.65), 0.62, 0.25),
    ((0.75, -0.15, -0.65), 0.24, 0.35),
    ((0.0, -1.0, 0.15), 0.16, 0.5),
)
"""Direction towards each (camera axes: x right, y down, z away), power, how far it wraps around."""
SKY = 0.34
SHADOW, SHADOW_CM = 0.42, (3.0, 9.0)


def draw_cell(context: GLContext, mesh: Mesh, *, head: bool = False) -> Picture:
    """Draw one person from the front; head: only that."""
    used = mesh.used_vertices
    low, high = used.min(axis=0), used.max(axis=0)
    if head:
        crown = used[used[:, 1] > high[1] - HEAD_SLICE_CM].mean(axis=0)
        middle, tall = np.array([crown[0], high[1] - HEAD_DOWN_CM, crown[2]]), HEAD_CM
    else:
        middle = np.array([0.5 * (low + high)[0], low[1] + TALL_CM / 2 - FLOOR_CM, 0.0])
        tall = TALL_CM
    image = _draw(context, mesh, middle, tall, floor=not head)
    wide = RESOLUTION if head else int(SHARE * RESOLUTION)
    start = (RESOLUTION - wide) // 2
    cut = image[:, start : start + wide]
    high = HEAD_PX if head else CELL_PX
    size = (round(cut.shape[1] * high / RESOLUTION), high)
    return cv2.resize(cut, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


def _draw(
    context: GLContext, mesh: Mesh, middle: Float64[np.ndarray, " 3"], tall: float, *, floor: bool
) -> Picture:
    scale = 2 * HALF_EXTENT / tall
    place = np.diag([scale, scale, scale, 1.0])
    place[:3, 3] = -scale * middle
    with Rasterizer(context, mesh) as rasterizer:
        front = rasterizer.draw(camera_orthographic(RESOLUTION), place).front
    mask = front.triangle >= 0
    paper = (np.array(PAPER, np.float32) / 255) ** GAMMA
    ground = np.broadcast_to(paper, (*mask.shape, 3))
    if floor:
        ground = ground * (1 - _shadow(mask, RESOLUTION / tall))[..., None]
    lit = (front.color.astype(np.float32) / 255) ** GAMMA * _power(front.normal)[..., None]
    image = np.where(mask[..., None], lit, ground)
    shown: Picture = (255 * np.clip(image, 0, 1) ** (1 / GAMMA) + 0.5).astype(np.uint8)
    return shown


def _power(normal: Float32[np.ndarray, "H W 3"]) -> Float32[np.ndarray, "H W"]:
    power = np.full(normal.shape[:2], SKY, np.float32)
    for direction, strength, wrap in LAMPS:
        towards = np.array(direction, np.float32) / np.linalg.norm(direction)
        power += strength * np.clip((normal @ towards + wrap) / (1 + wrap), 0, 1)
    return power


def _shadow(mask: Bool[np.ndarray, "H W"], px_a_cm: float) -> Float32[np.ndarray, "H W"]:
    """Return how dark the floor is: what is low, flattened and blurred."""
    floor = round(len(mask) - FLOOR_CM * px_a_cm)
    band = mask[floor - round(8 * px_a_cm) : floor].mean(axis=0).astype(np.float32)
    dark = np.zeros(mask.shape, np.float32)
    thick = round(1.2 * px_a_cm)
    dark[floor - thick : floor + thick] = np.minimum(1.0, 2 * band)
    down, aside = (size * px_a_cm for size in SHADOW_CM)
    soft = 0.5 * cv2.GaussianBlur(dark, (0, 0), sigmaX=aside, sigmaY=down)
    soft += 0.5 * cv2.GaussianBlur(dark, (0, 0), sigmaX=aside / 4, sigmaY=down / 4)
    return np.asarray(SHADOW * np.clip(1.6 * soft, 0, 1), np.float32)


def lay_out(images: list[Picture], columns: int) -> Picture:
    """Lay pictures of one height in rows, the last one filled up with paper."""
    wide = max(image.shape[1] for image in images)
    blank = np.full((images[0].shape[0], wide, 3), PAPER, np.uint8)
    cells = images + [blank] * (-len(images) % columns)
    rows = [np.concatenate(cells[k : k + columns], axis=1) for k in range(0, len(cells), columns)]
    return np.concatenate(rows)
