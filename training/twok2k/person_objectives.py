"""What each phase of 2K2K minimises: named terms whose sum is the loss.

Source: docs/losses.md, "2K2K terms": phase 1 and phase 2.
"""

import torch
from torch import Tensor

from schemas.body_parts import group_members
from schemas.train_forms import NormalLossForm
from training.loop.stage_types import Terms
from training.run_settings import ModelSettings
from training.twok2k.person_examples import DepthExamples, NormalExamples
from training.twok2k.person_losses import (
    OUTSIDE_WEIGHT,
    depth_normal_term,
    depth_term,
    mask_cross_entropy,
    normal_term,
)
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.surface_nets import DepthPrediction
from training.twok2k.targets import DepthTargets, normal_z, normals_from_depth, split_surfaces

SURFACES = ("front", "back")

OUTSIDE: dict[NormalLossForm, tuple[float, float]] = {
    "published": (1, 1), "masked": (0, OUTSIDE_WEIGHT),
}  # fmt: skip
"""What a pixel beside the person counts in normals: of the whole-image net, of part nets.

The refinement finds the silhouette by the part normals, so these have to end there.
"""


def normal_objective(
    prediction: NormalPrediction, examples: NormalExamples, settings: ModelSettings
) -> Terms:
    """Return the terms of phase 1: normals of every net, coarse depth, its normals, mask."""
    everyone = torch.ones_like(examples.focal_px)
    whole, part = OUTSIDE[settings.normal_loss]
    terms = _normal_terms("whole", prediction.whole, examples.coarse.normals, everyone, whole)
    for group, predicted in prediction.parts.items():
        counts = examples.transforms.select(group_members(group)).valid.flatten().float()
        target = examples.part_normals[group].flatten(0, 1)
        terms |= _normal_terms(group, predicted.flatten(0, 1), target, counts, part)
    z = normal_z(settings.resolution)
    return terms | _depth_terms(prediction.coarse, examples.coarse, z, settings)


def depth_objective(
    prediction: DepthPrediction, examples: DepthExamples, settings: ModelSettings
) -> Terms:
    """Return the terms of phase 2: full depth, its normals, mask."""
    z = normal_z(settings.resolution)
    return _depth_terms(prediction, examples.full, z, settings)


def _normal_terms(
    name: str, prediction: Tensor, target: Tensor, counts: Tensor, outside: float
) -> Terms:
    halves = zip(SURFACES, split_surfaces(prediction), split_surfaces(target), strict=True)
    return {
        f"normal_{name}_{surface}": normal_term(predicted, true, counts, outside=outside)
        for surface, predicted, true in halves
    }


def _depth_terms(
    prediction: DepthPrediction, target: DepthTargets, z: float, settings: ModelSettings
) -> Terms:
    """Return the terms of one depth; masked: its normals are taken with 0 outside the person."""
    form = settings.depth_loss
    inside = target.inside.to(prediction.front)
    depths = (prediction.front, prediction.back)
    targets = (target.front_filled, target.back)
    normals = split_surfaces(target.normals)
    terms: Terms = {}
    for surface, depth, true, normal in zip(SURFACES, depths, targets, normals, strict=True):
        terms[f"depth_{surface}"] = depth_term(depth, true, inside, form=form)
        predicted = normals_from_depth(depth * inside if form == "masked" else depth, z)
        terms[f"depth_normal_{surface}"] = depth_normal_term(predicted, normal, inside, form=form)
    logit = prediction.mask_logit
    terms["mask"] = mask_cross_entropy(logit, inside, form=settings.mask_loss).sum()
    return terms
