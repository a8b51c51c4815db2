"""Augmentation in batches, on the training device; what is drawn comes with the batch.

Dimension letters: B images, H rows, W columns. Images are RGB in 0..1 unless said otherwise.
Source: docs/networks.md, "Augmentation".
"""

from collections.abc import Sequence
from functools import reduce

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int, UInt8
from torch import Tensor
from torch.nn import functional

from training.data.tensor_batch import stack_arrays

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in grey. Source: ITU-R BT.601."""

MASK_BLUR = (1, 2, 1)
SEAM_BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
SEAM_FROM, SEAM_TO = 0.2, 0.8
SEAM_REACH = 5
"""Pixels: the seam lies up to 1 outside the mask, its filters read 3 further."""

RGB, WHITE = 3, 255


Window = tuple[slice, slice]
"""Rows and columns."""


def jitter_colors(
    image: Float[Tensor, "B 3 H W"],
    factors: Float[Tensor, "B 3"],
    mean_grey: Float[Tensor, " B"] | None = None,
) -> Float[Tensor, "B 3 H W"]:
    """Blend each pixel with its own grey, with the image's mean grey, and with black.

    factors: on brightness b, contrast c and saturation s, in 0..1; with the grey g of each pixel
    and its mean m over the image: b (c (s x + (1 - s) g) + (1 - c) m). mean_grey: m where `image`
    is a part of it.
    Factors up to 1 never leave 0..1, so nothing is clamped and the three changes commute: every
    order gives this.
    """
    brightness, contrast, saturation = factors.T[..., None, None, None]
    grey = _grey(image)
    whole = grey.mean(dim=(2, 3)) if mean_grey is None else mean_grey[:, None]
    mean = whole[..., None, None]
    changed: Tensor = saturation * image  # what follows writes into it: fresh memory is slow
    changed.add_((1 - saturation) * grey).mul_(contrast).add_((1 - contrast) * mean)
    return changed.mul_(brightness)


def measure_grey(images: Sequence[UInt8[np.ndarray, "H W 3"]]) -> Float[Tensor, " B"]:
    """Return the mean grey of images of RGB 0..255, in 0..1: of exact sums, on any machine."""
    sums = np.array([cv2.sumElems(image)[:RGB] for image in images]).reshape(-1, RGB)
    pixels = np.array([[image.shape[0] * image.shape[1]] for image in images]).reshape(-1, 1)
    return torch.from_numpy((sums / (WHITE * pixels) @ np.array(LUMA)).astype(np.float32))


def people_window(depth: Float[Tensor, "B 1 H W"]) -> Window | None:
    """Return where all people of the batch are and as far around as the seam reads.

    depth: 0 where nobody is, and nowhere less.
    """
    rows = _span(depth.amax(dim=(0, 1, 3)))
    if rows is None:
        return None
    columns = _span(depth[:, :, rows].amax(dim=(0, 1, 2)))
    return None if columns is None else (rows, columns)


def _span(depth: Float[Tensor, " side"]) -> slice | None:
    places = torch.nonzero(depth > 0)
    if not places.numel():
        return None
    return slice(max(0, int(places[0]) - SEAM_REACH), int(places[-1]) + SEAM_REACH + 1)


def compose(
    person: Float[Tensor, "B 3 H W"],
    background: Float[Tensor, "B 3 H W"],
    inside: Bool[Tensor, "B 1 H W"],
) -> Float[Tensor, "B 3 H W"]:
    """Put the person before the background and smooth the seam along the mask.

    Equal on the whole image and on `people_window`: the seam lies nowhere else.
    """
    together = torch.where(inside, person, background)
    edge = _separable(functional.pad(inside.byte(), (1, 1, 1, 1), mode="replicate"), MASK_BLUR)
    whole = sum(MASK_BLUR) ** 2
    seam = (edge >= SEAM_FROM * whole) & (edge <= SEAM_TO * whole)
    place, _, row, column = torch.nonzero(seam, as_tuple=True)
    together[place, :, row, column] = _soften(_median3(together), place, row, column)
    return together


def _soften(
    values: Float[Tensor, "B C H W"],
    place: Int[Tensor, " N"],
    row: Int[Tensor, " N"],
    column: Int[Tensor, " N"],
) -> Float[Tensor, "N C"]:
    """Filter by SEAM_BLUR both ways at some pixels; the border is repeated."""
    height, width = values.shape[-2:]
    reach = torch.arange(len(SEAM_BLUR), device=values.device) - len(SEAM_BLUR) // 2
    rows = (row[:, None] + reach).clamp(0, height - 1)
    columns = (column[:, None] + reach).clamp(0, width - 1)
    near = values.permute(0, 2, 3, 1)[place[:, None, None], rows[:, :, None], columns[:, None, :]]
    across = _weigh(near.unbind(dim=2))
    return _weigh(across.unbind(dim=1))


def _weigh(values: Sequence[Tensor]) -> Tensor:
    return reduce(torch.add, (tap * one for tap, one in zip(SEAM_BLUR, values, strict=True)))


def enlarge(image: Float[Tensor, "B 3 h w"], resolution: int) -> Float[Tensor, "B 3 H W"]:
    """Enlarge a background crop to the image's size, bilinear."""
    size = (resolution, resolution)
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


def _grey(image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
    weights = image.new_tensor(LUMA)[None, :, None, None]
    grey: Tensor = (image * weights).sum(dim=1, keepdim=True)
    return grey


def _separable(padded: Tensor, taps: tuple[int, ...]) -> Tensor:
    """Filter along rows and columns of (..., H, W), of which the taps' width less one is lost.

    A sum of shifted images: on a CPU several times as fast as a grouped convolution.
    """
    height, width = (side - len(taps) + 1 for side in padded.shape[-2:])
    shifted = (tap * padded[..., k : k + width] for k, tap in enumerate(taps))
    across = reduce(torch.add, shifted)
    return reduce(torch.add, (tap * across[..., k : k + height, :] for k, tap in enumerate(taps)))


def _median3(values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Return the median of each 3x3 neighbourhood, the border repeated."""
    if values.device.type != "cpu":
        return sorted_median3(values)
    images = values.permute(0, 2, 3, 1).numpy()
    medians: list[Float32[np.ndarray, "H W C"]] = [
        cv2.medianBlur(np.ascontiguousarray(image), 3) for image in images
    ]
    return stack_arrays(medians).permute(0, 3, 1, 2)


def sorted_median3(values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Return the median of each 3x3 neighbourhood on any device, the border repeated.

    Sorting columns of three first needs 19 comparisons instead of a sort of nine: the median is
    the median of (largest minimum, middle of the middles, smallest maximum).
    """
    padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    low, middle, high = _sort3(padded[..., :-2, :], padded[..., 1:-1, :], padded[..., 2:, :])
    lows = torch.maximum(torch.maximum(low[..., :-2], low[..., 1:-1]), low[..., 2:])
    highs = torch.minimum(torch.minimum(high[..., :-2], high[..., 1:-1]), high[..., 2:])
    middles = _sort3(middle[..., :-2], middle[..., 1:-1], middle[..., 2:])[1]
    return _sort3(lows, middles, highs)[1]


def _sort3(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    top = torch.maximum(high, c)
    rest = torch.minimum(high, c)
    return torch.minimum(low, rest), torch.maximum(low, rest), top
