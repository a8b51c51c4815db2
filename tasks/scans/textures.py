"""Images of a scan: JPEG and PNG, known by their content, checked to their end.

OpenCV fills what a broken file lacks with grey and says nothing, so the file's own structure is
walked first: that is also all that a quick look needs.
"""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from jaxtyping import UInt8

from schemas.errors import InputError
from tasks.scans.files import MAX_TEXTURE_BYTES, describe_stranger, read_whole

MAX_SIDE_PX = 16384
"""What common GL devices take as a texture's side; published scans have 8192."""

_JPEG_START, _PNG_START = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Start-of-frame markers. Source: ITU-T T.81, table B.1."""
_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_PNG_CHUNK_OVERHEAD = 12
"""Length, type and checksum of a PNG chunk, 4 bytes each. Source: PNG, 3rd ed., 5.3."""


@dataclass(frozen=True, slots=True)
class TextureHeader:
    """What an image says about itself."""

    format: Literal["jpeg", "png"]
    width: int
    height: int


def read_texture(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """Read a JPEG or PNG as RGB, row 0 at the top, whatever its channels and depth.

    Transparency is dropped, not blended; an EXIF orientation is not applied, since texture
    coordinates mean the stored rows.
    Raises InputError when the file is missing, no JPEG or PNG, cut, damaged or of absurd size.
    """
    data = read_whole(path, MAX_TEXTURE_BYTES)
    header = read_header(data, str(path), check_sums=True)
    image = _decode(data)
    if image is None or image.shape != (header.height, header.width, 3):
        found = "no image could be decoded" if image is None else f"decoded to {image.shape}"
        raise _refuse(str(path), f"{header.format} data that is damaged ({found})")
    rgb: UInt8[np.ndarray, "H W 3"] = image
    return rgb


def probe_texture(path: Path) -> TextureHeader:
    """Read the size of an image and check that it is there to its end, without decoding it.

    Raises InputError as read_texture does, except for damage in the middle.
    """
    return read_header(read_whole(path, MAX_TEXTURE_BYTES), str(path), check_sums=False)


def read_header(data: bytes, name: str, *, check_sums: bool) -> TextureHeader:
    """Walk the structure of a JPEG or PNG to its end; name: what errors call it."""
    if data.startswith(_JPEG_START):
        header = _walk_jpeg(data, name)
    elif data.startswith(_PNG_START):
        header = _walk_png(data, name, check_sums=check_sums)
    else:
        found = f"neither JPEG nor PNG: it begins with {data[:16]!r}"
        raise _refuse(name, describe_stranger(data) or found)
    if not (0 < header.width <= MAX_SIDE_PX and 0 < header.height <= MAX_SIDE_PX):
        found = f"{header.width} x {header.height} pixels"
        raise _refuse(name, found, f"1 to {MAX_SIDE_PX} pixels a side")
    return header


def _decode(data: bytes) -> np.ndarray | None:
    # Decoding is the cost of a scan: at 8192 x 8192 OpenCV takes 0.37 s, Pillow 0.61 s.
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _walk_jpeg(data: bytes, name: str) -> TextureHeader:
    """Follow the markers of a JPEG from segment to segment, over the coded data, to its end."""
    at, size = 2, None
    while found := _JPEG_MARKER.search(data, at):
        marker, at = data[found.start() + 1], found.end()
        if marker == _JPEG_END:
            if size is None:
                break
            return size
        length = int.from_bytes(data[at : at + 2], "big")
        if marker in _JPEG_FRAMES and at + 7 <= len(data):
            height, width = (int.from_bytes(data[k : k + 2], "big") for k in (at + 3, at + 5))
            size = TextureHeader("jpeg", width, height)
        at += length
    raise _refuse(name, f"a JPEG of {len(data)} bytes without its end: it was cut")


def _walk_png(data: bytes, name: str, *, check_sums: bool) -> TextureHeader:
    """Follow the chunks of a PNG to the last one."""
    at, size = len(_PNG_START), None
    while at + _PNG_CHUNK_OVERHEAD <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        after = at + _PNG_CHUNK_OVERHEAD + length
        if after > len(data):
            break
        if check_sums and zlib.crc32(memoryview(data)[at + 4 : after - 4]) != int.from_bytes(
            data[after - 4 : after], "big"
        ):
            raise _refuse(name, f"a PNG whose {ascii(kind)[1:]} chunk at byte {at} is damaged")
        if kind == b"IHDR":
            width, height = (int.from_bytes(data[k : k + 4], "big") for k in (at + 8, at + 12))
            size = TextureHeader("png", width, height)
        if kind == b"IEND" and size is not None:
            return size
        at = after
    raise _refuse(name, f"a PNG of {len(data)} bytes without its end: it was cut")


def _refuse(name: str, found: str, expected: str = "a whole JPEG or PNG image") -> InputError:
    return InputError(
        name, found=found, expected=expected, hint="Fetch the image again, or convert it to PNG."
    )
