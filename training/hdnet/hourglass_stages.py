"""What HDNet's first two stages are fed, minimise and are measured by.

Dimension letters: B images, H rows, W columns, C channels. Source: docs/networks.md, "HDNet".
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from training.hdnet.hourglass_losses import (
    angle_loss,
    depth_normal_loss,
    has_neighbours,
    normals_from_depth,
    scale_normalised_error,
    squared_depth_error,
)
from training.hdnet.labelled_samples import MEDIAN_M, LabelledBatch
from training.run_settings import ModelSettings
from training.twok2k.measures import MILLIMETRES, Sums
from training.twok2k.objectives import Terms
from training.twok2k.panels import Panels

DEPTH_WEIGHT = 2
NORMAL_CHANNELS, DEPTH_CHANNELS = 3, 9
SHOWN_M = 0.5
"""Depth is drawn from this much before the median (white) to as much behind it (black)."""

WHITE = 255


@dataclass(frozen=True, slots=True)
class LabelledExamples:
    """Inputs and truths of one batch. inputs: RGB 0..255, for depth also normals, V, U, I."""

    sample_ids: tuple[str, ...]
    inputs: Float[Tensor, "B C H W"]
    mask: Bool[Tensor, "B 1 H W"]
    depth_m: Float[Tensor, "B 1 H W"]
    shift_m: Float[Tensor, "B 1 1 1"]
    normals: Float[Tensor, "B 3 H W"]

    @property
    def image(self) -> Float[Tensor, "B 3 H W"]:
        """RGB 0..255, on white."""
        return self.inputs[:, :NORMAL_CHANNELS]


def prepare_normal(batch: LabelledBatch, settings: ModelSettings) -> LabelledExamples:
    """Make the input of the normal estimator: the image alone."""
    del settings
    return _examples(batch, _channels_first(batch.image))


def prepare_depth(batch: LabelledBatch, settings: ModelSettings) -> LabelledExamples:
    """Make the input of the depth estimator: image, true normals, DensePose."""
    del settings
    if batch.densepose is None:
        raise ValueError("prepare_depth: a batch without DensePose")
    parts = (batch.image, batch.normals, batch.densepose)
    return _examples(batch, torch.cat([_channels_first(part) for part in parts], dim=1))


def hand_over(examples: LabelledExamples) -> tuple[Tensor, ...]:
    """Return what the hourglass is called with."""
    return (examples.inputs,)


def hdnet_normal_objective(
    prediction: Float[Tensor, "B 3 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Terms:
    """Return the angle to the true normals, radians."""
    del settings
    return {"angle": angle_loss(prediction, examples.normals, examples.mask)}


def hdnet_depth_objective(
    prediction: Float[Tensor, "B 1 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Terms:
    """Return the three terms of the depth estimator."""
    depth_m, mask = examples.depth_m, examples.mask
    return {
        "depth": DEPTH_WEIGHT * squared_depth_error(prediction, depth_m, mask),
        "scale_normalised": scale_normalised_error(prediction, depth_m, mask),
        "depth_normal": depth_normal_loss(
            prediction, examples.normals, mask, examples.shift_m, form=settings.depth_normals
        ),
    }


def hdnet_normal_measures(
    prediction: Float[Tensor, "B 3 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Sums:
    """Measure the angle to the true normals."""
    del settings
    angles = _angles_degrees(prediction, examples.normals)
    return {"normal_angle_degrees": _sum(angles, examples.mask)}


def hdnet_depth_measures(
    prediction: Float[Tensor, "B 1 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Sums:
    """Measure depth, and the angle of its normals where the person stood, neighbours inside."""
    del settings
    error = (prediction - examples.depth_m).abs() * MILLIMETRES
    angles = _angles_degrees(normals_from_depth(prediction - examples.shift_m), examples.normals)
    return {
        "depth_front_millimetres": _sum(error, examples.mask),
        "normal_angle_degrees": _sum(angles, has_neighbours(examples.mask)),
    }


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
    return panels | {name: _shade(depth_m, examples.mask) for name, depth_m in shown.items()}


def _examples(batch: LabelledBatch, inputs: Tensor) -> LabelledExamples:
    normals = _channels_first(batch.normals)
    return LabelledExamples(
        batch.sample_ids, inputs, batch.mask, batch.depth_m, batch.shift_m, normals
    )


def _channels_first(image: Tensor) -> Float[Tensor, "B 3 H W"]:
    return image.permute(0, 3, 1, 2).float()


def _image_and_normals(normals: Tensor, examples: LabelledExamples) -> Panels:
    unit = torch.nn.functional.normalize(normals, dim=1)
    return {
        "picture": examples.image / WHITE,
        "normal": (unit + 1) / 2 * examples.mask,
        "true normal": (examples.normals + 1) / 2 * examples.mask,
    }


def _shade(depth_m: Tensor, mask: Tensor) -> Float[Tensor, "B 3 H W"]:
    bright = ((MEDIAN_M + SHOWN_M - depth_m) / (2 * SHOWN_M)).clamp(0, 1) * mask
    return bright.expand(-1, 3, -1, -1)


def _angles_degrees(one: Tensor, other: Tensor) -> Float[Tensor, "B 1 H W"]:
    cross = torch.linalg.vector_norm(torch.linalg.cross(one, other, dim=1), dim=1, keepdim=True)
    return torch.rad2deg(torch.atan2(cross, (one * other).sum(dim=1, keepdim=True)))


def _sum(values: Tensor, where: Tensor) -> Float[Tensor, " 2"]:
    kept = torch.where(where, values, 0).double()
    return torch.stack([kept.sum(), where.sum().double()])
