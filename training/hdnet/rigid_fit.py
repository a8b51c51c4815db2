"""The rigid motions that carry sets of points onto others, in closed form, with a safe gradient.

Dimension letters: G groups of points, N points of all groups together. Points: metres.
Source: Kabsch 1976 and Umeyama 1991 (reflections); docs/losses.md, "Warping".
"""

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

MIN_POINTS = 3
"""Fewer leave the rotation open."""

MIN_STIFFNESS = 1e-4
"""Of the largest singular value: below it the points lie on a line, or a mirror image fits too."""


@dataclass(frozen=True, slots=True)
class RigidFits:
    """One motion a group: y = R x + t. fits: False where the points leave R open; R is then I."""

    rotation: Float[Tensor, "G 3 3"]
    shift: Float[Tensor, "G 3"]
    fits: Bool[Tensor, " G"]

    def carry(
        self, points: Float[Tensor, "N 3"], group: Int64[Tensor, " N"]
    ) -> Float[Tensor, "N 3"]:
        """Move each point as its group moves."""
        turned = (self.rotation[group] @ points[:, :, None])[:, :, 0]
        return turned + self.shift[group]


def fit_rigid(
    source: Float[Tensor, "N 3"],
    target: Float[Tensor, "N 3"],
    group: Int64[Tensor, " N"],
    groups: int,
) -> RigidFits:
    """Fit every group's motion from source to target by least squares; never a reflection."""
    counts = torch.zeros(groups, dtype=source.dtype, device=source.device)
    counts = counts.index_add(0, group, torch.ones_like(source[:, 0]))
    means = [_sum_groups(one, group, groups) / counts.clamp_min(1)[:, None]
             for one in (source, target)]  # fmt: skip
    x, y = (one - mean[group] for one, mean in zip((source, target), means, strict=True))
    covariance = _sum_groups(x[:, :, None] * y[:, None, :], group, groups)
    covariance = covariance / counts.clamp_min(1)[:, None, None]
    fits = (counts >= MIN_POINTS) & _is_stiff(covariance.detach())
    identity = torch.eye(3, dtype=source.dtype, device=source.device).expand(groups, 3, 3)
    safe = torch.where(fits[:, None, None], covariance, identity)
    rotation = nearest_rotation(safe)
    shift = means[1] - (rotation @ means[0][:, :, None])[:, :, 0]
    return RigidFits(rotation, shift, fits)


def nearest_rotation(covariance: Float[Tensor, "G 3 3"]) -> Float[Tensor, "G 3 3"]:
    """Return the rotations R with the largest trace of R times the covariance of (x, y).

    The gradient divides by sums of two singular values, never by differences, so equal ones do no
    harm. It is not finite where `fit_rigid` says that nothing fits.
    """
    rotation: Tensor = _NearestRotation.apply(covariance)  # type: ignore[no-untyped-call]  # torch
    return rotation


class _NearestRotation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, covariance: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
        left, values, right = torch.linalg.svd(covariance)
        sign = _proper_sign(left, right)
        signs = torch.stack([torch.ones_like(sign), torch.ones_like(sign), sign], dim=-1)
        axes = right.mT
        rotation: Tensor = (axes * signs[:, None, :]) @ left.mT
        ctx.save_for_backward(rotation, axes, values * signs)
        return rotation

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
        """With R C = V s V': dR = T R, T antisymmetric, T P + P T = dC' R' - R dC for P = R C."""
        rotation, axes, values = ctx.saved_tensors
        turned = axes.mT @ gradients[0] @ rotation.mT @ axes
        sums = values[:, :, None] + values[:, None, :]
        across = ~torch.eye(3, dtype=torch.bool, device=sums.device)
        shares = torch.where(across, turned / torch.where(across, sums, 1), 0)
        inner = axes @ shares @ axes.mT
        answer: Tensor = rotation.mT @ (inner.mT - inner)
        return answer


def _proper_sign(left: Tensor, right: Tensor) -> Float[Tensor, " G"]:
    """Return -1 where the plain product of the factors would mirror, else 1."""
    sign: Tensor = torch.where(torch.linalg.det(left @ right) < 0, -1.0, 1.0).to(left.dtype)
    return sign


def _is_stiff(covariance: Float[Tensor, "G 3 3"]) -> Bool[Tensor, " G"]:
    """Say where the best rotation is the only one."""
    left, values, right = torch.linalg.svd(covariance)
    rest = values[:, 1] + _proper_sign(left, right) * values[:, 2]
    stiff: Tensor = (rest > MIN_STIFFNESS * values[:, 0]) & (values[:, 0] > 0)
    return stiff


def _sum_groups(values: Tensor, group: Int64[Tensor, " N"], groups: int) -> Tensor:
    empty = torch.zeros((groups, *values.shape[1:]), dtype=values.dtype, device=values.device)
    return empty.index_add(0, group, values)
