"""Noise over texels: smooth fields of a chosen size, spots, fine grain."""

import cv2
import numpy as np
from jaxtyping import Float32

Field = Float32[np.ndarray, "H W"]


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], size_px: float) -> Field:
    """Return noise of unit deviation whose bumps are about `size_px` wide."""
    height, width = shape
    small = (max(2, round(height / size_px) + 1), max(2, round(width / size_px) + 1))
    values = rng.standard_normal(small).astype(np.float32)
    field = cv2.resize(values, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field, np.float32)


def fine_grain(rng: np.random.Generator, shape: tuple[int, int], size: int = 512) -> Field:
    """Return white noise of unit deviation; a tile of `size` texels is repeated."""
    tile = rng.standard_normal((size, size)).astype(np.float32)
    times = (shape[0] // size + 1, shape[1] // size + 1)
    return np.tile(tile, times)[: shape[0], : shape[1]]


def spots(
    rng: np.random.Generator, shape: tuple[int, int], count: int, radius_px: tuple[float, float]
) -> Field:
    """Return soft discs of 0 to 1 at random places; radius_px: smallest and largest."""
    field = np.zeros(shape, np.uint8)
    rows, columns = rng.integers(0, shape[0], count), rng.integers(0, shape[1], count)
    radii = radius_px[0] + (radius_px[1] - radius_px[0]) * rng.random(count) ** 3
    strength = rng.integers(90, 256, count)
    for row, column, radius, value in zip(rows, columns, radii, strength, strict=True):
        centre = (int(column * 16), int(row * 16))
        cv2.circle(field, centre, max(4, int(radius * 16)), int(value), -1, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(field, (0, 0), 0.6), np.float32) / 255
