"""What each phase of 2K2K minimises: named terms whose sum is the loss.

Source: docs/losses.md, "2K2K terms": phase 1 and phase 2.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from schemas.body_parts import group_members
from training.run_settings import ModelSettings
from training.twok2k.coarse_net import DepthPrediction
from training.twok2k.person_losses import (
    MaskLossForm,
    depth_normal_term,
    depth_term,
    mask_cross_entropy,
    normal_term,
)
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.prepare_batch import Prepared
from training.twok2k.targets import DepthTargets, normal_z, normals_from_depth, split_surfaces

SURFACES = ("front", "back")
Terms = dict[str, Float[Tensor, ""]]


def normal_objective(
    prediction: NormalPrediction, prepared: Prepared, settings: ModelSettings
) -> Terms:
    """Return the terms of phase 1: normals of every net, coarse depth, its normals, mask."""
    everyone = torch.ones_like(prepared.focal_px)
    terms = _normal_terms("whole", prediction.whole, prepared.coarse.normals, everyone)
    for group, predicted in prediction.parts.items():
        counts = prepared.transforms.select(group_members(group)).valid.flatten().float()
        truth = prepared.part_normals[group].flatten(0, 1)
        terms |= _normal_terms(group, predicted.flatten(0, 1), truth, counts)
    z = normal_z(settings.resolution)
    return terms | _depth_terms(prediction.coarse, prepared.coarse, z, settings.mask_loss)


def depth_objective(
    prediction: DepthPrediction, prepared: Prepared, settings: ModelSettings
) -> Terms:
    """Return the terms of phase 2: full depth, its normals, mask."""
    if prepared.full is None:
        raise ValueError("depth_objective: no truth at full resolution")
    z = normal_z(settings.resolution)
    return _depth_terms(prediction, prepared.full, z, settings.mask_loss)


def _normal_terms(name: str, prediction: Tensor, truth: Tensor, counts: Tensor) -> Terms:
    halves = zip(SURFACES, split_surfaces(prediction), split_surfaces(truth), strict=True)
    return {
        f"normal_{name}_{surface}": normal_term(predicted, true, counts)
        for surface, predicted, true in halves
    }


def _depth_terms(
    prediction: DepthPrediction, truth: DepthTargets, z: float, form: MaskLossForm
) -> Terms:
    inside = truth.inside.to(prediction.front)
    depths = (prediction.front, prediction.back)
    truths = (truth.front_filled, truth.back)
    normals = split_surfaces(truth.normals)
    terms: Terms = {}
    for surface, depth, true, normal in zip(SURFACES, depths, truths, normals, strict=True):
        terms[f"depth_{surface}"] = depth_term(depth, true)
        predicted = normals_from_depth(depth, z)
        terms[f"depth_normal_{surface}"] = depth_normal_term(predicted, normal, inside)
    terms["mask"] = mask_cross_entropy(prediction.mask_logit, inside, form=form).sum()
    return terms
