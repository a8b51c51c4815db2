"""What HDNet's first two stages are fed, minimise and are measured by.

Dimension letters: B images, H rows, W columns, C channels. Source: docs/networks.md, "HDNet".
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from training.hdnet.hourglass import build_hourglass
from training.hdnet.hourglass_losses import (
    angle_loss,
    depth_normal_loss,
    has_neighbours,
    normals_from_depth,
    scale_normalised_error,
    squared_depth_error,
)
from training.hdnet.labelled_samples import (
    LABELLED,
    LABELLED_WITH_IUV,
    MEDIAN_M,
    LabelledBatch,
    LabelledReader,
    LabelledSample,
)
from training.loop.measures import MILLIMETRES, angles_degrees, sum_inside
from training.loop.stage_types import Examples, Panels, Stage, Sums, Terms
from training.run_settings import ModelSettings

DEPTH_WEIGHT = 2
NORMAL_CHANNELS, DEPTH_CHANNELS = 3, 9
SHOWN_M = 0.5
"""Depth is drawn from this much before the median (white) to as much behind it (black)."""

WHITE = 255


@dataclass(frozen=True, slots=True)
class LabelledExamples(Examples):
    """Inputs and targets of one batch. inputs: RGB 0..255, for depth also normals, V, U, I."""

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
    angles = angles_degrees(prediction, examples.normals)
    return {"normal_angle_degrees": sum_inside(angles, examples.mask)}


def hdnet_depth_measures(
    prediction: Float[Tensor, "B 1 H W"], examples: LabelledExamples, settings: ModelSettings
) -> Sums:
    """Measure depth, and the angle of its normals where the person stood, neighbours inside."""
    del settings
    error = (prediction - examples.depth_m).abs() * MILLIMETRES
    angles = angles_degrees(normals_from_depth(prediction - examples.shift_m), examples.normals)
    return {
        "depth_front_millimetres": sum_inside(error, examples.mask),
        "normal_angle_degrees": sum_inside(angles, has_neighbours(examples.mask)),
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


def _read_labelled(settings: ModelSettings, with_stored: bool) -> LabelledReader:
    del with_stored  # HDNet's images have a white ground
    return LabelledReader(with_densepose=settings.stage == "hdnet-depth")


def _normal_net(settings: ModelSettings) -> nn.Module:
    return build_hourglass(NORMAL_CHANNELS, NORMAL_CHANNELS, width=settings.width)


def _depth_net(settings: ModelSettings) -> nn.Module:
    return build_hourglass(DEPTH_CHANNELS, 1, width=settings.width)


def _predict(nets: nn.Module, examples: LabelledExamples) -> Tensor:
    prediction: Tensor = nets(examples.inputs)
    return prediction


CONVENTIONS = {
    "input": "RGB 0..255 on white, 256 x 256; for depth then the unit normal and DensePose "
    "V, U, I 0..255; batch statistics in use too",
    "depth_unit": "metres along z, the person's median at 4",
}

HDNET_NORMAL_STAGE: Stage[LabelledSample, LabelledBatch, LabelledExamples, Tensor] = Stage(
    LABELLED, _normal_net, CONVENTIONS, _read_labelled, prepare_normal, _predict,
    hdnet_normal_objective, hdnet_normal_measures, hdnet_normal_panels,
)  # fmt: skip

HDNET_DEPTH_STAGE: Stage[LabelledSample, LabelledBatch, LabelledExamples, Tensor] = Stage(
    LABELLED_WITH_IUV, _depth_net, CONVENTIONS, _read_labelled, prepare_depth, _predict,
    hdnet_depth_objective, hdnet_depth_measures, hdnet_depth_panels,
)  # fmt: skip
