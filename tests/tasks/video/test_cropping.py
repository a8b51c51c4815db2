import numpy as np
import pytest

from tasks.video.cropping import (
    WHOLE,
    Box,
    Crop,
    box_of,
    choose_crop,
    crop_color,
    crop_iuv,
    crop_mask,
)


def test_a_box_ends_after_its_last_pixel() -> None:
    mask = np.zeros((10, 12), bool)
    mask[2:5, 3:9] = True
    assert box_of(mask) == Box(3, 2, 9, 5)


def test_the_person_takes_the_wanted_share_and_stands_in_the_middle() -> None:
    crop = choose_crop(Box(500, 100, 700, 820), height=1080, width=1920, fill=0.9)
    assert crop == Crop(left=200, top=60, side=800)


def test_a_window_that_fits_is_moved_inside_the_image() -> None:
    crop = choose_crop(Box(0, 0, 100, 180), height=400, width=600, fill=0.9)
    assert crop == Crop(0, 0, 200)


def test_a_window_wider_than_the_image_stays_about_the_person() -> None:
    crop = choose_crop(Box(100, 10, 300, 910), height=1080, width=604, fill=0.9)
    assert crop == Crop(left=-300, top=0, side=1000)


def test_what_lies_beyond_the_image_is_black() -> None:
    color = crop_color(np.full((100, 512, 3), 200, np.uint8), Crop(0, -206, 512))
    assert (color[:100] == 0).all()
    assert (color[110:145] == 200).all()


def test_colours_are_means_over_what_becomes_a_pixel() -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 100
    assert (crop_color(stripes, Crop(0, 0, 512)) == 50).all()


def test_iuv_takes_the_pixel_under_the_centre_and_never_a_mean() -> None:
    iuv = np.arange(768, dtype=np.int64)[None, :, None] % 251 * np.ones((768, 1, 3), np.int64)
    found = crop_iuv(iuv.astype(np.uint8), Crop(0, 0, 768))
    assert found[0, :4, 0].tolist() == [1, 4, 7, 10]


def test_iuv_beyond_the_image_is_background() -> None:
    found = crop_iuv(np.full((100, 100, 3), 9, np.uint8), Crop(-78, -78, 256))
    assert found[77, 77].tolist() == [0, 0, 0]
    assert found[78, 78].tolist() == [9, 9, 9]
    assert found[178, 178].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("columns", "inside"), [(1, False), (2, True)])
def test_a_mask_pixel_is_inside_when_half_of_it_is_covered(columns: int, inside: bool) -> None:
    mask = np.zeros((768, 768), bool)
    mask[:, 300 : 300 + columns] = True
    assert crop_mask(mask, Crop(0, 0, 768))[0, 100] == inside


def test_frames_of_the_right_size_stay_as_they_are() -> None:
    color = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    assert (crop_color(color, WHOLE) == color).all()
    assert (crop_iuv(color, WHOLE) == color).all()
