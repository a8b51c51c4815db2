"""Part alignment: similarity transforms from keypoints, cutting parts out and laying them back.

Dimension letters: B images, P parts (of the twelve, or of one group), C channels, H and W rows
and columns of the square image, h and w those of a crop.
Coordinates are -1..1 of the image (corner to corner, align_corners=False), x right, y down.
Source: docs/networks.md, "Part alignment".
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from schemas.body_parts import FALLBACKS, FINGERS, PARTS

MIN_SPREAD = 1 / 1024
"""Joints whose mean distance from their centre is less coincide: one pixel at 2048."""

MIN_SCALE = 1 / 32
"""A fit that shrinks the image more has no usable inverse: its joints contradict the part."""

_MAX_JOINTS = max(len(part.joints) for part in PARTS)


@dataclass(frozen=True, slots=True)
class PartTransforms:
    """For each image and part the similarity from the image to the aligned image.

    fitted: rows (a, -b, tx), (b, a, ty). inverse: the theta of affine_grid that cuts the part out.
    valid: False where joints are missing or coincide: such a part has no transform; its matrices
    are the identity and must not be used.
    """

    fitted: Float[Tensor, "B P 2 3"]
    inverse: Float[Tensor, "B P 2 3"]
    valid: Bool[Tensor, "B P"]

    def select(self, places: tuple[int, ...]) -> "PartTransforms":
        """Keep the parts at these places."""
        index = list(places)
        return PartTransforms(self.fitted[:, index], self.inverse[:, index], self.valid[:, index])


def complete_joints(
    keypoints_px: Float[Tensor, "B 31 3"], resolution: int
) -> tuple[Float[Tensor, "B 33 2"], Bool[Tensor, "B 33"]]:
    """Normalise joints to -1..1, fill toes and heels, and append the mean of each hand's fingers.

    keypoints_px: x, y, known; corner-origin pixels. What is missing is decided by `known`, before
    normalising (the published loader looks for zeros afterwards and never finds them).
    """
    known = keypoints_px[..., 2] > 0
    place = 2 * keypoints_px[..., :2] / resolution - 1
    filled, filled_known = place.clone(), known.clone()
    for joint, substitute in FALLBACKS:
        filled[:, joint] = torch.where(known[:, joint, None], place[:, joint], place[:, substitute])
        filled_known[:, joint] = known[:, joint] | known[:, substitute]
    hands = [_mean_of_known(place[:, list(hand)], known[:, list(hand)]) for hand in FINGERS]
    means = torch.stack([mean for mean, _ in hands], dim=1)
    any_known = torch.stack([some for _, some in hands], dim=1)
    return torch.cat([filled, means], dim=1), torch.cat([filled_known, any_known], dim=1)


def fit_parts(joints: Float[Tensor, "B 33 2"], known: Bool[Tensor, "B 33"]) -> PartTransforms:
    """Fit the similarity of every part by least squares."""
    table = _PartTable.make(joints)
    source, weight = joints[:, table.joints], table.weight
    all_known = (known[:, table.joints] | ~table.weight.bool()).all(dim=-1)
    target = table.targets * _shortening(source, table)[..., None, None]
    parameters, spread = _similarity(source, target, weight)
    a, b = parameters[..., 0], parameters[..., 1]
    scale = torch.sqrt(a * a + b * b)
    valid = all_known & (spread > MIN_SPREAD) & (scale > MIN_SCALE)
    identity = torch.tensor([1.0, 0.0, 0.0, 0.0], device=joints.device, dtype=joints.dtype)
    usable = torch.where(valid[..., None], parameters, identity)
    return PartTransforms(_matrix(usable), _inverse(usable), valid)


def cut_parts(
    images: Float[Tensor, "B C H W"],
    inverse: Float[Tensor, "B P 2 3"],
    crop: tuple[int, int],
) -> Float[Tensor, "B P C h w"]:
    """Align parts and keep the rows and columns centre +- half the crop; 0 outside the image."""
    height, width = crop
    parts = inverse.shape[1]
    base = _base_grid(height, width, images.shape[-1], like=images)
    grid = _transform_grid(base, inverse).flatten(1, 2)
    crops = functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
    batch, channels = images.shape[:2]
    return crops.reshape(batch, channels, parts, height, width).transpose(1, 2)


def lay_back(
    crops: Float[Tensor, "B P C h w"], fitted: Float[Tensor, "B P 2 3"], resolution: int
) -> Float[Tensor, "B P C H W"]:
    """Warp crops back to the full image; 0 where the image lies outside the crop."""
    height, width = crops.shape[-2:]
    base = _base_grid(resolution, resolution, resolution, like=crops)
    to_crop = crops.new_tensor([resolution / width, resolution / height])
    grid = _transform_grid(base, fitted) * to_crop
    full = functional.grid_sample(
        crops.flatten(0, 1), grid.flatten(0, 1), padding_mode="zeros", align_corners=False
    )
    return full.reshape(*crops.shape[:3], resolution, resolution)


@dataclass(frozen=True, slots=True)
class _PartTable:
    """PARTS as tensors, padded to the same number of joints; weight 0 marks the padding.

    ends: which two joints span the distance that may shorten the part; threshold 0: never.
    """

    joints: Tensor
    weight: Tensor
    targets: Tensor
    ends: Tensor
    threshold: Tensor

    @staticmethod
    def make(like: Tensor) -> "_PartTable":
        def pad(row: tuple[Any, ...], filler: object) -> list[Any]:
            return [*row, *[filler] * (_MAX_JOINTS - len(row))]

        shortened = [part.shortened or (0, 0, 0.0) for part in PARTS]
        ones = [pad((1.0,) * len(part.joints), 0.0) for part in PARTS]
        return _PartTable(
            torch.tensor([pad(part.joints, part.joints[0]) for part in PARTS], device=like.device),
            like.new_tensor(ones),
            like.new_tensor([pad(part.targets, (0.0, 0.0)) for part in PARTS]),
            torch.tensor([ends for *ends, _ in shortened], device=like.device),
            like.new_tensor([threshold for *_, threshold in shortened]),
        )


def _shortening(source: Float[Tensor, "B 12 J 2"], table: _PartTable) -> Float[Tensor, "B 12"]:
    """Return the factor on all targets of each part: 1, or distance / threshold below it."""
    part = torch.arange(len(PARTS), device=source.device)
    ends = source[:, part, table.ends[:, 0]] - source[:, part, table.ends[:, 1]]
    distance = torch.linalg.vector_norm(ends, dim=-1)
    may = table.threshold > 0
    ratio = distance / torch.where(may, table.threshold, 1)
    return torch.where(may & (ratio < 1), ratio, 1)


def _similarity(
    source: Float[Tensor, "B P J 2"], target: Float[Tensor, "B P J 2"], weight: Float[Tensor, "P J"]
) -> tuple[Float[Tensor, "B P 4"], Float[Tensor, "B P"]]:
    """Return (a, b, tx, ty) by least squares, and the root mean square spread of the sources."""
    share = (weight / weight.sum(dim=-1, keepdim=True))[..., None]
    source_mean, target_mean = (source * share).sum(dim=-2), (target * share).sum(dim=-2)
    p, q = source - source_mean[..., None, :], target - target_mean[..., None, :]
    variance = (p * p * share).sum(dim=(-1, -2))
    safe = variance.clamp_min(torch.finfo(source.dtype).tiny)
    a = (p * q * share).sum(dim=(-1, -2)) / safe
    cross = p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]
    b = (cross * share[..., 0]).sum(dim=-1) / safe
    tx = target_mean[..., 0] - a * source_mean[..., 0] + b * source_mean[..., 1]
    ty = target_mean[..., 1] - b * source_mean[..., 0] - a * source_mean[..., 1]
    return torch.stack([a, b, tx, ty], dim=-1), torch.sqrt(variance)


def _matrix(parameters: Float[Tensor, "B P 4"]) -> Float[Tensor, "B P 2 3"]:
    a, b, tx, ty = parameters.unbind(dim=-1)
    return torch.stack([a, -b, tx, b, a, ty], dim=-1).reshape(*a.shape, 2, 3)


def _inverse(parameters: Float[Tensor, "B P 4"]) -> Float[Tensor, "B P 2 3"]:
    a, b, tx, ty = parameters.unbind(dim=-1)
    squared = a * a + b * b
    c, d = a / squared, -b / squared
    return _matrix(torch.stack([c, d, d * ty - c * tx, -d * tx - c * ty], dim=-1))


def _base_grid(height: int, width: int, resolution: int, *, like: Tensor) -> Float[Tensor, "h w 3"]:
    """Return (x, y, 1) of the centres of the central height x width pixels of the image."""
    x = (2 * torch.arange(width, device=like.device) + 1 - width) / resolution
    y = (2 * torch.arange(height, device=like.device) + 1 - height) / resolution
    rows, columns = torch.meshgrid(y.to(like.dtype), x.to(like.dtype), indexing="ij")
    return torch.stack([columns, rows, torch.ones_like(rows)], dim=-1)


def _transform_grid(
    base: Float[Tensor, "h w 3"], matrix: Float[Tensor, "B P 2 3"]
) -> Float[Tensor, "B P h w 2"]:
    return torch.einsum("hwk,bpik->bphwi", base, matrix)


def _mean_of_known(
    place: Float[Tensor, "B F 2"], known: Bool[Tensor, "B F"]
) -> tuple[Float[Tensor, "B 2"], Bool[Tensor, " B"]]:
    count = known.sum(dim=1)
    total = (place * known[..., None]).sum(dim=1)
    return total / count.clamp_min(1)[:, None], count > 0
