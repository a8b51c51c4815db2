"""Images of a run for people: the sheet of a batch, and the loss curve."""

import io
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from matplotlib.figure import Figure
from torch.nn import functional

from training.loop.stage_types import Panels

PANEL_SIDE = 256
MAX_IMAGES = 4


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
