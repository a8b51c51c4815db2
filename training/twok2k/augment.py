"""Augmentation in batches, on the training device; what is drawn comes with the batch.

Dimension letters: B images, H rows, W columns. Images are RGB in 0..1 unless said otherwise.
Source: docs/networks.md, "Augmentation".
"""

from functools import reduce

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

LUMA = (0.299, 0.587, 0.114)
"""Weights of R, G, B in grey. Source: ITU-R BT.601."""

MASK_BLUR = (1 / 4, 2 / 4, 1 / 4)
SEAM_BLUR = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)
SEAM_FROM, SEAM_TO = 0.2, 0.8
SEAM_REACH = 5
"""Pixels: the seam lies up to 1 outside the mask, its filters read 3 further."""


def jitter_colors(
    image: Float[Tensor, "B 3 H W"], factors: Float[Tensor, "B 3"]
) -> Float[Tensor, "B 3 H W"]:
    """Blend each pixel with its own grey, with the image's mean grey, and with black.

    factors: on brightness b, contrast c and saturation s, in 0..1; with the grey g of each pixel
    and its mean m over the image: b (c (s x + (1 - s) g) + (1 - c) m).
    Factors up to 1 never leave 0..1, so nothing is clamped and the three changes commute: every
    order gives this.
    """
    brightness, contrast, saturation = factors.T[..., None, None, None]
    grey = _grey(image)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    saturated = saturation * image + (1 - saturation) * grey
    changed: Tensor = brightness * (contrast * saturated + (1 - contrast) * mean)
    return changed


def compose(
    person: Float[Tensor, "B 3 H W"],
    background: Float[Tensor, "B 3 H W"],
    inside: Bool[Tensor, "B 1 H W"],
) -> Float[Tensor, "B 3 H W"]:
    """Put the person before the background and smooth the seam along the mask.

    Only the window around the people is filtered: the seam lies nowhere else.
    """
    together = torch.where(inside, person, background)
    window = _window(inside)
    if window is None:
        return together
    near, mask = together[..., *window], inside[..., *window]
    softened = _separable(_median3(near), SEAM_BLUR)
    edge = _separable(mask.to(person), MASK_BLUR)
    seam = (edge >= SEAM_FROM) & (edge <= SEAM_TO)
    together[..., *window] = torch.where(seam, softened, near)
    return together


def _window(inside: Bool[Tensor, "B 1 H W"]) -> tuple[slice, slice] | None:
    """Return rows and columns of all people of the batch and as far around as the seam reads."""
    rows, columns = (torch.nonzero(inside.any(dim=dims)) for dims in ((0, 1, 3), (0, 1, 2)))
    if not rows.numel():
        return None
    first = [max(0, int(found.min()) - SEAM_REACH) for found in (rows, columns)]
    last = [int(found.max()) + SEAM_REACH + 1 for found in (rows, columns)]
    return slice(first[0], last[0]), slice(first[1], last[1])


def enlarge(image: Float[Tensor, "B 3 h w"], resolution: int) -> Float[Tensor, "B 3 H W"]:
    """Enlarge a background crop to the image's size, bilinear."""
    size = (resolution, resolution)
    return functional.interpolate(image, size=size, mode="bilinear", align_corners=False)


def _grey(image: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
    weights = image.new_tensor(LUMA)[None, :, None, None]
    grey: Tensor = (image * weights).sum(dim=1, keepdim=True)
    return grey


def _separable(values: Float[Tensor, "B C H W"], taps: tuple[float, ...]) -> Tensor:
    """Filter along rows and columns; the border is repeated.

    A sum of shifted images: on a CPU several times as fast as a grouped convolution.
    """
    height, width = values.shape[-2:]
    padded = functional.pad(values, (len(taps) // 2,) * 4, mode="replicate")
    shifted = (tap * padded[..., k : k + width] for k, tap in enumerate(taps))
    across = reduce(torch.add, shifted)
    return reduce(torch.add, (tap * across[..., k : k + height, :] for k, tap in enumerate(taps)))


def _median3(values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Return the median of each 3x3 neighbourhood, the border repeated.

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
