"""The refinement net over strips of the image: the same answer with a fraction of the memory.

The net is local: convolutions of three pixels, no norm over the batch in use. A pixel of its answer
depends on at most HALO_PX rows above and below, so that strips with so much around them, cut off
afterwards, give what the whole image gives.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from training.twok2k.surface_nets import DepthPrediction, RefinementNet

STRIP_PX = 256
HALO_PX = 32
"""Rows on which a pixel depends: 3 at full size, 3 at half, 3 at a quarter and 1 at an eighth of it
make 29. Both constants are multiples of 8, so that all sampling begins as in the whole image."""

COARSE_FACTOR = 8


def refine_in_strips(
    net: RefinementNet,
    depth: Float[Tensor, "1 2 r r"],
    normals: Float[Tensor, "1 6 R R"],
    start: Float[Tensor, "1 3 R R"] | None = None,
) -> DepthPrediction:
    """Predict depth and mask at full resolution; the net is in evaluation mode."""
    side = normals.shape[-2]
    strips: list[DepthPrediction] = []
    for first in range(0, side, STRIP_PX):
        last = min(first + STRIP_PX, side)
        top, bottom = max(0, first - HALO_PX), min(side, last + HALO_PX)
        seen = depth[..., top // COARSE_FACTOR : bottom // COARSE_FACTOR, :]
        begin = None if start is None else start[..., top:bottom, :]
        strip: DepthPrediction = net(seen, normals[..., top:bottom, :], begin)
        strips.append(_cut(strip, first - top, last - top))
    return DepthPrediction(
        torch.cat([strip.front for strip in strips], dim=-2),
        torch.cat([strip.back for strip in strips], dim=-2),
        torch.cat([strip.mask_logit for strip in strips], dim=-2),
    )


def _cut(strip: DepthPrediction, first: int, last: int) -> DepthPrediction:
    """Keep some rows, as copies, so that the rest is freed."""
    kept = (strip.front, strip.back, strip.mask_logit)
    front, back, mask_logit = (plane[..., first:last, :].clone() for plane in kept)
    return DepthPrediction(front, back, mask_logit)
