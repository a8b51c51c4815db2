"""How big a file from outside may be, and its size by its header, before anything is decoded.

A few kilobytes can ask for gigabytes (run lengths, deflated zeros, sparse files). Every limit is
far above published data and below what a worker of a few gigabytes can hold.
"""

import math
import re
import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedIOBase
from tokenize import TokenError
from typing import IO, Literal
from zipfile import ZipFile

import numpy as np

from schemas.errors import InputError

GIB = 1 << 30
MAX_TEXT_BYTES = 64 << 20
"""JSON, MTL, lists: published ones have a few megabytes."""

MAX_MESH_BYTES = GIB // 2
"""OBJ and PLY: a published scan of a million vertices has 50 to 150 MB."""

MAX_VERTICES = MAX_FACES = 10_000_000
"""Published scans: up to 1 million vertices, 2 million faces."""

MAX_IMAGE_BYTES = GIB // 2
"""Of an image's file: 16384 x 16384 pixels as PNG have about 400 MB."""

MAX_TEXTURE_SIDE_PX = 16384
"""What common GL devices take as a texture's side; published scans have 8192."""

MAX_IMAGE_PIXELS = 1 << 27
"""Backgrounds and frames: 134 megapixels, 0.4 GB as RGB; cameras make up to 100 megapixels."""

MAX_EXR_BYTES = 2 * GIB
"""Decoded: six 32-bit channels of 8192 x 8192 have 1.5 GiB."""

MAX_ARCHIVE_BYTES = GIB
"""Unpacked .npz: a body model has 0.2 GB."""

MAX_ROW_BYTES = 2 * GIB
"""Of one Parquet row group, unpacked: one sample of 8192 x 8192 has 0.7 GB at most."""

MAX_JPEG_SCANS = 100
"""Progressive images have about ten; each one walks over the whole image again."""

JPEG_START, PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
ImageFormat = Literal["jpeg", "png", "webp", "bmp", "gif", "tiff"]

JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers. Source: ITU-T T.81, table B.1."""
_TIFF_WIDTH, _TIFF_LENGTH, _TIFF_TILE_WIDTH, _TIFF_TILE_LENGTH = 256, 257, 322, 323
_TIFF_WHOLE_NUMBERS = {3: "H", 4: "I", 16: "Q"}
"""SHORT, LONG and LONG8. Source: TIFF 6.0 and the BigTIFF design."""
_CORE_HEADER_BYTES = 12
"""Of a BMP from OS/2, whose sides have two bytes each."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What an image says about itself; sides in pixels."""

    format: ImageFormat
    width: int
    height: int


def read_image_header(data: bytes, name: str) -> ImageHeader:
    """Read format and size of a JPEG, PNG, WebP, BMP, GIF or TIFF; name: what errors call it.

    Raises InputError for anything else, and for a header that is cut.
    """
    for start, read in _READERS:
        with suppress(struct.error):  # the header is cut
            found = read(data) if data.startswith(start) else None
            if found is not None:
                return found
    raise _refuse_image(name, f"{len(data)} bytes that are no image")


def check_image_size(
    data: bytes, name: str, *, max_pixels: int = MAX_IMAGE_PIXELS, max_side: int = 1 << 16
) -> ImageHeader:
    """Return the header of an image that may be decoded; name: what errors call it.

    Raises InputError when it is no image, or has no pixel, too many pixels or too long a side.
    """
    header = read_image_header(data, name)
    longest = max(header.width, header.height)
    if min(header.width, header.height) < 1 or longest > max_side:
        expected = f"1 to {max_side} pixels a side"
    elif header.width * header.height > max_pixels:
        expected = f"at most {max_pixels} pixels in all"
    else:
        return header
    raise _refuse_image(name, f"{header.width} x {header.height} pixels", expected)


def check_exr_size(headers: Iterable[dict[str, object]], name: str) -> None:
    """Refuse an OpenEXR file whose windows ask for too much; headers: of its parts.

    Raises InputError when a window is empty or reversed, or all channels exceed MAX_EXR_BYTES.
    """
    total = 0
    for header in headers:
        channels = header.get("channels", ())
        count = len(channels) if isinstance(channels, list | tuple | dict) else 1
        for window in ("dataWindow", "displayWindow"):
            (left, top), (right, bottom) = np.asarray(header[window], np.int64).tolist()
            if right < left or bottom < top:
                raise _refuse_exr(name, f"an empty {window}")
            total += (right - left + 1) * (bottom - top + 1) * count * np.dtype(np.float32).itemsize
    if total > 2 * MAX_EXR_BYTES:  # two windows each
        raise _refuse_exr(name, f"windows and channels of {total / GIB:.1f} GiB")


def check_archive_size(archive: ZipFile, name: str) -> None:
    """Refuse a .npz whose arrays would take too much, or whose headers ask for more than is there.

    Raises InputError. Array headers are read, their values are not.
    """
    total = sum(entry.file_size for entry in archive.infolist())
    if total > MAX_ARCHIVE_BYTES:
        raise _refuse_array(name, f"{total} bytes when unpacked", f"at most {MAX_ARCHIVE_BYTES}")
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            check_array_size(stream, f"{name}: {entry.filename}", entry.file_size)


def check_array_size(stream: BufferedIOBase | IO[bytes], name: str, size: int) -> None:
    """Refuse an .npy file of `size` bytes whose header asks for more values than it holds.

    Raises InputError. Leaves the stream behind the header.
    """
    try:
        is_first = np.lib.format.read_magic(stream) == (1, 0)
        read = np.lib.format.read_array_header_1_0 if is_first else _read_header_2_0
        shape, _, kind = read(stream)
    except (ValueError, TypeError, SyntaxError, TokenError) as error:
        raise _refuse_array(name, f"no NumPy file ({error!s:.80})") from error
    held = size - stream.tell()
    if not kind.hasobject and math.prod(shape) * kind.itemsize > held:
        raise _refuse_array(name, f"{held} bytes for shape {shape}")


_read_header_2_0 = np.lib.format.read_array_header_2_0


def check_row_group_sizes(name: str, sizes: Iterable[int]) -> None:
    """Refuse a Parquet file with a row group too big to be read; sizes: unpacked bytes of each."""
    for group, size in enumerate(sizes):
        if not 0 <= size <= MAX_ROW_BYTES:
            raise InputError(
                name, found=f"row group {group} of {size} bytes",
                expected=f"at most {MAX_ROW_BYTES} bytes, one sample",
                hint="Run `scanmill rerun --deep` on the data set.",
            )  # fmt: skip


def check_mesh_counts(name: str, *, vertices: int = 0, faces: int = 0) -> None:
    """Raise InputError for a mesh of more vertices or faces than any scan has."""
    for what, count, limit in (("vertices", vertices, MAX_VERTICES), ("faces", faces, MAX_FACES)):
        if count > limit:
            raise InputError(
                name, found=f"{count} {what}", expected=f"at most {limit}",
                hint="Thin the mesh out, or leave the scan out.",
            )  # fmt: skip


def _jpeg_header(data: bytes) -> ImageHeader | None:
    at = 2
    while found := JPEG_MARKER.search(data, at):
        marker, at = data[found.start() + 1], found.end()
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 3)
            return ImageHeader("jpeg", width, height)
        at += int.from_bytes(data[at : at + 2], "big")
    return None


def _png_header(data: bytes) -> ImageHeader | None:
    kind, width, height = struct.unpack_from(">4sII", data, 12)
    return ImageHeader("png", width, height) if kind == b"IHDR" else None


def _gif_header(data: bytes) -> ImageHeader:
    return ImageHeader("gif", *struct.unpack_from("<HH", data, 6))


def _bmp_header(data: bytes) -> ImageHeader:
    is_core = struct.unpack_from("<I", data, 14)[0] == _CORE_HEADER_BYTES
    width, height = struct.unpack_from("<HH" if is_core else "<ii", data, 18)
    return ImageHeader("bmp", width, abs(height))  # negative: rows from the top


def _webp_header(data: bytes) -> ImageHeader | None:
    """Read the canvas of a WebP. Source: RFC 9649, sections 2.5 to 2.7."""
    kind = data[12:16] if data[8:12] == b"WEBP" else b""
    if kind == b"VP8X":
        sides = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        sides = ((bits >> shift & 0x3FFF) + 1 for shift in (0, 14))
    elif kind == b"VP8 ":
        sides = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return ImageHeader("webp", *sides)


def _tiff_header(data: bytes) -> ImageHeader | None:
    """Read the sides of the first image of a TIFF or BigTIFF, or of its tiles if these are larger.

    Source: TIFF 6.0, section 2 and 15.
    """
    order, is_big = "<" if data.startswith(b"II") else ">", data[2:4] in (b"+\0", b"\0+")
    first, counter, entry = ("Q", "Q", "HHQQ") if is_big else ("I", "H", "HHII")
    (at,) = struct.unpack_from(order + first, data, 8 if is_big else 4)
    (count,) = struct.unpack_from(order + counter, data, at)
    at += struct.calcsize(order + counter)
    step, values = struct.calcsize(order + entry), {}
    for start in range(at, at + min(count, len(data) // step) * step, step):
        tag, kind = struct.unpack_from(order + "HH", data, start)
        if kind in _TIFF_WHOLE_NUMBERS:
            place = start + step - struct.calcsize(first)
            values[tag] = struct.unpack_from(order + _TIFF_WHOLE_NUMBERS[kind], data, place)[0]
    if not {_TIFF_WIDTH, _TIFF_LENGTH} <= values.keys():
        return None
    width = max(values[_TIFF_WIDTH], values.get(_TIFF_TILE_WIDTH, 0))
    return ImageHeader("tiff", width, max(values[_TIFF_LENGTH], values.get(_TIFF_TILE_LENGTH, 0)))


_READERS: tuple[tuple[bytes | tuple[bytes, ...], Callable[[bytes], ImageHeader | None]], ...] = (
    (JPEG_START, _jpeg_header),
    (PNG_START, _png_header),
    ((b"GIF87a", b"GIF89a"), _gif_header),
    (b"BM", _bmp_header),
    (b"RIFF", _webp_header),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), _tiff_header),
)
"""How each format begins, and what reads its size."""


def _refuse_image(
    name: str, found: str, expected: str = "a JPEG, PNG, WebP, BMP, GIF or TIFF image"
) -> InputError:
    return InputError(
        name, found=found, expected=expected, hint="Convert or shrink the image, or remove it."
    )


def _refuse_exr(name: str, found: str) -> InputError:
    return InputError(
        name, found=found, expected=f"depth or normals of at most {MAX_EXR_BYTES // GIB} GiB",
        hint="Run `scanmill validate` on the data set, then `scanmill rerun --deep`.",
    )  # fmt: skip


def _refuse_array(
    name: str, found: str, expected: str = "a whole NumPy file of numbers"
) -> InputError:
    return InputError(name, found=found, expected=expected, hint="Fetch the file again.")
