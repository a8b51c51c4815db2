from itertools import permutations

import cv2
import numpy as np
import pytest
import torch

from training.data.augmentation_sampler import AugmentationSampler
from training.twok2k.augment import (
    compose,
    enlarge,
    jitter_colors,
    measure_grey,
    people_window,
    sorted_median3,
)

NEUTRAL = [1.0, 1.0, 1.0]
LUMA = torch.tensor([0.299, 0.587, 0.114])[None, :, None, None]


def jitter(factors: list[float]) -> torch.Tensor:
    return torch.tensor([factors])


def two_pixels() -> torch.Tensor:
    """One red and one grey pixel."""
    return torch.tensor([[[[0.8, 0.5]], [[0.2, 0.5]], [[0.2, 0.5]]]])


def test_brightness_scales_towards_black() -> None:
    changed = jitter_colors(two_pixels(), jitter([0.7, 1.0, 1.0]))
    torch.testing.assert_close(changed, 0.7 * two_pixels())


def test_contrast_blends_with_the_mean_grey() -> None:
    grey = 0.299 * 0.8 + 0.587 * 0.2 + 0.114 * 0.2
    expected = 0.8 * two_pixels() + 0.2 * (grey + 0.5) / 2
    changed = jitter_colors(two_pixels(), jitter([1.0, 0.8, 1.0]))
    torch.testing.assert_close(changed, expected)


def test_saturation_blends_each_pixel_with_its_own_grey() -> None:
    grey = 0.299 * 0.8 + 0.587 * 0.2 + 0.114 * 0.2
    changed = jitter_colors(two_pixels(), jitter([1.0, 1.0, 0.9]))
    assert changed[0, :, 0, 0].tolist() == pytest.approx(
        [0.72 + 0.1 * grey, 0.18 + 0.1 * grey, 0.18 + 0.1 * grey]
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_order_of_the_three_changes_gives_the_same(order: tuple[int, ...]) -> None:
    factors = [0.75, 0.8, 0.9]
    image = torch.rand(1, 3, 4, 4)
    step = image
    for change in order:
        grey = (step * LUMA).sum(dim=1, keepdim=True)
        towards = (torch.zeros_like(grey), grey.mean().expand_as(grey), grey)[change]
        step = (factors[change] * step + (1 - factors[change]) * towards).clamp(0, 1)
    torch.testing.assert_close(jitter_colors(image, jitter(factors)), step)


def test_every_image_of_a_batch_has_its_own_jitter() -> None:
    images = two_pixels().expand(2, -1, -1, -1)
    both = torch.tensor([NEUTRAL, [0.7, 1.0, 1.0]])
    changed = jitter_colors(images, both)
    torch.testing.assert_close(changed[0], images[0])
    torch.testing.assert_close(changed[1], 0.7 * images[1])


def test_a_window_with_the_mean_of_its_image_is_changed_as_in_the_image() -> None:
    pixels = torch.randint(0, 256, (2, 30, 20, 3), dtype=torch.uint8)
    images = pixels.permute(0, 3, 1, 2) / 255
    factors, part = torch.tensor([[0.7, 0.8, 0.9], [1.0, 0.7, 0.8]]), np.s_[..., 4:20, 3:12]
    mean = measure_grey(list(pixels.numpy()))
    torch.testing.assert_close(mean, (images * LUMA).sum(dim=1).mean(dim=(1, 2)))
    changed = jitter_colors(images[part], factors, mean)
    torch.testing.assert_close(changed, jitter_colors(images, factors)[part])


def draw_jitter(seed: int, names: tuple[str, ...], epoch: int) -> torch.Tensor:
    factors = AugmentationSampler(seed).draw_jitter(names, epoch)
    assert factors is not None
    return factors


def test_draws_belong_to_seed_sample_and_epoch_alone() -> None:
    one = draw_jitter(1, ("a", "b"), 3)
    other = draw_jitter(1, ("b",), 3)
    assert one[1].tolist() == other[0].tolist()
    assert draw_jitter(1, ("b",), 4)[0].tolist() != other[0].tolist()


def test_factors_lie_between_seven_tenths_and_one() -> None:
    factors = draw_jitter(0, tuple(str(n) for n in range(300)), 0)
    assert 0.7 <= float(factors.min()) < 0.71
    assert 0.99 < float(factors.max()) <= 1


def test_the_median_of_nine_is_opencvs() -> None:
    image = torch.rand(1, 3, 33, 20)
    ours = sorted_median3(image)[0].permute(1, 2, 0).numpy()
    theirs = cv2.medianBlur(np.ascontiguousarray(image[0].permute(1, 2, 0).numpy()), 3)
    np.testing.assert_array_equal(ours, theirs)


def test_away_from_the_seam_nothing_is_smoothed() -> None:
    inside = torch.zeros(1, 1, 16, 16, dtype=torch.bool)
    inside[..., 4:12, 4:12] = True
    person, background = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    composed = compose(person, background, inside)
    torch.testing.assert_close(composed[..., 6:10, 6:10], person[..., 6:10, 6:10])
    torch.testing.assert_close(composed[..., :2, :2], background[..., :2, :2])


def test_the_seam_is_where_the_blurred_mask_is_between_a_fifth_and_four_fifths() -> None:
    inside = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    inside[..., 4:] = True
    composed = compose(torch.ones(1, 3, 8, 8), torch.zeros(1, 3, 8, 8), inside)
    # [1 2 1] / 4 of a step gives 0.25 and 0.75 on its two sides; the median leaves the step,
    # and [1 4 6 4 1] / 16 gives 5/16 and 11/16 there.
    expected = [0, 0, 0, 5 / 16, 11 / 16, 1, 1, 1]
    assert composed[0, 0, 4].tolist() == pytest.approx(expected)


@pytest.mark.parametrize("corner", [(0, 0), (20, 9), (39, 27)])
def test_filtering_the_window_alone_equals_filtering_the_whole_image(
    corner: tuple[int, int],
) -> None:
    inside = torch.zeros(1, 1, 64, 48, dtype=torch.bool)
    inside[..., corner[0] : corner[0] + 25, corner[1] : corner[1] + 21] = True
    inside &= torch.rand(1, 1, 64, 48) > 0.3
    person, background = torch.rand(1, 3, 64, 48), torch.rand(1, 3, 64, 48)
    together = torch.where(inside, person, background)
    blur, triangle = np.array([1, 4, 6, 4, 1]) / 16, np.array([1, 2, 1]) / 4
    planes = [
        cv2.sepFilter2D(
            cv2.medianBlur(plane.numpy(), 3), -1, blur, blur, borderType=cv2.BORDER_REPLICATE
        )
        for plane in together[0]
    ]
    edge = cv2.sepFilter2D(
        inside[0, 0].float().numpy(), -1, triangle, triangle, borderType=cv2.BORDER_REPLICATE
    )
    expected = np.where((edge >= 0.2) & (edge <= 0.8), np.stack(planes), together[0].numpy())
    composed = compose(person, background, inside)
    np.testing.assert_allclose(composed[0].numpy(), expected, atol=1e-5)
    window = people_window(inside.float())
    assert window is not None
    near = [image[..., *window] for image in (person, background, inside)]
    assert torch.equal(compose(near[0], near[1], near[2]), composed[..., *window])


def test_a_image_of_nobody_is_its_background() -> None:
    nobody = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    background = torch.rand(1, 3, 8, 8)
    assert torch.equal(compose(torch.rand(1, 3, 8, 8), background, nobody), background)


def test_a_crop_is_enlarged_to_the_image() -> None:
    assert enlarge(torch.rand(1, 3, 64, 64), 128).shape == (1, 3, 128, 128)
