"""The measures of a validation: how far depth, normals and mask are from the truth.

Dimension letters: B images, H rows, W columns. Each measure is a sum and a count, so that
batches and ranks add up exactly.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from schemas.body_parts import group_members
from training.run_settings import ModelSettings
from training.twok2k.coarse_net import DepthPrediction
from training.twok2k.person_nets import MASK_THRESHOLD, NormalPrediction
from training.twok2k.prepare_batch import Prepared
from training.twok2k.targets import (
    DepthTargets,
    normal_z,
    normals_from_depth,
    pixel_depths_per_unit,
    split_surfaces,
)

MILLIMETRES = 1000
Sums = dict[str, Float[Tensor, " 2"]]
"""For each measure: (sum, count)."""


def normal_measures(
    prediction: NormalPrediction, prepared: Prepared, settings: ModelSettings
) -> Sums:
    """Measure phase 1: coarse depth and mask, normals of the whole-image net and of the parts."""
    sums = _depth_sums(prediction.coarse, prepared.coarse, prepared, settings)
    inside = prepared.coarse.inside
    sums["normal_angle_degrees"] = _angle_sum(prediction.whole, prepared.coarse.normals, inside)
    for group, predicted in prediction.parts.items():
        truth = prepared.part_normals[group].flatten(0, 1)
        valid = prepared.transforms.select(group_members(group)).valid.flatten()
        seen = (truth[:, :3].sum(dim=1, keepdim=True) > 0) & valid[:, None, None, None]
        name = f"normal_angle_{group}_degrees"
        sums[name] = _angle_sum(predicted.flatten(0, 1), truth, seen)
    return sums


def depth_measures(
    prediction: DepthPrediction, prepared: Prepared, settings: ModelSettings
) -> Sums:
    """Measure phase 2: full depth and mask, normals of the predicted depth."""
    if prepared.full is None:
        raise ValueError("depth_measures: no truth at full resolution")
    sums = _depth_sums(prediction, prepared.full, prepared, settings)
    z = normal_z(settings.resolution)
    normals = [normals_from_depth(depth, z) for depth in (prediction.front, prediction.back)]
    inside = prepared.full.inside
    predicted = torch.cat(normals, dim=1)
    sums["normal_angle_degrees"] = _angle_sum(predicted, prepared.full.normals, inside)
    return sums


def means(sums: Sums) -> dict[str, float]:
    """Divide sums by counts; a measure without any pixel is left out."""
    return {name: float(pair[0] / pair[1]) for name, pair in sums.items() if pair[1] > 0}


def angle_degrees(
    prediction: Float[Tensor, "B 3 H W"], truth: Float[Tensor, "B 3 H W"]
) -> Float[Tensor, "B H W"]:
    """Return the angle between normals mapped to 0..1."""
    first, second = (2 * normals - 1 for normals in (prediction, truth))
    cross = torch.linalg.vector_norm(torch.linalg.cross(first, second, dim=1), dim=1)
    return torch.rad2deg(torch.atan2(cross, (first * second).sum(dim=1)))


def _depth_sums(
    prediction: DepthPrediction,
    truth: DepthTargets,
    prepared: Prepared,
    settings: ModelSettings,
) -> Sums:
    inside = truth.inside
    per_unit = pixel_depths_per_unit(settings.resolution)
    to_mm = MILLIMETRES * prepared.metres_per_unit / prepared.focal_px
    sums: Sums = {}
    for surface in ("front", "back"):
        error = (getattr(prediction, surface) - getattr(truth, surface)).abs() * per_unit
        sums[f"depth_{surface}_pixel_depths"] = _pair(error, inside)
        in_mm = error * to_mm[:, None, None, None]
        sums[f"depth_{surface}_millimetres"] = _pair(in_mm, inside)
    return sums | {"mask_overlap": _overlap(prediction.mask, inside)}


def _overlap(mask: Float[Tensor, "B 1 H W"], inside: Bool[Tensor, "B 1 H W"]) -> Tensor:
    """Return the sum over images of intersection / union, and how many images."""
    said = mask > MASK_THRESHOLD
    both = (said & inside).flatten(1).sum(dim=1)
    either = (said | inside).flatten(1).sum(dim=1)
    overlaps = torch.where(either > 0, both / either.clamp_min(1), 1)
    return torch.stack([overlaps.sum(), torch.ones_like(overlaps).sum()]).double()


def _angle_sum(prediction: Tensor, truth: Tensor, inside: Tensor) -> Float[Tensor, " 2"]:
    """Sum the angles of front and back normals together."""
    pairs = zip(split_surfaces(prediction), split_surfaces(truth), strict=True)
    sums = [_pair(angle_degrees(one, other)[:, None], inside) for one, other in pairs]
    return sums[0] + sums[1]


def _pair(values: Tensor, inside: Tensor) -> Float[Tensor, " 2"]:
    kept = torch.where(inside, values, 0).double()
    return torch.stack([kept.sum(), inside.sum().double()])


def is_better(loss: float, best: float | None) -> bool:
    """Say whether a validation loss is the lowest so far; NaN never is."""
    return not math.isnan(loss) and (best is None or loss < best)
