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
from training.twok2k.alignment import PartTransforms, lay_back

MARGIN_AT_2048 = 8
BLUR_AT_2048 = 15
BLUR_SIGMA_AT_2048 = 5.0
MIN_BLUR = 3
NORMAL_CHANNELS = 6


def occupancy(height: int, width: int, resolution: int) -> Float[Tensor, "h w"]:
    """Return a crop's weights in 0..1: 1 inside a margin, falling off by a Gaussian blur.

    The blur never reaches beyond the crop, so padding to the full image changes nothing.
    """
    margin = max(1, round(MARGIN_AT_2048 * resolution / PUBLISHED_RESOLUTION))
    weights = torch.zeros(height, width)
    weights[margin : height - margin, margin : width - margin] = 1
    kernel = _gaussian(resolution)
    pad = kernel.numel() // 2
    along_rows = functional.conv2d(weights[None, None], kernel.view(1, 1, 1, -1), padding=(0, pad))
    return functional.conv2d(along_rows, kernel.view(1, 1, -1, 1), padding=(pad, 0))[0, 0]


def blend_normals(
    parts: Mapping[PartGroup, Float[Tensor, "B _ 6 _ _"]],
    transforms: PartTransforms,
    resolution: int,
) -> Float[Tensor, "B 6 H W"]:
    """Warp every part's normals back and average them by occupancy; 0 where no part is.

    Not renormalised. A part without transform counts nothing.
    """
    first = next(iter(parts.values()))
    shape = (first.shape[0], NORMAL_CHANNELS, resolution, resolution)
    weighted, weights = first.new_zeros(shape), first.new_zeros(shape)[:, :1]
    for group, crops in parts.items():
        chosen = transforms.select(group_members(group))
        for part in range(crops.shape[1]):
            laid = _lay_back_with_weight(crops[:, part : part + 1], chosen, part, resolution)
            weighted = weighted + laid[:, :-1] * laid[:, -1:]
            weights = weights + laid[:, -1:]
    return weighted / torch.where(weights > 0, weights, 1)


def _lay_back_with_weight(
    crop: Float[Tensor, "B 1 6 h w"], chosen: PartTransforms, part: int, resolution: int
) -> Float[Tensor, "B 7 H W"]:
    """Return normals and, as last channel, the occupancy weight of one part."""
    height, width = crop.shape[-2:]
    weight = occupancy(height, width, resolution).to(crop)
    counted = weight * chosen.valid[:, part, None, None, None, None]
    stacked = torch.cat([crop, counted.expand(-1, 1, 1, -1, -1)], dim=2)
    return lay_back(stacked, chosen.fitted[:, part : part + 1], resolution)[:, 0]


def _gaussian(resolution: int) -> Float[Tensor, " k"]:
    ratio = resolution / PUBLISHED_RESOLUTION
    size = max(MIN_BLUR, 2 * round((BLUR_AT_2048 * ratio - 1) / 2) + 1)
    offset = torch.arange(size) - size // 2
    bell = torch.exp(-(offset**2) / (2 * (BLUR_SIGMA_AT_2048 * ratio) ** 2))
    return bell / bell.sum()
