"""Our reader of our own PNG files, against OpenCV's."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codecs import decode_image
from schemas.errors import InputError
from schemas.png_decoding import decode_8bit
from schemas.png_encoding import encode_8bit


def make_image(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(rows: bytes, *chunks: bytes, header: tuple[int, ...] = (4, 3, 8, 2, 0, 0, 0)) -> bytes:
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *header))
    ends = chunks or (chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return start + b"".join(ends)


def opencv(data: bytes, flags: int = cv2.IMREAD_COLOR_RGB) -> np.ndarray | None:
    image: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return image


@pytest.mark.parametrize("shape", [(1, 1, 3), (700, 900, 3), (3, 400_000, 3), (1, 1), (900, 1400)])
def test_our_files_are_read_as_opencv_reads_them(shape: tuple[int, ...]) -> None:
    data = encode_8bit(make_image(shape))
    channels, flags = (3, cv2.IMREAD_COLOR_RGB) if len(shape) == 3 else (1, cv2.IMREAD_GRAYSCALE)
    ours, theirs = decode_8bit(data, channels), opencv(data, flags)
    assert ours is not None
    assert theirs is not None
    np.testing.assert_array_equal(ours, theirs)


SOME = bytes(3 * [2, *range(12)])
OTHERS = {
    "another filter": png(bytes([2, *range(12), 1, *range(12), 2, *range(12)])),
    "sixteen bits": png(bytes(3 * [2, *range(24)]), header=(4, 3, 16, 2, 0, 0, 0)),
    "interlaced": png(SOME, header=(4, 3, 8, 2, 0, 0, 1)),
    "grey": png(bytes(3 * [2, *range(4)]), header=(4, 3, 8, 0, 0, 0, 0)),
    "too few rows": png(SOME[:26]),
    "a row too many": png(SOME + SOME[:13]),
    "data in two chunks": png(
        b"", chunk(b"IDAT", zlib.compress(SOME)[:9]), chunk(b"IDAT", zlib.compress(SOME)[9:]),
        chunk(b"IEND", b""),
    ),
    "a gamma": png(
        b"", chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"IDAT", zlib.compress(SOME)),
        chunk(b"IEND", b""),
    ),
    "no end": png(b"", chunk(b"IDAT", zlib.compress(SOME))),
    "something behind": png(SOME) + b"?",
    "deflated data cut": png(b"", chunk(b"IDAT", zlib.compress(SOME)[:-5]), chunk(b"IEND", b"")),
    "no data": png(b"", chunk(b"IEND", b"")),
    "a header too short": (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"12345678") + chunk(b"IDAT", b"")
        + chunk(b"IEND", b"")
    ),
    "no image": b"\x89PNG\r\n\x1a\n",
    "nothing": b"",
}  # fmt: skip


def test_what_the_others_are_made_like_is_read() -> None:
    read = decode_8bit(png(SOME), 3)
    assert read is not None
    np.testing.assert_array_equal(read, opencv(png(SOME)))


@pytest.mark.parametrize("name", OTHERS)
def test_other_files_are_left_to_opencv(name: str) -> None:
    assert decode_8bit(OTHERS[name], 3) is None
    theirs = opencv(OTHERS[name]) if OTHERS[name] else None
    if theirs is None:
        with pytest.raises(InputError, match="can't be decoded"):
            decode_image(OTHERS[name])
    else:
        np.testing.assert_array_equal(decode_image(OTHERS[name]), theirs)


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_changed_bit_goes_unseen(place: int, bit: int) -> None:
    data = bytearray(encode_8bit(make_image((40, 30, 3))))
    data[place % len(data)] ^= 1 << bit
    assert decode_8bit(bytes(data), 3) is None


@given(cut=st.integers(1, 3000))
def test_no_cut_file_is_read(cut: int) -> None:
    data = encode_8bit(make_image((40, 30, 3)))
    assert decode_8bit(data[: max(0, len(data) - cut)], 3) is None
