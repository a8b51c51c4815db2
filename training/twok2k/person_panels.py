"""Images of a batch for people: what went in, what came out, what is true.

Dimension letters: B images, H rows, W columns. Panels are RGB in 0..1.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from training.loop.stage_types import Panels
from training.run_settings import ModelSettings
from training.twok2k.person_examples import DepthExamples, NormalExamples, PersonExamples
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.surface_nets import MASK_THRESHOLD, DepthPrediction
from training.twok2k.targets import DepthTargets, normal_z, normals_from_depth, split_surfaces

NEAREST, FARTHEST = 1.0, 3.0
"""Network depth drawn white and black; the plane through the origin, 2.0, is mid-grey."""


def normal_panels(
    prediction: NormalPrediction, examples: NormalExamples, settings: ModelSettings
) -> Panels:
    """Show the image, the whole-image normals and the coarse depth beside their targets.

    All but the image is black where the mask says that there is no person.
    """
    del settings
    inside = prediction.coarse.mask > MASK_THRESHOLD
    normals = _beside("normal", prediction.whole * inside, examples.coarse.normals)
    return _image(examples) | normals | _depths(prediction.coarse, examples.coarse)


def depth_panels(
    prediction: DepthPrediction, examples: DepthExamples, settings: ModelSettings
) -> Panels:
    """Show the image, full depth and the normals of that depth beside their targets."""
    z = normal_z(settings.resolution)
    inside = prediction.mask > MASK_THRESHOLD
    surfaces = (depth * inside for depth in (prediction.front, prediction.back))
    normals = torch.cat([normals_from_depth(depth, z) for depth in surfaces], dim=1)
    shown = _beside("normal", normals, examples.full.normals)
    return _image(examples) | shown | _depths(prediction, examples.full)


def _image(examples: PersonExamples) -> Panels:
    return {"picture": (examples.image + 1) / 2}


def _beside(name: str, predicted: Tensor, true: Tensor) -> Panels:
    surfaces = zip(("front", "back"), split_surfaces(predicted), split_surfaces(true), strict=True)
    panels: Panels = {}
    for surface, one, other in surfaces:
        panels |= {f"{name} {surface}": one, f"true {name} {surface}": other}
    return panels


def _depths(prediction: DepthPrediction, target: DepthTargets) -> Panels:
    pairs = (("front", prediction.front, target.front), ("back", prediction.back, target.back))
    panels: Panels = {}
    for surface, predicted, true in pairs:
        shown = _shade(predicted, prediction.mask > MASK_THRESHOLD)
        panels |= {f"depth {surface}": shown, f"true depth {surface}": _shade(true, target.inside)}
    return panels


def _shade(depth: Tensor, inside: Tensor) -> Float[Tensor, "B 3 H W"]:
    """Draw near white and far black, outside the person black."""
    bright = ((FARTHEST - depth) / (FARTHEST - NEAREST)).clamp(0, 1) * inside
    return bright.expand(-1, 3, -1, -1)
