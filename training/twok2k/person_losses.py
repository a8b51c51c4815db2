"""The losses of 2K2K, pure: a value for each sample of the first dimension, no reduction hidden.

Dimension letters: N samples (images or crops), C channels, H rows, W columns.
Source: docs/losses.md, "2K2K terms".
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from schemas.train_forms import DepthLossForm, MaskLossForm

SSIM_WINDOW, SSIM_SIGMA = 5, 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
"""For a data range of 1."""

MASKED_BETA = 0.1
"""Network units. People are about 0.16 deep: with the published 1 all their errors are squares."""

OUTSIDE_WEIGHT = 0.1
"""Of a pixel beside the person in the masked loss of part normals."""

LIKENESS, STRUCTURE = 0.85, 0.15
NORMAL_TERM = 0.5


def l1(
    prediction: Float[Tensor, "N C H W"], target: Float[Tensor, "N C H W"]
) -> Float[Tensor, " N"]:
    """Return the mean absolute difference of each sample."""
    _check_shapes("l1", prediction, target)
    return (prediction - target).abs().flatten(1).mean(dim=1)


def weighted_l1(
    prediction: Float[Tensor, "N C H W"], target: Float[Tensor, "N C H W"], *, outside: float
) -> Float[Tensor, " N"]:
    """Return the mean of each sample with weight 1 where the target is not 0, else `outside`.

    target: mapped normals, 0 in all channels outside the person. 0 where no pixel has a weight.
    """
    _check_shapes("weighted_l1", prediction, target)
    weight = torch.where(_inside(target), 1.0, outside).expand_as(target)
    total = (weight * (prediction - target).abs()).flatten(1).sum(dim=1)
    return total / weight.flatten(1).sum(dim=1).clamp_min(1)


def smooth_l1(
    prediction: Float[Tensor, "N C H W"], target: Float[Tensor, "N C H W"]
) -> Float[Tensor, " N"]:
    """Return the mean of each sample of d^2 / 2 where |d| < 1, else |d| - 1/2."""
    _check_shapes("smooth_l1", prediction, target)
    return functional.smooth_l1_loss(prediction, target, reduction="none").flatten(1).mean(dim=1)


def masked_smooth_l1(
    prediction: Float[Tensor, "N C H W"],
    target: Float[Tensor, "N C H W"],
    inside: Float[Tensor, "N 1 H W"],
    *,
    beta: float,
) -> Float[Tensor, " N"]:
    """Return the mean over each sample's pixels inside, 0 where none is.

    Of d^2 / (2 beta) where |d| < beta, else |d| - beta / 2. inside: 0 or 1.
    """
    _check_shapes("masked_smooth_l1", prediction, target)
    each = functional.smooth_l1_loss(prediction, target, reduction="none", beta=beta)
    number = (inside.sum(dim=(1, 2, 3)) * prediction.shape[1]).clamp_min(1)
    return (each * inside).flatten(1).sum(dim=1) / number


def mask_cross_entropy(
    logit: Float[Tensor, "N C H W"],
    inside: Float[Tensor, "N C H W"],
    *,
    form: MaskLossForm = "single_sigmoid",
) -> Float[Tensor, " N"]:
    """Return the mean binary cross entropy of each sample.

    logit: before the sigmoid. inside: 0 or 1. form "published" puts a second sigmoid on top of
    the first, so that the loss never gets below log(1 + 1/e) = 0.313.
    """
    _check_shapes("mask_cross_entropy", logit, inside)
    value = torch.sigmoid(logit) if form == "published" else logit
    entropy = functional.binary_cross_entropy_with_logits(value, inside, reduction="none")
    return entropy.flatten(1).mean(dim=1)


def one_minus_ssim(
    prediction: Float[Tensor, "N C H W"], target: Float[Tensor, "N C H W"]
) -> Float[Tensor, " N"]:
    """Return 1 - structural similarity of each sample, in 0..1.

    Both in 0..1. Gaussian window of 5, sigma 1.5, no padding; a channel whose similarity is
    negative counts as 0; then the mean over channels. Source: Wang et al. 2004.
    """
    _check_shapes("one_minus_ssim", prediction, target)
    mean_p, mean_t = _blur(prediction), _blur(target)
    variance_p = _blur(prediction * prediction) - mean_p * mean_p
    variance_t = _blur(target * target) - mean_t * mean_t
    covariance = _blur(prediction * target) - mean_p * mean_t
    luminance = (2 * mean_p * mean_t + SSIM_C1) / (mean_p**2 + mean_t**2 + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (variance_p + variance_t + SSIM_C2)
    similarity = (luminance * structure).flatten(2).mean(dim=2)
    return 1 - similarity.clamp_min(0).mean(dim=1)


def normal_term(
    prediction: Float[Tensor, "N 3 H W"],
    target: Float[Tensor, "N 3 H W"],
    counts: Float[Tensor, " N"],
    *,
    outside: float = 1,
) -> Float[Tensor, ""]:
    """Return 0.5 * (0.85 L1 + 0.15 (1 - SSIM)) of one net's front or back normals.

    L1 is summed over the samples, 1 - SSIM is one mean over them (the published reduction).
    counts: 1 for a sample that counts, 0 for a part without transform. outside: what a pixel
    beside the person counts; published 1; with 0 the prediction is nowhere looked at there.
    """
    if outside == 0:
        prediction = prediction * _inside(target)
    each = l1(prediction, target) if outside == 1 else weighted_l1(
        prediction, target, outside=outside
    )  # fmt: skip
    likeness = (each * counts).sum()
    structure = (one_minus_ssim(prediction, target) * counts).sum() / counts.sum().clamp_min(1)
    return NORMAL_TERM * (LIKENESS * likeness + STRUCTURE * structure)


def depth_term(
    prediction: Float[Tensor, "N 1 H W"],
    target: Float[Tensor, "N 1 H W"],
    inside: Float[Tensor, "N 1 H W"],
    *,
    form: DepthLossForm = "published",
) -> Float[Tensor, ""]:
    """Return 0.85 * smooth L1 of one surface, summed over the samples.

    Both in network units; outside the person the front is 6 and the back 0. form "published":
    all pixels, beta 1. "masked": the person's pixels alone, beta MASKED_BETA.
    """
    if form == "masked":
        return LIKENESS * masked_smooth_l1(prediction, target, inside, beta=MASKED_BETA).sum()
    return LIKENESS * smooth_l1(prediction, target).sum()


def depth_normal_term(
    prediction: Float[Tensor, "N 3 H W"],
    target: Float[Tensor, "N 3 H W"],
    inside: Float[Tensor, "N 1 H W"],
    *,
    form: DepthLossForm = "published",
) -> Float[Tensor, ""]:
    """Return 0.15 * smooth L1 of the normals of one surface's depth, summed over the samples.

    Both are set to 0 outside the person. form "published": all pixels divide, beta 1. "masked":
    the person's pixels divide, beta MASKED_BETA.
    """
    if form == "masked":
        return STRUCTURE * masked_smooth_l1(prediction, target, inside, beta=MASKED_BETA).sum()
    return STRUCTURE * smooth_l1(prediction * inside, target * inside).sum()


def _blur(values: Float[Tensor, "N C H W"]) -> Float[Tensor, "N C h w"]:
    """Blur by the Gaussian window, both ways, keeping only whole windows."""
    offset = torch.arange(SSIM_WINDOW, device=values.device, dtype=values.dtype) - SSIM_WINDOW // 2
    bell = torch.exp(-(offset**2) / (2 * SSIM_SIGMA**2))
    kernel = (bell / bell.sum()).expand(values.shape[1], 1, 1, -1)
    along_rows = functional.conv2d(values, kernel, groups=values.shape[1])
    return functional.conv2d(along_rows, kernel.transpose(2, 3), groups=values.shape[1])


def _inside(normals: Float[Tensor, "N C H W"]) -> Bool[Tensor, "N 1 H W"]:
    """Return where mapped normals are those of a person: outside all channels are 0."""
    return (normals > 0).any(dim=1, keepdim=True)


def _check_shapes(name: str, prediction: Tensor, target: Tensor) -> None:
    if prediction.shape != target.shape:
        raise ValueError(f"{name}: {tuple(prediction.shape)} against {tuple(target.shape)}")
