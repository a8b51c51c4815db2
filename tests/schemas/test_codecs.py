import struct

import cv2
import numpy as np
import pytest
from jaxtyping import Bool

from schemas.codecs import (
    Box,
    bounding_window,
    decode_depth,
    decode_image,
    decode_mask,
    decode_normals,
    decode_pixels,
    encode_depth,
    encode_jpeg,
    encode_mask,
    encode_normals,
    encode_png,
    exr_compression_of,
    to_half,
)
from schemas.errors import InputError
from schemas.exr_compression import EXR_CODECS, ExrCompression
from tests.hostile_images import PNG_64K

RNG = np.random.default_rng(1)
MASK: Bool[np.ndarray, "H W"] = np.zeros((24, 32), bool)
MASK[5:20, 9:17] = True


def test_png_keeps_rgb_and_its_order() -> None:
    image = RNG.integers(0, 256, (7, 5, 3), np.uint8)
    assert np.array_equal(decode_image(encode_png(image)), image)


def test_jpeg_keeps_the_order_of_the_channels() -> None:
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    assert decode_image(encode_jpeg(red, 95))[8, 8].tolist() == pytest.approx([200, 0, 0], abs=3)


def test_jpeg_keeps_full_chroma_resolution() -> None:
    data = encode_jpeg(np.zeros((8, 8, 3), np.uint8), 95)
    frame = data.index(b"\xff\xc0")
    assert [data[frame + 11 + 3 * component] for component in range(3)] == [0x11, 0x11, 0x11]


def test_mask_comes_back() -> None:
    assert np.array_equal(decode_mask(encode_mask(MASK)), MASK)


def test_depth_comes_back_exactly_and_at_full_size() -> None:
    front = np.where(MASK, RNG.random((24, 32), np.float32) + 1, 0).astype(np.float32)
    back = np.where(MASK, front + np.float32(0.1), np.float32(0))
    decoded = decode_depth(encode_depth(front, back, MASK))
    assert np.array_equal(decoded, (front, back))


@pytest.mark.parametrize("box", [np.s_[5:20, 9:17], np.s_[2:24, 0:20]])
def test_a_box_of_pixels_makes_the_bytes_of_the_whole_image(box: Box) -> None:
    seen = np.where(MASK[..., None], RNG.standard_normal((24, 32, 4)), 0).astype(np.float32)
    normals, depth = seen[..., :3], seen[..., 3]
    whole = encode_depth(depth, depth + 1, MASK), encode_normals(normals, -normals, MASK)
    part = (
        encode_depth(depth[box], depth[box] + 1, MASK, box=box),
        encode_normals(normals[box], -normals[box], MASK, box=box),
    )
    assert part == whole


def test_an_empty_mask_needs_no_pixel_of_the_box() -> None:
    nothing, mask = np.zeros((3, 4), np.float32), np.zeros((24, 32), bool)
    data = encode_depth(nothing, nothing, mask, box=np.s_[7:10, 5:9])
    assert data == encode_depth(
        np.zeros((24, 32), np.float32), np.zeros((24, 32), np.float32), mask
    )


@pytest.mark.parametrize("width", [1, 3, 8, 1013])
def test_halves_are_rounded_as_numpy_rounds_them(width: int) -> None:
    bits = np.linspace(0, np.float32(60000).view(np.uint32), 200 * width).astype(np.uint32)
    plane = bits.view(np.float32).reshape(-1, width)
    for signed in (plane, -plane):
        assert np.array_equal(
            to_half(signed).view(np.uint16), signed.astype(np.float16).view(np.uint16)
        )


def test_normals_come_back_within_half_precision_in_their_order() -> None:
    front = np.where(MASK[..., None], np.array([0.6, -0.48, -0.64], np.float32), np.float32(0))
    decoded, back = decode_normals(encode_normals(front, -front, MASK))
    assert decoded == pytest.approx(front, abs=5e-4)
    assert back == pytest.approx(-front, abs=5e-4)


@pytest.mark.parametrize("compression", EXR_CODECS)
def test_every_compression_keeps_depth_and_normals(compression: ExrCompression) -> None:
    front = np.where(MASK, RNG.random((24, 32), np.float32) + 1, 0).astype(np.float32)
    data = encode_depth(front, front, MASK, compression)
    assert np.array_equal(decode_depth(data), (front, front))
    assert exr_compression_of(data) == EXR_CODECS[compression].stored
    normals = (MASK[..., None] * RNG.standard_normal((24, 32, 3))).astype(np.float16)
    decoded = decode_normals(encode_normals(normals, -normals, MASK, compression))
    assert np.array_equal(decoded, (normals, -normals))


@pytest.mark.parametrize("compression", EXR_CODECS)
def test_an_empty_mask_fits_every_compression(compression: ExrCompression) -> None:
    nothing = np.zeros((8, 8), np.float32)
    assert not np.any(decode_depth(encode_depth(nothing, nothing, nothing > 0, compression)))


def test_an_empty_mask_can_be_encoded() -> None:
    nothing = np.zeros((8, 8), np.float32)
    front, back = decode_depth(encode_depth(nothing, nothing, nothing > 0))
    assert not front.any()
    assert not back.any()


def test_the_window_holds_the_mask_and_no_more() -> None:
    assert bounding_window(MASK) == (9, 5, 16, 19)


@pytest.mark.parametrize("decode", [decode_image, decode_mask, decode_depth, decode_normals])
@pytest.mark.parametrize("data", [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"v/1\x01\x02\0\0\0"])
def test_what_is_no_image_is_refused(decode: object, data: bytes) -> None:
    assert callable(decode)
    with pytest.raises(InputError, match=f"{len(data)} bytes that begin with"):
        decode(data)


def test_an_image_of_gigabytes_is_refused_by_its_header() -> None:
    with pytest.raises(InputError) as caught:
        decode_image(PNG_64K)
    assert "65536 x 65536 pixels" in str(caught.value.__cause__)


def test_an_exr_of_gigabytes_is_refused_by_its_header() -> None:
    plane = np.zeros((64, 64), np.float32)
    data = encode_depth(plane, plane, np.ones((64, 64), bool))
    window = struct.pack("<4i", 0, 0, 63, 63)
    with pytest.raises(InputError, match="windows and channels of"):
        decode_depth(data.replace(window, struct.pack("<4i", 0, 0, 99_999, 99_999)))


def test_a_decoder_without_memory_is_the_machine_s_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        error = cv2.error("no room")
        error.code = cv2.Error.StsNoMem
        raise error

    monkeypatch.setattr(cv2, "imdecode", fail)
    with pytest.raises(MemoryError):
        decode_pixels(b"any", cv2.IMREAD_COLOR_RGB)
