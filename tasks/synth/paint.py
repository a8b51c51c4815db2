"""The texture: every texel knows its rest point and gets its colour from it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from tasks.synth.atlas import Atlas
from tasks.synth.body import Body
from tasks.synth.figure import Figure
from tasks.synth.shapes import Points
from tasks.synth.texels import texel_cells


@dataclass(frozen=True, slots=True)
class Canvas:
    """What the painter knows of a figure: its shape, its atlas, its points at rest and posed."""

    body: Body
    atlas: Atlas
    rest: Points
    posed: Float64[np.ndarray, "V 3"]


def paint_texture(figure: Figure, canvas: Canvas, texture_size: int) -> UInt8[np.ndarray, "S S 3"]:
    """Paint all parts of a figure."""
    texture = np.zeros((texture_size, texture_size, 3), np.uint8)
    for cell in texel_cells(canvas.atlas, canvas.rest, texture_size):
        point = cell.values
        color = np.full((*point.shape[:2], 3), figure.skin_color, np.float32)
        x, y = np.abs(point[..., 0]), point[..., 1]
        color[(y < 145) & (x < 34)] = figure.top_color
        color[(y < 100) & (x < 34)] = figure.bottom_color
        color[(y < 8)] = figure.shoe_color
        color[(y > 168)] = figure.hair_color
        wave = np.sin(point * 2.1).prod(axis=-1, keepdims=True)
        texture[cell.rows, cell.columns] = np.clip(color * (1 + 0.12 * wave), 0, 255)
    return texture
