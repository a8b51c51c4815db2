"""The warping loss: parts of a person move rigidly between two frames of a video.

Dimension letters: B pairs, H rows, W columns, N matches of all pairs together. Depth: z in metres.
Source: docs/losses.md, "Warping".
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from schemas.frames import PART_COUNT
from training.data.tensor_batch import TensorBatch
from training.hdnet.rigid_fit import fit_rigid

NEAREST = 1e-12
"""Metres squared, added below the root: its slope is infinite at 0."""


@dataclass(frozen=True, slots=True)
class PairMatches(TensorBatch):
    """The matches of a batch of pairs, one behind the other.

    pair: place of the pair in the batch. part: DensePose part, 1..24. pixels: row and column in
    frame i, row and column in frame j, counted from 0.
    """

    pair: Int64[Tensor, " N"]
    part: Int64[Tensor, " N"]
    pixels: Int64[Tensor, "N 4"]


def warping_loss(
    depth_i_m: Float[Tensor, "B 1 H W"],
    depth_j_m: Float[Tensor, "B 1 H W"],
    intrinsics_i: Float[Tensor, "B 3 3"],
    intrinsics_j: Float[Tensor, "B 3 3"],
    matches: PairMatches,
) -> Float[Tensor, ""]:
    """Return the mean distance, metres, of frame i's points from frame j's after the fits; 0: none.

    Each part of each pair is moved from i to j by its best rigid motion. Parts without one (fewer
    than three matches, points on a line, a mirror image) are left out.
    """
    source = lift_pixels(depth_i_m, intrinsics_i, matches.pair, matches.pixels[:, :2])
    target = lift_pixels(depth_j_m, intrinsics_j, matches.pair, matches.pixels[:, 2:])
    group = matches.pair * PART_COUNT + matches.part - 1
    motions = fit_rigid(source, target, group, depth_i_m.shape[0] * PART_COUNT)
    square = (motions.carry(source, group) - target).square().sum(dim=1)
    distance = (square + NEAREST).sqrt() - NEAREST**0.5
    counted = motions.fits[group]
    return torch.where(counted, distance, 0).sum() / counted.sum().clamp_min(1)


def lift_pixels(
    depth_m: Float[Tensor, "B 1 H W"],
    intrinsics: Float[Tensor, "B 3 3"],
    place: Int64[Tensor, " N"],
    pixels: Int64[Tensor, "N 2"],
) -> Float[Tensor, "N 3"]:
    """Return the points behind the centres of pixels (row, column) of images `place`."""
    z = depth_m[place, 0, pixels[:, 0], pixels[:, 1]]
    K = intrinsics[place].to(z.dtype)
    x = (pixels[:, 1] + 1 / 2 - K[:, 0, 2]) / K[:, 0, 0]
    y = (pixels[:, 0] + 1 / 2 - K[:, 1, 2]) / K[:, 1, 1]
    return torch.stack([x, y, torch.ones_like(x)], dim=1) * z[:, None]
