"""The square window of a frame around the person, and images cut and scaled to 256 x 256.

Pixels: corner origin of the source image. The window may reach beyond the image where the
person is at its border; what lies there is black.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Int, UInt8

from schemas.codecs import bounding_window
from schemas.pairing import FRAME_SIDE_PX

_HALF_LEVEL = 127


@dataclass(frozen=True, slots=True)
class Box:
    """A box of whole pixels: left and top included, right and bottom not."""

    left: int
    top: int
    right: int
    bottom: int

    def joined(self, other: "Box") -> "Box":
        """Return the smallest box that holds both."""
        return Box(
            min(self.left, other.left), min(self.top, other.top),
            max(self.right, other.right), max(self.bottom, other.bottom),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crop:
    """A square window of whole pixels of the source image."""

    left: int
    top: int
    side: int

    @property
    def window(self) -> tuple[float, float, float, float]:
        """Return left, top, width, height: what a frame stores."""
        return float(self.left), float(self.top), float(self.side), float(self.side)


WHOLE = Crop(0, 0, FRAME_SIDE_PX)


def box_of(mask: Bool[np.ndarray, "H W"]) -> Box:
    """Return the person's box; the mask must not be empty."""
    left, top, right, bottom = bounding_window(mask)
    return Box(left, top, right + 1, bottom + 1)


def choose_crop(box: Box, *, height: int, width: int, fill: float) -> Crop:
    """Return the window in which the box takes the share `fill`, centred on the box.

    Where the window is smaller than the image it is moved inside.
    """
    side = int(np.ceil(max(box.right - box.left, box.bottom - box.top) / fill))
    left = _keep_inside((box.left + box.right - side) // 2, side, width)
    top = _keep_inside((box.top + box.bottom - side) // 2, side, height)
    return Crop(left, top, side)


def crop_color(image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> UInt8[np.ndarray, "256 256 3"]:
    """Cut and scale an image: area means when it shrinks, bicubic when it grows."""
    if crop == WHOLE and image.shape[:2] == (FRAME_SIDE_PX, FRAME_SIDE_PX):
        return image
    shrinks = crop.side > FRAME_SIDE_PX
    scaled: UInt8[np.ndarray, "256 256 3"] = cv2.resize(
        _cut(image, crop), (FRAME_SIDE_PX, FRAME_SIDE_PX),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC,
    )  # fmt: skip
    return scaled


def crop_mask(mask: Bool[np.ndarray, "H W"], crop: Crop) -> Bool[np.ndarray, "256 256"]:
    """Cut and scale a mask: inside is what is covered by half."""
    levels = mask.astype(np.uint8) * np.uint8(2 * _HALF_LEVEL + 1)
    scaled: Bool[np.ndarray, "256 256"] = (
        crop_color(np.repeat(levels[..., None], 3, axis=-1), crop)[..., 0] > _HALF_LEVEL
    )
    return scaled


def crop_iuv(iuv: UInt8[np.ndarray, "H W 3"], crop: Crop) -> UInt8[np.ndarray, "256 256 3"]:
    """Cut and scale an IUV image: the source pixel under each pixel's centre, never a mean."""
    rows = _nearest(crop.top, crop.side)
    columns = _nearest(crop.left, crop.side)
    inside = _is_inside(rows, iuv.shape[0])[:, None] & _is_inside(columns, iuv.shape[1])[None, :]
    found = iuv[np.clip(rows, 0, iuv.shape[0] - 1)][:, np.clip(columns, 0, iuv.shape[1] - 1)]
    return np.where(inside[..., None], found, np.uint8(0))


def _keep_inside(start: int, side: int, length: int) -> int:
    return start if side > length else min(max(start, 0), length - side)


def _cut(image: UInt8[np.ndarray, "H W 3"], crop: Crop) -> UInt8[np.ndarray, "S S 3"]:
    height, width = image.shape[:2]
    window = np.zeros((crop.side, crop.side, 3), np.uint8)
    top, left = max(crop.top, 0), max(crop.left, 0)
    bottom, right = min(crop.top + crop.side, height), min(crop.left + crop.side, width)
    inside = np.s_[top - crop.top : bottom - crop.top, left - crop.left : right - crop.left]
    window[inside] = image[top:bottom, left:right]
    return window


def _nearest(start: int, side: int) -> Int[np.ndarray, " 256"]:
    steps = (np.arange(FRAME_SIDE_PX) + 0.5) * side / FRAME_SIDE_PX
    return start + np.floor(steps).astype(np.int64)


def _is_inside(places: Int[np.ndarray, " 256"], length: int) -> Bool[np.ndarray, " 256"]:
    inside: Bool[np.ndarray, " 256"] = (places >= 0) & (places < length)
    return inside
