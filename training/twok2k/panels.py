"""Images of a batch for people: what went in, what came out, what is true; and the loss curve.

Dimension letters: B images, H rows, W columns. Panels are RGB in 0..1.
"""

import io
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from training.run_settings import ModelSettings
from training.twok2k.coarse_net import DepthPrediction
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.prepare_batch import Prepared
from training.twok2k.targets import DepthTargets, normal_z, normals_from_depth, split_surfaces

Panels = dict[str, Float[Tensor, "B 3 _ _"]]
PANEL_SIDE = 256
MAX_IMAGES = 4
NEAREST, FARTHEST = 1.0, 3.0
"""Network depth drawn white and black; the plane through the origin, 2.0, is mid-grey."""


def normal_panels(
    prediction: NormalPrediction, prepared: Prepared, settings: ModelSettings
) -> Panels:
    """Show the image, the whole-image normals and the coarse depth beside their truths."""
    del settings
    panels = {"picture": (prepared.image + 1) / 2}
    panels |= _beside("normal", prediction.whole, prepared.coarse.normals)
    return panels | _depths(prediction.coarse, prepared.coarse)


def depth_panels(
    prediction: DepthPrediction, prepared: Prepared, settings: ModelSettings
) -> Panels:
    """Show the image, full depth and the normals of that depth beside their truths."""
    if prepared.full is None:
        raise ValueError("depth_panels: no truth at full resolution")
    z = normal_z(settings.resolution)
    surfaces = (prediction.front, prediction.back)
    normals = torch.cat([normals_from_depth(depth, z) for depth in surfaces], dim=1)
    inside = prepared.full.inside
    panels = {"picture": (prepared.image + 1) / 2}
    panels |= _beside("normal", normals * inside, prepared.full.normals)
    return panels | _depths(prediction, prepared.full)


def draw_sheet(panels: Panels) -> UInt8[np.ndarray, "H W 3"]:
    """Lay out one image a row and one panel a column, in the order of the panels."""
    side = (PANEL_SIDE, PANEL_SIDE)
    columns = [
        functional.interpolate(panel[:MAX_IMAGES].float().cpu(), size=side, mode="nearest")
        for panel in panels.values()
    ]
    rows = torch.cat([torch.cat(list(row), dim=2) for row in zip(*columns, strict=True)], dim=1)
    scaled = (rows.clamp(0, 1) * np.iinfo(np.uint8).max).round().to(torch.uint8)
    sheet: UInt8[np.ndarray, "H W 3"] = scaled.permute(1, 2, 0).contiguous().numpy()
    return sheet


def draw_curve(
    losses: Sequence[tuple[int, float]], validations: Sequence[tuple[int, float]]
) -> bytes:
    """Draw the loss by step as PNG; both axes start where the data do, the loss axis is log."""
    figure = Figure(figsize=(8, 4.5))
    axes = figure.subplots()
    if losses:
        axes.plot(*zip(*losses, strict=True), label="training", linewidth=1)
    if validations:
        axes.plot(*zip(*validations, strict=True), "o-", label="validation", linewidth=1)
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    axes.grid(visible=True, which="both", alpha=0.3)
    if losses or validations:
        axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _beside(name: str, predicted: Tensor, true: Tensor) -> Panels:
    surfaces = zip(("front", "back"), split_surfaces(predicted), split_surfaces(true), strict=True)
    panels: Panels = {}
    for surface, one, other in surfaces:
        panels |= {f"{name} {surface}": one, f"true {name} {surface}": other}
    return panels


def _depths(prediction: DepthPrediction, truth: DepthTargets) -> Panels:
    pairs = (("front", prediction.front, truth.front), ("back", prediction.back, truth.back))
    panels: Panels = {}
    for surface, predicted, true in pairs:
        shown = _shade(predicted, prediction.mask > 1 / 2)
        panels |= {f"depth {surface}": shown, f"true depth {surface}": _shade(true, truth.inside)}
    return panels


def _shade(depth: Tensor, inside: Tensor) -> Float[Tensor, "B 3 H W"]:
    """Draw near white and far black, outside the person black."""
    bright = ((FARTHEST - depth) / (FARTHEST - NEAREST)).clamp(0, 1) * inside
    return bright.expand(-1, 3, -1, -1)
