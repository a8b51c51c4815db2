"""A person over a background: crop, lay over, treat the seam.

Source: docs/2k2k-dataset.md and docs/networks.md, "Augmentation" (the seam along the mask).
"""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.codecs import bounding_window

CROP_SIDE = 2048
"""Pixels of a background that an image shows where it has them: the published crop."""

SEAM_RANGE = (0.2, 0.8)
SEAM_MEDIAN = 3
_BLUR_MASK = np.array([1, 2, 1], np.float32) / np.float32(4)
_BLUR_COLOR = np.array([1, 4, 6, 4, 1], np.float32) / np.float32(16)
_MARGIN = 6
"""Pixels around the person that the filters reach."""


def crop_side(width: int, height: int, resolution: int) -> int:
    """Return the side, in its own pixels, of the square that a background gives to an image.

    It is the published 2048 (or the resolution, when larger), or all that the image has: so a
    image is enlarged by the least that covers the crop, and shrunk when it has more.
    """
    return min(width, height, max(resolution, CROP_SIDE))


def crop_background(
    image: UInt8[np.ndarray, "BH BW 3"], resolution: int, rng: np.random.Generator
) -> UInt8[np.ndarray, "R R 3"]:
    """Take a random square of a background and bring it to the resolution."""
    height, width = image.shape[:2]
    side = crop_side(width, height, resolution)
    left = int(rng.integers(width - side + 1))
    top = int(rng.integers(height - side + 1))
    square = image[top : top + side, left : left + side]
    if side == resolution:
        return np.ascontiguousarray(square)
    method = cv2.INTER_AREA if side > resolution else cv2.INTER_CUBIC
    resized: UInt8[np.ndarray, "R R 3"] = cv2.resize(
        square, (resolution, resolution), interpolation=method
    )
    return resized


def composite(
    person: UInt8[np.ndarray, "H W 3"],
    mask: Bool[np.ndarray, "H W"],
    background: UInt8[np.ndarray, "H W 3"],
    *,
    filter_seam: bool = True,
) -> UInt8[np.ndarray, "H W 3"]:
    """Lay the person over the background and, by default, filter the seam between them."""
    image = background.copy()
    left, top, right, bottom = bounding_window(mask)
    height, width = mask.shape
    window = np.s_[
        max(top - _MARGIN, 0) : min(bottom + 1 + _MARGIN, height),
        max(left - _MARGIN, 0) : min(right + 1 + _MARGIN, width),
    ]
    # OpenCV copies where a mask is set at twenty times the speed of NumPy.
    cv2.copyTo(person[window], mask[window].view(np.uint8), image[window])
    if filter_seam:
        image[window] = filter_seam_of(image[window], mask[window])
    return image


def filter_seam_of(
    image: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Replace the seam by a median of 3 x 3 and then [1 4 6 4 1] / 16 both ways.

    The seam is where the mask, blurred by [1 2 1] / 4 both ways, lies in 0.2..0.8.
    """
    soft: Float32[np.ndarray, "H W"] = cv2.sepFilter2D(
        mask.astype(np.float32), cv2.CV_32F, _BLUR_MASK, _BLUR_MASK
    )
    seam = (soft >= SEAM_RANGE[0]) & (soft <= SEAM_RANGE[1])
    treated: UInt8[np.ndarray, "H W 3"] = image.copy()
    median = cv2.medianBlur(treated, SEAM_MEDIAN)
    smooth = cv2.sepFilter2D(median, -1, _BLUR_COLOR, _BLUR_COLOR)
    cv2.copyTo(smooth, seam.view(np.uint8), treated)
    return treated
