"""Laying the normals of the parts back over the whole image, blended by occupancy weights.

Dimension letters: B images, P parts of a group, H and W of the full image, h and w of a crop.
Source: docs/networks.md, "Refinement net"; Other resolutions.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from schemas.body_parts import PUBLISHED_RESOLUTION, PartGroup, group_members
from schemas.train_forms import Occupancy
from training.twok2k.alignment import PartTransforms, cut_parts, lay_back

MARGIN_AT_2048 = 8
BLUR_AT_2048 = 15
BLUR_SIGMA_AT_2048 = 5.0
MIN_BLUR = 3
NORMAL_CHANNELS = 6


def occupancy(height: int, width: int, resolution: int) -> Float[Tensor, "h w"]:
    """Return a crop's weights in 0..1: 1 inside a margin, falling off by a Gaussian blur.

    The blur never reaches beyond the crop, so padding to the full image changes nothing.
    """
    return _blur(_shrunk(torch.ones(1, 1, height, width), resolution), resolution)[0, 0]


def part_weights(
    crop: tuple[int, int], chosen: PartTransforms, resolution: int
) -> Float[Tensor, "B P 1 h w"]:
    """Return the weights of crops that may leave the image: they fall off at its edge, too.

    Where a crop shows what lies outside the image its occupancy is 0 before the blur.
    """
    height, width = crop
    images = chosen.inverse.new_ones(len(chosen.inverse), 1, resolution, resolution)
    inside = _shrunk(cut_parts(images, chosen.inverse, (height, width)), resolution)
    return _blur(inside.flatten(0, 1), resolution).reshape(inside.shape)


def blend_normals(
    parts: Mapping[PartGroup, Float[Tensor, "B _ 6 _ _"]],
    transforms: PartTransforms,
    resolution: int,
    *,
    form: Occupancy = "published",
) -> Float[Tensor, "B 6 H W"]:
    """Warp every part's normals back and average them by occupancy; 0 where no part is.

    Not renormalised. A part without transform counts nothing. form "published": see
    part_weights; "crop": every crop counts as if all of it showed the image.
    """
    first = next(iter(parts.values()))
    shape = (first.shape[0], NORMAL_CHANNELS, resolution, resolution)
    weighted, weights = first.new_zeros(shape), first.new_zeros(shape)[:, :1]
    for group, crops in parts.items():
        for part in range(crops.shape[1]):
            one = transforms.select(group_members(group)[part : part + 1])
            laid = _lay_back_with_weight(crops[:, part : part + 1], one, resolution, form)
            weighted = weighted + laid[:, :-1] * laid[:, -1:]
            weights = weights + laid[:, -1:]
    return weighted / torch.where(weights > 0, weights, 1)


def _lay_back_with_weight(
    crop: Float[Tensor, "B 1 6 h w"], one: PartTransforms, resolution: int, form: Occupancy
) -> Float[Tensor, "B 7 H W"]:
    """Return normals and, as last channel, the occupancy weight of one part."""
    height, width = crop.shape[-2:]
    if form == "crop":
        weight = occupancy(height, width, resolution).expand(len(crop), 1, 1, -1, -1)
    else:
        weight = part_weights((height, width), one, resolution)
    counted = weight.to(crop) * one.valid[..., None, None, None]
    stacked = torch.cat([crop, counted], dim=2)
    return lay_back(stacked, one.fitted, resolution)[:, 0]


def _shrunk(weights: Float[Tensor, "*B h w"], resolution: int) -> Float[Tensor, "*B h w"]:
    """Set the margin of crops to 0, in place."""
    margin = max(1, round(MARGIN_AT_2048 * resolution / PUBLISHED_RESOLUTION))
    weights[..., :margin, :] = weights[..., -margin:, :] = 0
    weights[..., :margin] = weights[..., -margin:] = 0
    return weights


def _blur(weights: Float[Tensor, "N 1 h w"], resolution: int) -> Float[Tensor, "N 1 h w"]:
    kernel = _gaussian(resolution).to(weights)
    pad = kernel.numel() // 2
    along_rows = functional.conv2d(weights, kernel.view(1, 1, 1, -1), padding=(0, pad))
    blurred: Tensor = functional.conv2d(along_rows, kernel.view(1, 1, -1, 1), padding=(pad, 0))
    return blurred


def _gaussian(resolution: int) -> Float[Tensor, " k"]:
    ratio = resolution / PUBLISHED_RESOLUTION
    size = max(MIN_BLUR, 2 * round((BLUR_AT_2048 * ratio - 1) / 2) + 1)
    offset = torch.arange(size) - size // 2
    bell = torch.exp(-(offset**2) / (2 * (BLUR_SIGMA_AT_2048 * ratio) ** 2))
    return bell / bell.sum()
