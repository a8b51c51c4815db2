"""OpenEXR files with ZIP compression, written with ISA-L.

What any reader of OpenEXR reads, at a third of the time of OpenEXR's own writer, for files up to a
tenth larger. A block of 16 rows is stored row by row, channel by channel in the order of their
names; its bytes at even places come before those at odd places; each is the difference to the one
before, plus 128; and that is deflated, or the block is stored as it is where that is no shorter.
Source: OpenEXR file layout and zip compressor, openexr.com ("OpenEXR File Layout", internal_zip.c).
"""

import struct
from collections.abc import Iterator, Mapping

import numpy as np
from isal import isal_zlib
from jaxtyping import Float, UInt8

Window = tuple[int, int, int, int]
"""left, top, right, bottom in pixels, all included."""

_MAGIC, _VERSION = 20000630, 2
_ZIP, _ROWS = 3, 16
_HALF, _FLOAT = 1, 2
_LEVEL = 1
"""Of ISA-L's 0..3: 0 makes files a sixth larger, 2 and 3 make them hardly smaller."""

_MIDDLE = 128
_UNSIGNED_LONG = 8


def encode_zip(
    planes: Mapping[str, Float[np.ndarray, "h w"]], *, data: Window, display: Window
) -> bytes:
    """Encode planes of one type, float16 or float32, without loss.

    data: the window that the planes cover, display: that of the whole image.
    """
    header = _header(planes, data, display)
    chunks = [
        struct.pack("<ii", data[1] + number * _ROWS, len(block)) + block
        for number, block in enumerate(map(_pack, plain_blocks(planes)))
    ]
    begins = len(header) + _UNSIGNED_LONG * len(chunks)
    places = np.cumsum([begins, *(len(chunk) for chunk in chunks)])[:-1]
    return b"".join((header, places.astype("<u8").tobytes(), *chunks))


def plain_blocks(
    planes: Mapping[str, Float[np.ndarray, "h w"]],
) -> Iterator[UInt8[np.ndarray, " n"]]:
    """Yield the bytes of each block as they are without compression."""
    pixels = np.stack([planes[name] for name in sorted(planes)], axis=1)
    for row in range(0, len(pixels), _ROWS):
        yield pixels[row : row + _ROWS].reshape(-1).view(np.uint8)


def _pack(plain: UInt8[np.ndarray, " n"]) -> bytes:
    packed: bytes = isal_zlib.compress(predict(plain), _LEVEL)
    return packed if len(packed) < plain.size else plain.tobytes()


def predict(plain: UInt8[np.ndarray, " n"]) -> UInt8[np.ndarray, " n"]:
    """Put even bytes before odd ones, and take differences; numbers have two or four bytes."""
    pairs = plain.view("<u2")
    parted = np.empty_like(plain)
    # The low and the high bytes of pairs: OpenEXR's even and odd ones, in half the time.
    parted[: pairs.size], parted[pairs.size :] = pairs, pairs >> 8
    changes = np.empty_like(plain)
    changes[0] = parted[0]
    np.subtract(parted[1:], parted[:-1], out=changes[1:])
    changes[1:] += np.uint8(_MIDDLE)
    return changes


def _header(planes: Mapping[str, Float[np.ndarray, "h w"]], data: Window, display: Window) -> bytes:
    kinds = {name: _HALF if plane.dtype == np.float16 else _FLOAT for name, plane in planes.items()}
    channels = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", kinds[name], 0, 1, 1)
        for name in sorted(kinds)
    )
    attributes = (
        ("channels", "chlist", channels + b"\0"),
        ("compression", "compression", bytes((_ZIP,))),
        ("dataWindow", "box2i", struct.pack("<4i", *data)),
        ("displayWindow", "box2i", struct.pack("<4i", *display)),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    )
    packed = (
        f"{name}\0{kind_}\0".encode() + struct.pack("<i", len(value)) + value
        for name, kind_, value in attributes
    )
    return struct.pack("<ii", _MAGIC, _VERSION) + b"".join(packed) + b"\0"
