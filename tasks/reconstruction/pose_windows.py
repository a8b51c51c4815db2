"""Turned square windows of a photograph, in which the pose networks see.

Pixels: corner origin, x to the right, y down; angles clockwise, as seen.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Float32, UInt8

MAX_SHRINKING = 2.0
"""Bilinear sampling may leave out at most every other pixel; before, the photograph is shrunk."""


@dataclass(frozen=True, slots=True)
class TurnedWindow:
    """A square of side `side` around (x, y), whose upright is turned by `angle` (radians)."""

    x: float
    y: float
    side: float
    angle: float

    def to_photo(self, points: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        """Move points of the window (0..1) to the photograph."""
        offset = (points - 1 / 2) * self.side
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        x = self.x + cos * offset[:, 0] - sin * offset[:, 1]
        y = self.y + sin * offset[:, 0] + cos * offset[:, 1]
        return np.stack([x, y], axis=1)


def look_through(
    image: UInt8[np.ndarray, "H W 3"], window: TurnedWindow, size: int
) -> Float32[np.ndarray, "size size 3"]:
    """Cut a window out at size x size, 0..1; black beyond the photograph."""
    shrink = window.side / size / MAX_SHRINKING
    scale = 1.0
    if shrink > 1:
        width, height = (max(1, round(n / shrink)) for n in (image.shape[1], image.shape[0]))
        scale = width / image.shape[1]
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    cut = cv2.warpAffine(
        image, _matrix(window, size, scale), (size, size),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    return cut.astype(np.float32) / np.float32(255)


def lay_on_photo(
    values: Float32[np.ndarray, "s s"], window: TurnedWindow, height: int, width: int
) -> Float32[np.ndarray, "H W"]:
    """Lay what a network said of a window over the photograph; 0 beyond the window."""
    forward = _matrix(window, values.shape[0], 1.0)
    return cv2.warpAffine(
        values, forward, (width, height), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip


def _matrix(window: TurnedWindow, size: int, scale: float) -> Float[np.ndarray, "2 3"]:
    """Return what moves centres of the window's pixels to those of the (scaled) photograph."""
    step = window.side / size * scale
    cos, sin = step * math.cos(window.angle), step * math.sin(window.angle)
    middle = (size - 1) / 2
    x, y = window.x * scale - 1 / 2, window.y * scale - 1 / 2
    return np.array([
        [cos, -sin, x - cos * middle + sin * middle], [sin, cos, y - sin * middle - cos * middle],
    ])  # fmt: skip
