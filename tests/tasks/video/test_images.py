import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import InputError
from tasks.video.images import detect_order, read_color, read_iuv, read_mask
from tests.tasks.video.sequence_files import paint_iuv, write_iuv


@pytest.mark.parametrize("order", ["IUV", "VUI"])
def test_both_channel_orders_become_canonical(tmp_path: Path, order: str) -> None:
    write_iuv(tmp_path / "a.png", paint_iuv(), order=order)
    found = read_iuv(tmp_path / "a.png")
    assert found.order == order
    np.testing.assert_array_equal(found.iuv, paint_iuv())


def test_the_published_order_has_the_parts_in_blue() -> None:
    rgb = np.zeros((4, 4, 3), np.uint8)
    rgb[1, 1] = (200, 90, 24)
    assert detect_order(rgb, "a.png") == "VUI"


def write_jpeg(path: Path) -> None:
    path.write_bytes(cv2.imencode(".jpg", paint_iuv())[1].tobytes())


def write_former_jpeg(path: Path) -> None:
    jpeg = cv2.imencode(".jpg", paint_iuv(), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    decoded = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert decoded is not None
    cv2.imwrite(str(path), decoded)


def write_interpolated(path: Path) -> None:
    cv2.imwrite(str(path), cv2.resize(paint_iuv(), (101, 101), interpolation=cv2.INTER_LINEAR))


def write_averaged(path: Path) -> None:
    """Halve discs of parts that touch no background with U or V: means of parts are left."""
    iuv = np.zeros((256, 256, 3), np.uint8)
    for radius, part in ((90, 24), (60, 2), (30, 15)):
        cv2.circle(iuv, (129, 127), radius, (part, part, part + 20), -1)
    cv2.imwrite(str(path), cv2.resize(iuv, (128, 128), interpolation=cv2.INTER_AREA))


def write_part_25(path: Path) -> None:
    iuv = paint_iuv()
    iuv[iuv[..., 0] == 24] = (25, 200, 100)
    write_iuv(path, iuv)


def write_grey(path: Path) -> None:
    cv2.imwrite(str(path), paint_iuv()[..., 0])


def write_sixteen_bits(path: Path) -> None:
    cv2.imwrite(str(path), paint_iuv().astype(np.uint16))


def write_with_alpha(path: Path) -> None:
    cv2.imwrite(str(path), np.dstack([paint_iuv(), np.full((256, 256), 255, np.uint8)]))


def write_palette(path: Path) -> None:
    write_iuv(path, paint_iuv())
    data = bytearray(path.read_bytes())
    data[25] = 3
    path.write_bytes(fix_checksum(data))


def fix_checksum(data: bytearray) -> bytes:
    """Repair the checksum of the first chunk (IHDR: bytes 12 to 28)."""
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    return bytes(data)


def write_small_uv(path: Path) -> None:
    write_iuv(path, paint_iuv() // np.array([1, 20, 20], np.uint8))


def write_nobody(path: Path) -> None:
    write_iuv(path, np.zeros((32, 32, 3), np.uint8))


def write_parts_in_green(path: Path) -> None:
    cv2.imwrite(str(path), np.ascontiguousarray(paint_iuv()[..., [1, 0, 2]]))


def write_photograph(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    cv2.imwrite(str(path), noise)


def write_cut(path: Path) -> None:
    write_iuv(path, paint_iuv())
    path.write_bytes(path.read_bytes()[:-30])


def write_page(path: Path) -> None:
    path.write_text("<!doctype html><p>Not found")


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (write_jpeg, "a JPEG"),
        (write_former_jpeg, "lossy coding"),
        (write_interpolated, "lossy coding or interpolation"),
        (write_averaged, "alone in their part: interpolation"),
        (write_part_25, "part 25"),
        (write_grey, "8 bits, grey"),
        (write_sixteen_bits, "16 bits, RGB"),
        (write_with_alpha, "8 bits, RGB with alpha"),
        (write_palette, "8 bits, palette"),
        (write_small_uv, "IUV and VUI both possible"),
        (write_nobody, "no person"),
        (write_parts_in_green, "the parts in the middle channel"),
        (write_photograph, "no DensePose IUV"),
        (write_cut, "it was cut"),
        (write_page, "an HTML page"),
    ],
)
def test_what_is_no_iuv_image_is_refused_with_the_reason(
    tmp_path: Path, write: Callable[[Path], None], found: str
) -> None:
    write(tmp_path / "a.png")
    with pytest.raises(InputError, match=found) as refusal:
        read_iuv(tmp_path / "a.png")
    assert refusal.value.thing == str(tmp_path / "a.png")


@pytest.mark.parametrize(("level", "inside"), [(100, False), (101, True), (255, True)])
def test_the_person_is_where_the_mask_is_above_100(
    tmp_path: Path, level: int, inside: bool
) -> None:
    cv2.imwrite(str(tmp_path / "m.png"), np.full((8, 8), level, np.uint8))
    assert read_mask(tmp_path / "m.png").all() == inside


def test_color_is_read_as_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "c.png"), np.full((8, 8, 3), (1, 2, 3), np.uint8))
    assert read_color(tmp_path / "c.png")[0, 0].tolist() == [3, 2, 1]


def test_a_image_too_large_to_be_a_frame_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "c.png"), np.zeros((8, 8, 3), np.uint8))
    data = bytearray((tmp_path / "c.png").read_bytes())
    data[16:20] = (9000).to_bytes(4, "big")
    (tmp_path / "c.png").write_bytes(fix_checksum(data))
    with pytest.raises(InputError, match="9000 x 8 pixels"):
        read_color(tmp_path / "c.png")


def test_data_that_ends_early_inside_a_whole_file_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "c.png"), np.zeros((8, 8, 3), np.uint8))
    data = bytearray((tmp_path / "c.png").read_bytes())
    data[20:24] = (4000).to_bytes(4, "big")
    (tmp_path / "c.png").write_bytes(fix_checksum(data))
    with pytest.raises(InputError, match=r"c\.png"):
        read_color(tmp_path / "c.png")
