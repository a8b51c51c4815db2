"""Colours over texels: layers, soft edges, grain."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32

from people.figure import Color

GRAIN_SIZE = 512
GRAIN_OCTAVES = 6

Plane = Float[np.ndarray, "H W"]
Tile = Float32[np.ndarray, "G G"]
Image = Float[np.ndarray, "H W 3"]


@dataclass(frozen=True, slots=True)
class Layer:
    """Paint and how much of it lies on each texel (0..1)."""

    color: Image
    alpha: Plane


def blend(below: Image, layer: Layer) -> Image:
    """Lay a layer over an image."""
    alpha = layer.alpha[..., None]
    mixed: Image = below + (layer.color - below) * alpha
    return mixed


def tint(below: Image, color: Color, alpha: Plane) -> Image:
    """Lay one colour over an image."""
    rows, columns = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return below
    mixed = below.copy()
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    part, share = mixed[box], alpha[box][..., None]
    part += (np.array(color, np.float32) - part) * share.astype(part.dtype)
    return mixed


def darken(color: Image, share: Plane) -> Image:
    """Take a share (0..1) of the light off an image."""
    darker: Image = color * (1 - share)[..., None]
    return darker


def fill(color: Color, like: Plane) -> Image:
    """Return an image of one colour."""
    image = np.empty((*like.shape, 3), np.float32)
    image[:] = color
    return image


def edge_alpha(cover: Plane, shift: float = 0.0, width: float = 0.12) -> Plane:
    """Return 1 where a cover is negative, 0 where it is positive, soft over `width` centimetres."""
    alpha: Plane = np.clip(0.5 - (cover + np.float32(shift)) / np.float32(width), 0, 1)
    return alpha


def line_alpha(field: Plane, width: float) -> Plane:
    """Return 1 on the zero line of a field, 0 beyond half of `width` centimetres."""
    alpha: Plane = np.clip(1.5 - 2 * np.abs(field) / np.float32(width), 0, 1)
    return alpha


def bump(field: Plane, width: float) -> Plane:
    """Return a soft bump of height 1 around the field's zero."""
    share = field / np.float32(width)
    return np.exp(-share * share)


def grain_tile(seed: int) -> Tile:
    """Return a square of fine noise of several sizes, about -1..1, that tiles seamlessly."""
    rng = np.random.default_rng([seed, GRAIN_SIZE])
    total = np.zeros((GRAIN_SIZE, GRAIN_SIZE), np.float32)
    for octave in range(GRAIN_OCTAVES):
        raw = rng.standard_normal((GRAIN_SIZE, GRAIN_SIZE)).astype(np.float32)
        if octave:
            wide = cv2.copyMakeBorder(raw, 64, 64, 64, 64, cv2.BORDER_WRAP)
            soft = cv2.GaussianBlur(wide, (0, 0), 2.0**octave / 2)
            raw = soft[64:-64, 64:-64].astype(np.float32)
        total += raw / raw.std() / GRAIN_OCTAVES
    grain: Tile = (total / np.abs(total).max()).astype(np.float32)
    return grain


def tile_over(tile: Tile, shape: tuple[int, int], shift: int = 0) -> Plane:
    """Repeat a tile over an image's shape."""
    times = (shape[0] // len(tile) + 2, shape[1] // len(tile) + 2)
    return np.tile(tile, times)[shift : shift + shape[0], shift : shift + shape[1]]
