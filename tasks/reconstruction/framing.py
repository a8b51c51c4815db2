"""What the nets see of a photograph: a square window, scaled; its border is repeated outside.

Pixels: corner origin, x to the right, y down.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

PERSON_HEIGHT, PERSON_WIDTH = 0.75, 0.9
"""Shares of the window that a person may take: as high as placed scans are in training."""


@dataclass(frozen=True, slots=True)
class Window:
    """A square of the photograph, which may reach beyond it: left, top, side in its pixels."""

    left: float
    top: float
    side: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the photograph lies in the square: pixel = scale * (photo pixel - origin) + offset.

    rows, columns: the part of the photograph that the window holds (start, stop). scale: along x
    and y, which differ by rounding to whole pixels alone. offset: of that part's corner.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[int, int]
    resolution: int


def whole_window(height: int, width: int) -> Window:
    """Return the square around the middle of all of the photograph (published)."""
    side = max(height, width)
    return Window((width - side) / 2, (height - side) / 2, side)


def person_window(extent: tuple[float, float, float, float]) -> Window:
    """Return the square in which a person is as high as in training.

    extent: left, top, right, bottom of the person.
    """
    left, top, right, bottom = extent
    side = max((bottom - top) / PERSON_HEIGHT, (right - left) / PERSON_WIDTH, 1.0)
    return Window((left + right - side) / 2, (top + bottom - side) / 2, side)


def place(window: Window, height: int, width: int, resolution: int) -> Placement:
    """Say how a photograph of this size is put into a square of `resolution` pixels."""
    rows = _span(window.top, window.side, height)
    columns = _span(window.left, window.side, width)
    scale = resolution / window.side
    spans = (columns, rows)
    offset = [
        round((span[0] - start) * scale)
        for span, start in zip(spans, (window.left, window.top), strict=True)
    ]
    offset = [min(max(one, 0), resolution - 1) for one in offset]
    sizes = [
        min(max(1, round((span[1] - span[0]) * scale)), resolution - first)
        for span, first in zip(spans, offset, strict=True)
    ]
    x, y = (size / (span[1] - span[0]) for size, span in zip(sizes, spans, strict=True))
    return Placement(rows, columns, (x, y), (offset[0], offset[1]), resolution)


def put_image(image: UInt8[np.ndarray, "H W 3"], put: Placement) -> UInt8[np.ndarray, "R R 3"]:
    """Scale the photograph into the square and repeat its border around it."""
    part = _scaled(image, put, cv2.INTER_AREA if max(put.scale) < 1 else cv2.INTER_CUBIC)
    return _bordered(part, put, cv2.BORDER_REPLICATE)


def put_mask(mask: Bool[np.ndarray, "H W"], put: Placement) -> Bool[np.ndarray, "R R"]:
    """Scale a mask into the square; nothing is inside beyond the photograph."""
    share = _scaled(mask.astype(np.float32), put, cv2.INTER_AREA)
    return _bordered(share, put, cv2.BORDER_CONSTANT) > 1 / 2


def put_labels(labels: UInt8[np.ndarray, "H W C"], put: Placement) -> UInt8[np.ndarray, "R R C"]:
    """Scale an image of labels into the square without mixing them; 0 beyond it."""
    return _bordered(_scaled(labels, put, cv2.INTER_NEAREST), put, cv2.BORDER_CONSTANT)


def put_points(points: Float[np.ndarray, "N 2"], put: Placement) -> Float[np.ndarray, "N 2"]:
    """Move points (x, y) of the photograph into the square."""
    origin = (put.columns[0], put.rows[0])
    moved: Float[np.ndarray, "N 2"] = (points - origin) * put.scale + put.offset
    return moved


def _span(start: float, side: float, limit: int) -> tuple[int, int]:
    """Return the whole pixels of an axis that the window holds, one at least."""
    first = min(max(0, round(start)), limit - 1)
    return first, max(first + 1, min(limit, round(start + side)))


def _scaled(image: np.ndarray, put: Placement, interpolation: int) -> np.ndarray:
    part = image[slice(*put.rows), slice(*put.columns)]
    width, height = (
        round(length * scale)
        for length, scale in zip((part.shape[1], part.shape[0]), put.scale, strict=True)
    )
    return cv2.resize(part, (width, height), interpolation=interpolation)


def _bordered(part: np.ndarray, put: Placement, border: int) -> np.ndarray:
    left, top = put.offset
    right, bottom = (
        put.resolution - start - size
        for start, size in zip(put.offset, (part.shape[1], part.shape[0]), strict=True)
    )
    return cv2.copyMakeBorder(part, top, bottom, left, right, border)
