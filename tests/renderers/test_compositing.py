import numpy as np
import pytest

from renderers.compositing import composite, crop_background, crop_side, filter_seam_of

WHITE, BLACK = np.full((40, 40, 3), 255, np.uint8), np.zeros((40, 40, 3), np.uint8)
MASK = np.zeros((40, 40), bool)
MASK[10:30, 10:30] = True


def test_away_from_the_seam_the_person_and_the_background_are_untouched() -> None:
    image = composite(WHITE, MASK, BLACK)
    assert (image[13:27, 13:27] == 255).all()
    assert not image[:7].any()


def test_a_hard_seam_is_a_plain_paste() -> None:
    image = composite(WHITE, MASK, BLACK, filter_seam=False)
    assert np.array_equal(image, np.where(MASK[..., None], WHITE, BLACK))


def test_the_seam_is_smoothed_by_the_published_kernel() -> None:
    # A straight edge of 255 against 0: the median leaves it, [1 4 6 4 1] / 16 makes 11 / 16 and
    # 5 / 16 of the two pixels whose blurred mask lies in 0.2..0.8 (3 / 4 and 1 / 4).
    row = composite(WHITE, MASK, BLACK)[20, 7:13, 0]
    assert row.tolist() == [0, 0, pytest.approx(80, abs=1), pytest.approx(175, abs=1), 255, 255]


def test_composite_does_not_write_into_the_background() -> None:
    composite(WHITE, MASK, BLACK)
    assert not BLACK.any()


def test_an_empty_mask_gives_the_background() -> None:
    assert np.array_equal(composite(WHITE, np.zeros((40, 40), bool), BLACK), BLACK)


def test_the_window_does_not_change_what_the_seam_filter_does() -> None:
    rng = np.random.default_rng(0)
    person, behind = rng.integers(0, 256, (2, 40, 40, 3), np.uint8)
    pasted = np.where(MASK[..., None], person, behind)
    assert np.array_equal(composite(person, MASK, behind), filter_seam_of(pasted, MASK))


@pytest.mark.parametrize(
    ("size", "resolution", "side"),
    [((1024, 1500), 2048, 1024), ((3000, 4000), 2048, 2048), ((1024, 1024), 256, 1024),
     ((4000, 3000), 256, 2048), ((5000, 5000), 4096, 4096)],
)  # fmt: skip
def test_a_background_is_enlarged_by_the_least_that_covers(
    size: tuple[int, int], resolution: int, side: int
) -> None:
    assert crop_side(*size, resolution) == side


@pytest.mark.parametrize("shape", [(300, 400), (64, 64), (40, 90)])
def test_a_crop_has_the_resolution(shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert crop_background(image, 64, np.random.default_rng(1)).shape == (64, 64, 3)


def test_the_same_generator_gives_the_same_crop() -> None:
    image = np.random.default_rng(0).integers(0, 256, (3000, 2100, 3), np.uint8)
    one, other = (crop_background(image, 2048, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, other)
