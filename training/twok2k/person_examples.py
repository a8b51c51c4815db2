"""From a decoded batch to what a step needs, on the training device.

Dimension letters: B images, P parts of a group, R the resolution, r = R / 8.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from schemas.body_parts import GROUPS, PartGroup, crop_size, group_members
from training.loop.stage_types import Examples
from training.run_settings import ModelSettings
from training.twok2k.alignment import PartTransforms, complete_joints, cut_parts, fit_parts
from training.twok2k.augment import (
    WHITE,
    Window,
    compose,
    enlarge,
    jitter_colors,
    people_window,
)
from training.twok2k.person_samples import PersonBatch
from training.twok2k.targets import DepthTargets, coarse, depth_targets, network_depth, normal_z


@dataclass(frozen=True, slots=True)
class PersonExamples(Examples):
    """Inputs of both phases, and what turns network units into millimetres.

    image: RGB in -1..1. focal_px: at R. metres_per_unit: of a scene unit.
    """

    image: Float[Tensor, "B 3 R R"]
    transforms: PartTransforms
    focal_px: Float[Tensor, " B"]
    metres_per_unit: Float[Tensor, " B"]


@dataclass(frozen=True, slots=True)
class NormalExamples(PersonExamples):
    """Inputs and targets of phase 1.

    coarse: at r. part_normals: for each group (B, P, 6, h, w), the target normals of every part,
    aligned and cut; empty where no part net trains.
    """

    coarse: DepthTargets
    part_normals: dict[PartGroup, Tensor]


@dataclass(frozen=True, slots=True)
class DepthExamples(PersonExamples):
    """Inputs and targets of phase 2. full: at R."""

    full: DepthTargets


@torch.no_grad()
def prepare_normal(batch: PersonBatch, settings: ModelSettings) -> NormalExamples:
    """Augment the images and make the targets of phase 1."""
    front, back = network_depths(batch, settings.resolution)
    z = normal_z(settings.resolution)
    transforms = _fit_parts(batch, settings.resolution)
    parts: dict[PartGroup, Tensor] = {}
    if settings.nets == "all":
        parts = _cut_targets(depth_targets(front, back, z).normals, transforms)
    return NormalExamples(
        *_inputs(batch, transforms), depth_targets(coarse(front), coarse(back), z), parts
    )


@torch.no_grad()
def prepare_depth(batch: PersonBatch, settings: ModelSettings) -> DepthExamples:
    """Augment the images and make the targets of phase 2."""
    front, back = network_depths(batch, settings.resolution)
    transforms = _fit_parts(batch, settings.resolution)
    full = depth_targets(front, back, normal_z(settings.resolution))
    return DepthExamples(*_inputs(batch, transforms), full)


def make_image(batch: PersonBatch) -> Float[Tensor, "B 3 R R"]:
    """Return the training images, RGB in 0..1.

    Without jitter a stored background gives the stored image itself; with jitter the person is
    jittered over black, then put before the background, the seam smoothed.
    """
    image, window = _make_ground(batch), people_window(batch.front)
    if window is not None and not _is_as_stored(batch):
        image[..., *window] = _draw_people(batch, image[..., *window], window)
    return image


def _is_as_stored(batch: PersonBatch) -> bool:
    """Say whether a stored image is the one to train on."""
    behind = batch.background
    return batch.jitter is None and (behind is None or behind.shape == batch.shaded.shape)


def _make_ground(batch: PersonBatch) -> Float[Tensor, "B 3 R R"]:
    """Return what people are drawn on, RGB in 0..1, in memory of its own."""
    if batch.background is None and not _is_as_stored(batch):
        return torch.zeros(batch.shaded.shape, device=batch.shaded.device).permute(0, 3, 1, 2)
    image = _to_unit(batch.shaded if batch.background is None else batch.background)
    resolution = batch.shaded.shape[1]
    return enlarge(image, resolution) if image.shape[-1] < resolution else image


def _draw_people(
    batch: PersonBatch, ground: Float[Tensor, "B 3 H W"], window: Window
) -> Float[Tensor, "B 3 H W"]:
    """Return the people of a window before its ground; all else lies outside of it."""
    person, inside = _to_unit(batch.shaded[:, *window]), batch.front[..., *window] > 0
    if batch.jitter is not None:
        person = jitter_colors(person, batch.jitter, batch.mean_grey).mul_(inside)
    return person if batch.background is None else compose(person, ground, inside)


def network_depths(batch: PersonBatch, resolution: int) -> tuple[Tensor, Tensor]:
    """Return front and back depth (B, 1, R, R) in network units, 0 outside."""
    front, back = (
        network_depth(length, batch.focal_px, resolution) for length in (batch.front, batch.back)
    )
    return front, back


def _fit_parts(batch: PersonBatch, resolution: int) -> PartTransforms:
    return fit_parts(*complete_joints(batch.keypoints_px, resolution))


def _inputs(
    batch: PersonBatch, transforms: PartTransforms
) -> tuple[tuple[str, ...], Tensor, PartTransforms, Tensor, Tensor]:
    """Return the fields of PersonExamples in order."""
    image = make_image(batch).mul_(2).sub_(1)
    return batch.sample_ids, image, transforms, batch.focal_px, batch.metres_per_unit


def _cut_targets(
    normals: Float[Tensor, "B 6 R R"], transforms: PartTransforms
) -> dict[PartGroup, Tensor]:
    return {
        group: cut_parts(
            normals,
            transforms.select(group_members(group)).inverse,
            crop_size(group, normals.shape[-1]),
        )
        for group in GROUPS
    }


def _to_unit(image: Tensor) -> Float[Tensor, "B 3 H W"]:
    return image.permute(0, 3, 1, 2).float() / WHITE
