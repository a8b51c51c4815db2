import io
import struct
import zipfile

import cv2
import numpy as np
import pytest

from schemas.errors import InputError
from schemas.size_limits import (
    ImageHeader,
    check_archive_size,
    check_array_size,
    check_exr_size,
    check_image_size,
    check_mesh_counts,
    check_row_group_sizes,
    read_image_header,
)
from tests.hostile_images import (
    BMP_32K_RLE,
    GIF_64K,
    JPEG_64K,
    PNG_64K,
    TIFF_1M,
    TIFF_TILES,
    WEBP_16K,
)

IMAGE = np.zeros((8, 9, 3), np.uint8)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "gif", "tiff"])
def test_the_size_of_an_image_is_that_which_opencv_finds(suffix: str) -> None:
    _, data = cv2.imencode(f".{suffix}", IMAGE)
    header = read_image_header(data.tobytes(), "one")
    assert header == ImageHeader({"jpg": "jpeg"}.get(suffix, suffix), 9, 8)  # type: ignore[arg-type] # by name


def test_the_size_of_a_lossy_webp_is_found() -> None:
    _, data = cv2.imencode(".webp", IMAGE, [cv2.IMWRITE_WEBP_QUALITY, 50])
    assert read_image_header(data.tobytes(), "one") == ImageHeader("webp", 9, 8)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (BMP_32K_RLE, "32768 x 32768 pixels"),
        (GIF_64K, "65535 x 65535 pixels"),
        (PNG_64K, "65536 x 65536 pixels"),
        (WEBP_16K, "16383 x 16383 pixels"),
        (TIFF_1M, "1048576 x 1048576 pixels"),
        (TIFF_TILES, "8388608 x 64 pixels"),
        (JPEG_64K, "65535 x 65535 pixels"),
    ],
)
def test_an_image_of_gigabytes_is_refused_by_its_header(data: bytes, found: str) -> None:
    with pytest.raises(InputError) as caught:
        check_image_size(data, "bomb")
    assert (caught.value.thing, caught.value.found) == ("bomb", found)


@pytest.mark.parametrize("data", [b"", b"P6\n99999 99999\n255\n", b"#?RADIANCE\n", b"\xff\xd8\xff"])
def test_what_has_no_known_header_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="expected a JPEG, PNG, WebP"):
        check_image_size(data, "one")


@pytest.mark.parametrize("start", [b"BM", b"GIF89a", b"II*\0", b"RIFF\0\0\0\0WEBPVP8L"])
def test_a_header_that_is_cut_is_refused(start: bytes) -> None:
    with pytest.raises(InputError, match=r"\d bytes that are no image"):
        check_image_size(start, "one")


def test_an_image_without_pixels_is_refused() -> None:
    with pytest.raises(InputError, match="0 x 5 pixels"):
        check_image_size(b"GIF87a" + struct.pack("<HH", 0, 5), "one")


def test_an_exr_window_of_gigabytes_is_refused() -> None:
    window = np.zeros(2, np.int32), np.full(2, 99_999, np.int32)
    small = np.zeros(2, np.int32), np.full(2, 9, np.int32)
    header: dict[str, object] = {"channels": ["R"], "dataWindow": small, "displayWindow": window}
    with pytest.raises(InputError, match=r"37\.3 GiB"):
        check_exr_size([header], "one")


def test_a_reversed_exr_window_is_refused() -> None:
    window = np.full(2, 9, np.int32), np.zeros(2, np.int32)
    header: dict[str, object] = {"channels": ["R"], "dataWindow": window, "displayWindow": window}
    with pytest.raises(InputError, match="an empty dataWindow"):
        check_exr_size([header], "one")


def _archive(name: str, header: dict[str, object], *, zeros: int) -> zipfile.ZipFile:
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, header)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, array.getvalue() + bytes(zeros))
    return zipfile.ZipFile(buffer)


def test_an_archive_whose_header_asks_for_more_than_it_holds_is_refused() -> None:
    header: dict[str, object] = {"descr": "<f8", "fortran_order": False, "shape": (1 << 40,)}
    with pytest.raises(InputError, match=r"v.npy: \d+ bytes for shape \(1099511627776,\)"):
        check_archive_size(_archive("v.npy", header, zeros=8), "one")


def test_an_archive_that_unpacks_to_gigabytes_is_refused() -> None:
    header: dict[str, object] = {"descr": "|u1", "fortran_order": False, "shape": (1,)}
    archive = _archive("v.npy", header, zeros=1)
    archive.infolist()[0].file_size = 1 << 33
    with pytest.raises(InputError, match="8589934592 bytes when unpacked"):
        check_archive_size(archive, "one")


def test_a_whole_archive_passes() -> None:
    header: dict[str, object] = {"descr": "<f8", "fortran_order": False, "shape": (2,)}
    check_archive_size(_archive("v.npy", header, zeros=16), "one")


def test_a_row_group_of_gigabytes_is_refused() -> None:
    with pytest.raises(InputError, match="row group 1 of 9000000000 bytes"):
        check_row_group_sizes("one", [5, 9_000_000_000])


def test_a_mesh_of_too_many_vertices_is_refused() -> None:
    with pytest.raises(InputError, match="250000000 vertices"):
        check_mesh_counts("one", vertices=250_000_000, faces=1)


def test_an_array_whose_header_ends_inside_a_bracket_is_refused() -> None:
    header = b"{'descr': '<u2', 'shape': (4, "
    stream = io.BytesIO(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(InputError, match="no NumPy file"):
        check_array_size(stream, "charts.npy", 999)
