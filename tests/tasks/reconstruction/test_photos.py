"""Photographs of any mode are read as people see them; what is none is refused with the reason."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import InputError, RequestError
from tasks.reconstruction.photos import find_photos, read_photo
from tests.hostile_images import BMP_32K_RLE, JPEG_64K, PNG_64K, TIFF_1M, WEBP_16K
from tests.image_files import read_pixels
from tests.tasks.reconstruction.photo_files import draw_figure, write_photo


def test_png_is_read_to_the_bit(tmp_path: Path) -> None:
    image, _ = draw_figure(60, 40)
    photo = read_photo(write_photo(tmp_path / "a.png", image))
    assert np.array_equal(photo.image, image)
    assert photo.alpha is None


def test_alpha_is_a_mask(tmp_path: Path) -> None:
    image, mask = draw_figure(60, 40)
    rgba = np.dstack([image, mask.astype(np.uint8) * 255])
    photo = read_photo(write_photo(tmp_path / "a.png", rgba))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, mask)
    assert np.array_equal(photo.image, image)


def test_an_opaque_alpha_is_no_mask(tmp_path: Path) -> None:
    image, _ = draw_figure(60, 40)
    opaque = np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])
    assert read_photo(write_photo(tmp_path / "a.png", opaque)).alpha is None


def test_grey_and_sixteen_bits_become_rgb(tmp_path: Path) -> None:
    grey = draw_figure(60, 40)[0][..., 0]
    assert np.array_equal(
        read_photo(write_photo(tmp_path / "a.png", grey)).image, np.dstack([grey] * 3)
    )
    deep = grey.astype(np.uint16) * 257
    assert np.array_equal(
        read_photo(write_photo(tmp_path / "b.png", deep)).image, np.dstack([grey] * 3)
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns_a_photograph_as_opencv_does(tmp_path: Path, orientation: int) -> None:
    image, _ = draw_figure(64, 40)
    path = write_photo(tmp_path / "a.jpg", image, orientation=orientation)
    expected = read_pixels(path, cv2.IMREAD_COLOR_RGB)
    photo = read_photo(path)
    assert photo.orientation == orientation
    assert np.array_equal(photo.image, expected)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (PNG_64K, "a PNG of 24 bytes without its end"), (WEBP_16K, "16383 x 16383 pixels"),
        (TIFF_1M, "1048576 x 1048576 pixels"), (JPEG_64K, "a JPEG of 30 bytes without its end"),
        (BMP_32K_RLE, "32768 x 32768 pixels"),
    ],
)  # fmt: skip
def test_huge_headers_are_refused_before_decoding(tmp_path: Path, data: bytes, found: str) -> None:
    (tmp_path / "huge.png").write_bytes(data)
    with pytest.raises(InputError, match=found):
        read_photo(tmp_path / "huge.png")


@pytest.mark.parametrize(
    ("data", "found"), [(b"", ": 0 bytes"), (b"no image at all", "15 bytes that are no image")]
)
def test_what_is_no_image_is_refused(tmp_path: Path, data: bytes, found: str) -> None:
    (tmp_path / "a.jpg").write_bytes(data)
    with pytest.raises(InputError, match=found):
        read_photo(tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["jpg", "png"])
def test_a_cut_photograph_is_refused(tmp_path: Path, kind: str) -> None:
    whole = write_photo(tmp_path / f"a.{kind}", draw_figure(200, 100)[0]).read_bytes()
    (tmp_path / f"b.{kind}").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"cut|damaged"):
        read_photo(tmp_path / f"b.{kind}")


def test_a_stamp_is_too_small(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger"):
        read_photo(write_photo(tmp_path / "a.png", draw_figure(20, 20)[0]))


def test_two_photographs_of_one_name_are_refused(tmp_path: Path) -> None:
    image, _ = draw_figure(40, 40)
    for folder in ("one", "other"):
        write_photo(tmp_path / folder / "a.png", image)
    with pytest.raises(RequestError, match="different names"):
        find_photos([str(tmp_path / "one"), str(tmp_path / "other")])


def test_a_missing_photograph_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing at"):
        find_photos([str(tmp_path / "none.jpg")])


def test_folders_give_their_images_in_order(tmp_path: Path) -> None:
    for name in ("b.png", "a.jpg"):
        write_photo(tmp_path / name, draw_figure(40, 40)[0])
    (tmp_path / "notes.txt").write_text("no photograph")
    assert list(find_photos([str(tmp_path)])) == ["a", "b"]
