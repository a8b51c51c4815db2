import math

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor

from training.twok2k.person_losses import (
    _check_shapes,
    depth_normal_term,
    depth_term,
    l1,
    mask_cross_entropy,
    masked_smooth_l1,
    normal_term,
    one_minus_ssim,
    smooth_l1,
    weighted_l1,
)


def planes(*values: float) -> Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 3, 6, 6)


def test_l1_is_the_mean_of_each_sample() -> None:
    prediction = torch.tensor([[[[0.0, 2.0]]], [[[1.0, 1.0]]]])
    truth = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 0.0]]]])
    assert l1(prediction, truth).tolist() == [1.5, 0.5]


def test_smooth_l1_is_square_below_one_and_straight_above() -> None:
    prediction = torch.tensor([[[[0.5, 3.0]]]])
    assert float(smooth_l1(prediction, torch.zeros(1, 1, 1, 2))) == pytest.approx((0.125 + 2.5) / 2)


def test_mask_loss_of_one_sigmoid_gets_near_zero() -> None:
    logit, inside = torch.tensor([[[[30.0, -30.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    assert float(mask_cross_entropy(logit, inside)) == pytest.approx(0, abs=1e-9)


def test_mask_loss_at_logit_zero_is_log_two() -> None:
    zero = torch.zeros(1, 1, 2, 2)
    assert float(mask_cross_entropy(zero, torch.ones(1, 1, 2, 2))) == pytest.approx(math.log(2))


def test_published_mask_loss_of_a_perfect_mask_stays_at_its_floor() -> None:
    logit, inside = torch.tensor([[[[60.0, -60.0]]]]), torch.tensor([[[[1.0, 0.0]]]])
    floor = (math.log(1 + math.exp(-1)) + math.log(2)) / 2
    published = mask_cross_entropy(logit, inside, form="published")
    assert float(published) == pytest.approx(floor, rel=1e-6)


def test_ssim_of_equal_images_is_one() -> None:
    image = torch.rand(2, 3, 8, 8)
    assert one_minus_ssim(image, image).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_ssim_of_constants_is_their_luminance_term() -> None:
    # No variance: the structure term is 1, luminance (2 a b + C1) / (a^2 + b^2 + C1).
    expected = 1 - (2 * 0.2 * 0.8 + 1e-4) / (0.04 + 0.64 + 1e-4)
    assert float(one_minus_ssim(planes(0.2), planes(0.8))) == pytest.approx(expected, rel=1e-4)


def test_ssim_agrees_with_its_formula_at_the_one_window_of_a_small_image() -> None:
    one, other = torch.rand(1, 1, 5, 5), torch.rand(1, 1, 5, 5)
    bell = np.exp(-(np.arange(-2, 3) ** 2) / (2 * 1.5**2))
    weights = np.outer(bell, bell) / np.outer(bell, bell).sum()
    a, b = one[0, 0].double().numpy(), other[0, 0].double().numpy()
    ma, mb = (weights * a).sum(), (weights * b).sum()
    va, vb = (weights * (a - ma) ** 2).sum(), (weights * (b - mb) ** 2).sum()
    cov = (weights * (a - ma) * (b - mb)).sum()
    ssim = (2 * ma * mb + 1e-4) / (ma**2 + mb**2 + 1e-4) * (2 * cov + 9e-4) / (va + vb + 9e-4)
    assert float(one_minus_ssim(one, other)) == pytest.approx(1 - max(ssim, 0), abs=1e-5)


def test_negative_similarity_counts_as_none() -> None:
    stripes = torch.tensor([0.0, 1.0]).repeat(4).expand(1, 1, 8, 8)
    assert float(one_minus_ssim(stripes, 1 - stripes)) == 1


def test_normal_term_sums_likeness_over_samples_and_averages_structure() -> None:
    prediction, truth = planes(0.5, 0.5, 0.5, 0.5), planes(0.4, 0.3, 0.2, 0.1)
    likeness = 0.1 + 0.2 + 0.3 + 0.4
    structure = sum(1 - (a + 1e-4) / (0.25 + a * a + 1e-4) for a in (0.4, 0.3, 0.2, 0.1)) / 4
    expected = 0.5 * (0.85 * likeness + 0.15 * structure)
    assert float(normal_term(prediction, truth, torch.ones(4))) == pytest.approx(expected, rel=1e-4)


def test_a_sample_that_does_not_count_changes_nothing() -> None:
    alone = normal_term(planes(0.5), planes(0.4), torch.ones(1))
    with_other = normal_term(planes(0.5, 0.9), planes(0.4, 0.1), torch.tensor([1.0, 0.0]))
    torch.testing.assert_close(alone, with_other)


def test_weighted_l1_counts_pixels_outside_a_tenth() -> None:
    target = torch.tensor([[[[0.5, 0.0]], [[0.0, 0.0]], [[0.9, 0.0]]]])
    prediction = target + torch.tensor([0.2, 0.4])
    # (1 * 0.2 + 0.1 * 0.4) / (1 + 0.1): a channel that is 0 inside counts as its pixel does.
    value = float(weighted_l1(prediction, target, outside=0.1))
    assert value == pytest.approx(0.24 / 1.1)


def test_a_normal_term_that_counts_nothing_outside_does_not_see_what_is_predicted_there() -> None:
    target, counts = torch.rand(1, 3, 8, 8), torch.ones(1)
    target[..., 4:] = 0
    other = target + 3 * (target == 0)
    assert float(normal_term(other, target, counts, outside=0)) == pytest.approx(0, abs=1e-6)


def test_normal_term_without_any_sample_is_zero() -> None:
    assert float(normal_term(planes(0.5), planes(0.4), torch.zeros(1))) == 0


def test_depth_term_sums_over_samples() -> None:
    prediction, truth = torch.full((3, 1, 2, 2), 4.0), torch.full((3, 1, 2, 2), 6.0)
    everywhere = torch.ones(3, 1, 2, 2)
    assert float(depth_term(prediction, truth, everywhere)) == pytest.approx(0.85 * 1.5 * 3)


def test_masked_smooth_l1_is_square_below_beta_and_straight_above() -> None:
    prediction, inside = torch.tensor([[[[0.05, 1.0, 9.0]]]]), torch.tensor([[[[1.0, 1.0, 0.0]]]])
    value = masked_smooth_l1(prediction, torch.zeros(1, 1, 1, 3), inside, beta=0.1)
    assert float(value) == pytest.approx((0.05**2 / 0.2 + (1 - 0.05)) / 2)


def test_the_masked_depth_term_ignores_the_background_and_what_is_predicted_there() -> None:
    inside = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    prediction = torch.full((1, 1, 2, 2), 2.0) + 4 * (1 - inside)
    assert float(depth_term(prediction, torch.full_like(inside, 2.0), inside, form="masked")) == 0


def test_the_masked_depth_term_of_a_sample_without_a_person_is_zero() -> None:
    nobody = torch.zeros(2, 1, 2, 2)
    assert float(depth_term(nobody + 1, nobody, nobody, form="masked")) == 0


def test_masked_depth_normals_are_divided_by_the_persons_pixels() -> None:
    inside = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    value = depth_normal_term(
        torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2), inside, form="masked"
    )
    assert float(value) == pytest.approx(0.15 * (1 - 0.05))


def test_depth_normals_count_inside_but_all_pixels_divide() -> None:
    prediction, truth = torch.ones(1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    inside = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]]])
    value = float(depth_normal_term(prediction, truth, inside))
    assert value == pytest.approx(0.15 * 0.5 / 4)


@pytest.mark.parametrize("loss", [l1, smooth_l1, mask_cross_entropy, one_minus_ssim])
def test_unlike_shapes_are_refused(loss: object) -> None:
    assert callable(loss)
    with pytest.raises(TypeCheckError, match=r"Actual value: f32\[1,3,4,5\]"):
        loss(torch.zeros(1, 3, 4, 4), torch.zeros(1, 3, 4, 5))


def test_the_refusal_of_unlike_shapes_names_the_loss_and_both() -> None:
    with pytest.raises(ValueError, match=r"l1: \(1, 2\) against \(1, 3\)"):
        _check_shapes("l1", torch.zeros(1, 2), torch.zeros(1, 3))
