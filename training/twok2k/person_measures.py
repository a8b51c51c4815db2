"""The measures of a validation: how far depth, normals and mask are from the target.

Dimension letters: B images, H rows, W columns. Each measure is a sum and a count, so that
batches and ranks add up exactly.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from schemas.body_parts import group_members
from training.loop.measures import MILLIMETRES, angles_degrees, sum_inside
from training.loop.stage_types import Sums
from training.run_settings import ModelSettings
from training.twok2k.person_examples import DepthExamples, NormalExamples, PersonExamples
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.surface_nets import MASK_THRESHOLD, DepthPrediction
from training.twok2k.targets import (
    DepthTargets,
    normal_z,
    normals_from_depth,
    pixel_depths_per_unit,
    split_surfaces,
)

FAR_OFF_MILLIMETRES = 500
"""No person is so deep: a depth that is farther off is the background's, or nobody's."""


def normal_measures(
    prediction: NormalPrediction, examples: NormalExamples, settings: ModelSettings
) -> Sums:
    """Measure phase 1: coarse depth, its normals, mask; normals of the other nets."""
    sums = _depth_sums(prediction.coarse, examples.coarse, examples, settings)
    sums["depth_normal_angle_degrees"] = _depth_normal_sum(
        prediction.coarse, examples.coarse, settings
    )
    inside = examples.coarse.inside
    sums["normal_angle_degrees"] = _angle_sum(prediction.whole, examples.coarse.normals, inside)
    for group, predicted in prediction.parts.items():
        target = examples.part_normals[group].flatten(0, 1)
        valid = examples.transforms.select(group_members(group)).valid.flatten()
        seen = (target[:, :3].sum(dim=1, keepdim=True) > 0) & valid[:, None, None, None]
        name = f"normal_angle_{group}_degrees"
        sums[name] = _angle_sum(predicted.flatten(0, 1), target, seen)
    return sums


def depth_measures(
    prediction: DepthPrediction, examples: DepthExamples, settings: ModelSettings
) -> Sums:
    """Measure phase 2: full depth and mask, normals of the predicted depth."""
    sums = _depth_sums(prediction, examples.full, examples, settings)
    sums["normal_angle_degrees"] = _depth_normal_sum(prediction, examples.full, settings)
    return sums


def _depth_sums(
    prediction: DepthPrediction,
    target: DepthTargets,
    examples: PersonExamples,
    settings: ModelSettings,
) -> Sums:
    inside = target.inside
    per_unit = pixel_depths_per_unit(settings.resolution)
    to_mm = MILLIMETRES * examples.metres_per_unit / examples.focal_px
    composed, filled = prediction.composed, replace(target, front=target.front_filled)
    either = inside | (prediction.mask > MASK_THRESHOLD)
    sums: Sums = {}
    for surface in ("front", "back"):
        error = (getattr(prediction, surface) - getattr(target, surface)).abs() * per_unit
        sums[f"depth_{surface}_pixel_depths"] = sum_inside(error, inside)
        in_mm = error * to_mm[:, None, None, None]
        sums[f"depth_{surface}_millimetres"] = sum_inside(in_mm, inside)
        final = (getattr(composed, surface) - getattr(filled, surface)).abs()
        far_off = final * per_unit * to_mm[:, None, None, None] > FAR_OFF_MILLIMETRES
        sums[f"depth_{surface}_far_off_share"] = sum_inside(far_off.float(), either)
    return sums | {"mask_overlap": _overlap(prediction.mask, inside)}


def _depth_normal_sum(
    prediction: DepthPrediction, target: DepthTargets, settings: ModelSettings
) -> Tensor:
    """Sum the angles of the normals of both depths, taken with 0 outside as the target's are."""
    z = normal_z(settings.resolution)
    depths = (depth * target.inside for depth in (prediction.front, prediction.back))
    predicted = torch.cat([normals_from_depth(depth, z) for depth in depths], dim=1)
    return _angle_sum(predicted, target.normals, target.inside)


def _overlap(mask: Float[Tensor, "B 1 H W"], inside: Bool[Tensor, "B 1 H W"]) -> Tensor:
    """Return the sum over images of intersection / union, and how many images."""
    said = mask > MASK_THRESHOLD
    both = (said & inside).flatten(1).sum(dim=1)
    either = (said | inside).flatten(1).sum(dim=1)
    overlaps = torch.where(either > 0, both / either.clamp_min(1), 1)
    return torch.stack([overlaps.sum(), torch.ones_like(overlaps).sum()]).double()


def _angle_sum(prediction: Tensor, target: Tensor, inside: Tensor) -> Float[Tensor, " 2"]:
    """Sum the angles of front and back normals together."""
    pairs = zip(split_surfaces(prediction), split_surfaces(target), strict=True)
    sums = [sum_inside(angles_degrees(2 * one - 1, 2 * other - 1), inside) for one, other in pairs]
    return sums[0] + sums[1]
