"""What HDNet's first two stages are fed, minimise and are measured by.

Dimension letters: B images, H rows, W columns, C channels. Source: docs/networks.md, "HDNet".
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from training.hdnet.hourglass import build_hourglass
from training.hdnet.hourglass_examples import LabelledExamples
from training.hdnet.hourglass_losses import (
    angle_loss,
    depth_normal_loss,
    has_neighbours,
    normals_from_depth,
    scale_normalised_error,
    squared_depth_error,
)
from training.hdnet.hourglass_panels import hdnet_depth_panels, hdnet_normal_panels
from training.hdnet.labelled_samples import (
    LABELLED,
    LABELLED_WITH_IUV,
    MEDIAN_M,
    LabelledBatch,
    LabelledReader,
    LabelledSample,
)
from training.loop.measures import MILLIMETRES, angles_degrees, sum_inside
from training.loop.stage_types import Stage, Sums, Terms
from training.run_settings import ModelSettings

DEPTH_WEIGHT = 2
NORMAL_CHANNELS, DEPTH_CHANNELS = 3, 9


def prepare_normal(batch: LabelledBatch, settings: ModelSettings) -> LabelledExamples:
    """Make the input of the normal estimator: the image alone."""
    del settings
    return _examples(batch, _channels_first(batch.image))


def prepare_depth(batch: LabelledBatch, settings: ModelSettings) -> LabelledExamples:
    """Make the input of the depth estimator: image, true normals, DensePose."""
    del settings
    if batch.densepose is None:
        raise ValueError("prepare_depth: a batch without DensePose")
    return _examples(batch, stack_inputs(batch.image, batch.normals, batch.densepose))


def stack_inputs(
    image: Shaped[Tensor, "B H W 3"],
    normals: Shaped[Tensor, "B H W 3"],
    densepose: Shaped[Tensor, "B H W 3"],
) -> Float[Tensor, "B 9 H W"]:
    """Make the depth net's input: RGB 0..255, unit normals, V, U, I 0..255."""
    return torch.cat([_channels_first(part) for part in (image, normals, densepose)], dim=1)


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
    depth_m, mask, form = examples.depth_m, examples.mask, settings.depth_normals
    true_facets = form == "from_depth"
    normals = normals_from_depth(depth_m - examples.shift_m) if true_facets else examples.normals
    return {
        "depth": DEPTH_WEIGHT * squared_depth_error(prediction, depth_m, mask),
        "scale_normalised": scale_normalised_error(prediction, depth_m, mask),
        "depth_normal": depth_normal_loss(prediction, normals, mask, examples.shift_m, form=form),
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


def _examples(batch: LabelledBatch, inputs: Tensor) -> LabelledExamples:
    normals = _channels_first(batch.normals)
    return LabelledExamples(
        batch.sample_ids, inputs, batch.mask, batch.depth_m, batch.shift_m, normals
    )


def _channels_first(image: Tensor) -> Float[Tensor, "B 3 H W"]:
    return image.permute(0, 3, 1, 2).float()


def _read_labelled(settings: ModelSettings, with_stored: bool) -> LabelledReader:
    del with_stored  # HDNet's images have a white ground
    return LabelledReader(with_densepose=settings.stage == "hdnet-depth")


def build_normal_net(settings: ModelSettings) -> nn.Module:
    """Build the normal estimator, initialised."""
    return build_hourglass(NORMAL_CHANNELS, NORMAL_CHANNELS, width=settings.width)


def build_depth_net(settings: ModelSettings) -> nn.Module:
    """Build the depth estimator, initialised: at the people's median or, as published, at 0 m."""
    net = build_hourglass(DEPTH_CHANNELS, 1, width=settings.width)
    if settings.heads != "published" and net.head.bias is not None:
        nn.init.constant_(net.head.bias, MEDIAN_M)
    return net


def _predict(nets: nn.Module, examples: LabelledExamples) -> Tensor:
    prediction: Tensor = nets(examples.inputs)
    return prediction


CONVENTIONS = {
    "input": "RGB 0..255 on white, 256 x 256; for depth then the unit normal and DensePose "
    "V, U, I 0..255; batch statistics in use too",
    "depth_unit": "metres along z, the person's median at 4",
}

HDNET_NORMAL_STAGE: Stage[LabelledSample, LabelledBatch, LabelledExamples, Tensor] = Stage(
    LABELLED, build_normal_net, CONVENTIONS, _read_labelled, prepare_normal, _predict,
    hdnet_normal_objective, hdnet_normal_measures, hdnet_normal_panels,
)  # fmt: skip

HDNET_DEPTH_STAGE: Stage[LabelledSample, LabelledBatch, LabelledExamples, Tensor] = Stage(
    LABELLED_WITH_IUV, build_depth_net, CONVENTIONS, _read_labelled, prepare_depth, _predict,
    hdnet_depth_objective, hdnet_depth_measures, hdnet_depth_panels,
)  # fmt: skip
