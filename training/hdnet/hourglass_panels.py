"""Images of HDNet's batches for people: input, normals, and depth in the hot colour map.

Dimension letters: B images, H rows, W columns. Source: docs/training.md, "Sample images".
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from training.hdnet.hourglass_examples import LabelledExamples
from training.hdnet.hourglass_losses import normals_from_depth
from training.hdnet.labelled_samples import MEDIAN_M
from training.loop.stage_types import Panels
from training.run_settings import ModelSettings

SHOWN_M = 0.5
"""Depth is drawn from this much before the median (white) to as much behind it (black)."""

WHITE = 255
HOT_ENDS = ((0.0, 0.365079), (0.365079, 0.746032), (0.746032, 1.0))
"""Between which shares red, green and blue rise from 0 to 1. Source: matplotlib's map `hot`."""


def hdnet_normal_panels(
    prediction: Float[Tensor, "B 3 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Panels:
    """Show the image and the normals beside the true ones."""
    del settings
    return _image_and_normals(prediction, examples)


def hdnet_depth_panels(
    prediction: Float[Tensor, "B 1 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Panels:
    """Show the image, the normals of the depth moved back, and the depth beside the true one."""
    del settings
    panels = _image_and_normals(normals_from_depth(prediction - examples.shift_m), examples)
    shown = {"depth": prediction, "true depth": examples.depth_m}
    return panels | {name: show_depth(depth_m, examples.mask) for name, depth_m in shown.items()}


def show_normals(
    normals: Float[Tensor, "B 3 H W"], mask: Bool[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 3 H W"]:
    """Draw the directions of normals as colours, black outside."""
    return (normalize(normals, dim=1) + 1) / 2 * mask


def show_depth(
    depth_m: Float[Tensor, "B 1 H W"], mask: Bool[Tensor, "B 1 H W"]
) -> Float[Tensor, "B 3 H W"]:
    """Draw depth in the hot colour map, near is bright; black outside."""
    return hot((MEDIAN_M + SHOWN_M - depth_m) / (2 * SHOWN_M)) * mask


def hot(shares: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B 3 H W"]:
    """Colour shares: 0 and less is black, then red, yellow, 1 and more white."""
    return torch.cat([((shares - low) / (high - low)).clamp(0, 1) for low, high in HOT_ENDS], dim=1)


def _image_and_normals(normals: Tensor, examples: LabelledExamples) -> Panels:
    return {
        "picture": examples.image / WHITE,
        "normal": show_normals(normals, examples.mask),
        "true normal": (examples.normals + 1) / 2 * examples.mask,
    }
