"""From a decoded batch to what a step needs, on the training device.

Dimension letters: B images, P parts of a group, R the resolution, r = R / 8.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from schemas.body_parts import GROUPS, PartGroup, crop_size, group_members
from training.data.batches import Batch
from training.run_settings import ModelSettings
from training.twok2k.alignment import PartTransforms, complete_joints, cut_parts, fit_parts
from training.twok2k.augment import compose, enlarge, jitter_colors
from training.twok2k.targets import DepthTargets, coarse, depth_targets, network_depth, normal_z

WHITE = 255


@dataclass(frozen=True, slots=True)
class Prepared:
    """Inputs and truths of one batch.

    image: RGB in -1..1. coarse: at r; full: at R, None where only the coarse nets train.
    part_normals: the true normals of every part, aligned and cut; empty where no part net trains.
    """

    sample_ids: tuple[str, ...]
    image: Float[Tensor, "B 3 R R"]
    transforms: PartTransforms
    coarse: DepthTargets
    full: DepthTargets | None
    part_normals: dict[PartGroup, Tensor]
    focal_px: Float[Tensor, " B"]
    metres_per_unit: Float[Tensor, " B"]


@torch.no_grad()
def prepare(batch: Batch, settings: ModelSettings) -> Prepared:
    """Augment the images and make the truths."""
    resolution = settings.resolution
    front, back = (
        network_depth(length, batch.focal_px, resolution) for length in (batch.front, batch.back)
    )
    z = normal_z(resolution)
    transforms = fit_parts(*complete_joints(batch.keypoints_px, resolution))
    full = depth_targets(front, back, z) if settings.nets == "all" else None
    cuts_parts = settings.stage == "2k2k-normal" and full is not None
    return Prepared(
        batch.sample_ids,
        2 * make_image(batch) - 1,
        transforms,
        depth_targets(coarse(front), coarse(back), z),
        full,
        _cut_truth(full.normals, transforms) if cuts_parts and full is not None else {},
        batch.focal_px,
        batch.metres_per_unit,
    )


def make_image(batch: Batch) -> Float[Tensor, "B 3 R R"]:
    """Return the training images, RGB in 0..1.

    Without jitter a stored background gives the stored image itself; with jitter the person is
    jittered over black, then put before the background, the seam smoothed.
    """
    if batch.jitter is None and batch.background is not None:
        return _to_unit(batch.background)
    person = _to_unit(batch.shaded)
    if batch.jitter is None:
        return person
    inside = batch.front > 0
    person = jitter_colors(person, batch.jitter) * inside
    if batch.background is None:
        return person
    background = _to_unit(batch.background)
    if background.shape[-1] < person.shape[-1]:
        background = enlarge(background, person.shape[-1])
    return compose(person, background, inside)


def autocast(settings: ModelSettings, device: torch.device) -> torch.autocast:
    """Return the context in which nets run: bfloat16 where the settings say so."""
    return torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bf16")


def _cut_truth(
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
