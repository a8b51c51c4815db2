"""Images of a scan: JPEG and PNG, known by their content, checked to their end.

OpenCV fills what a broken file lacks with grey and says nothing, so the file's own structure is
walked first: that is also all that a quick look needs.
"""

import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from schemas.codecs import decode_pixels
from schemas.errors import InputError
from schemas.profiling import span
from schemas.regular_files import read_whole
from schemas.size_limits import (
    JPEG_FRAMES,
    JPEG_MARKER,
    JPEG_START,
    MAX_IMAGE_BYTES,
    MAX_JPEG_SCANS,
    MAX_TEXTURE_SIDE_PX,
    PNG_START,
    ImageHeader,
    check_image_size,
)
from tasks.scans.files import describe_wrong_file

_JPEG_SCAN, _JPEG_END = 0xDA, 0xD9
_PNG_CHUNK_OVERHEAD = 12
"""Length, type and checksum of a PNG chunk, 4 bytes each. Source: PNG, 3rd ed., 5.3."""


Reduce = Callable[[int, int], int]
"""Takes width and height in texels; returns by which factor both are to be divided."""

_REDUCED_JPEG = {
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}  # fmt: skip
"""OpenCV's flags that scale; colour is asked for by a flag of its own."""


def read_texture(path: Path, *, reduce: Reduce | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """Read a JPEG or PNG as RGB, row 0 at the top, whatever its channels and depth.

    reduce: how much smaller it may be, each texel the mean of those in its place; None: as it is.

    Transparency is dropped, not blended; an EXIF orientation is not applied, since texture
    coordinates mean the stored rows.
    Raises InputError when the file is missing, no JPEG or PNG, cut, damaged or of absurd size.
    """
    with span("read texture"):
        data = read_whole(path, MAX_IMAGE_BYTES)
        header = read_header(data, str(path), check_sums=True)
    with span("decode texture"):
        by = 1 if reduce is None else reduce(header.width, header.height)
        if by == 1:
            return decode_whole(data, str(path), header)
        return _decode_reduced(data, str(path), header, by)


def decode_whole(
    data: bytes, name: str, header: ImageHeader, *, flags: int = cv2.IMREAD_COLOR_RGB
) -> UInt8[np.ndarray, "H W *channels"]:
    """Decode a JPEG or PNG that is there to its end; name: what errors call it.

    header: from read_header. Raises InputError when OpenCV decodes nothing of that size.
    """
    # Decoding is the cost of a scan: at 8192 x 8192 OpenCV takes 0.37 s, Pillow 0.61 s.
    image = decode_pixels(data, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or image.shape[:2] != (header.height, header.width):
        found = "no image could be decoded" if image is None else f"decoded to {image.shape}"
        raise _refuse(name, f"{header.format} data that is damaged ({found})")
    return image


def _decode_reduced(
    data: bytes, name: str, header: ImageHeader, by: int
) -> UInt8[np.ndarray, "H W 3"]:
    """Decode to a size divided by 2, 4 or 8; a JPEG is never decoded whole."""
    size = header.width // by, header.height // by
    if not data.startswith(JPEG_START):
        whole = decode_whole(data, name, header)
        return np.asarray(cv2.resize(whole, size, interpolation=cv2.INTER_AREA))
    reduced = replace(header, width=size[0], height=size[1])
    return decode_whole(data, name, reduced, flags=cv2.IMREAD_COLOR_RGB | _REDUCED_JPEG[by])


def probe_texture(path: Path) -> ImageHeader:
    """Read the size of an image and check that it is there to its end, without decoding it.

    Raises InputError as read_texture does, except for damage in the middle.
    """
    return read_header(read_whole(path, MAX_IMAGE_BYTES), str(path), check_sums=False)


def read_header(
    data: bytes, name: str, *, check_sums: bool, max_side: int = MAX_TEXTURE_SIDE_PX
) -> ImageHeader:
    """Walk the structure of a JPEG or PNG to its end; name: what errors call it.

    Raises InputError when it is neither, too large (sides in pixels), cut or damaged.
    """
    if data.startswith(JPEG_START):
        _walk_jpeg(data, name)
    elif data.startswith(PNG_START):
        _walk_png(data, name, check_sums=check_sums)
    else:
        found = f"neither JPEG nor PNG: it begins with {data[:16]!r}"
        raise _refuse(name, describe_wrong_file(data) or found)
    return check_image_size(data, name, max_side=max_side, max_pixels=max_side**2)


def _walk_jpeg(data: bytes, name: str) -> None:
    """Follow the markers of a JPEG from segment to segment, over the coded data, to its end."""
    at, scans, has_frame = 2, 0, False
    while found := JPEG_MARKER.search(data, at):
        marker, at = data[found.start() + 1], found.end()
        if marker == _JPEG_END and has_frame:
            return
        has_frame |= marker in JPEG_FRAMES
        scans += marker == _JPEG_SCAN
        if scans > MAX_JPEG_SCANS:
            raise _refuse(name, f"a JPEG of more than {MAX_JPEG_SCANS} scans")
        at += int.from_bytes(data[at : at + 2], "big")
    raise _refuse(name, f"a JPEG of {len(data)} bytes without its end: it was cut")


def _walk_png(data: bytes, name: str, *, check_sums: bool) -> None:
    """Follow the chunks of a PNG to the last one."""
    at = len(PNG_START)
    while at + _PNG_CHUNK_OVERHEAD <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        after = at + _PNG_CHUNK_OVERHEAD + length
        if after > len(data):
            break
        if check_sums and zlib.crc32(memoryview(data)[at + 4 : after - 4]) != int.from_bytes(
            data[after - 4 : after], "big"
        ):
            raise _refuse(name, f"a PNG whose {ascii(kind)[1:]} chunk at byte {at} is damaged")
        if kind == b"IEND":
            return
        at = after
    raise _refuse(name, f"a PNG of {len(data)} bytes without its end: it was cut")


def _refuse(name: str, found: str, expected: str = "a whole JPEG or PNG image") -> InputError:
    return InputError(
        name, found=found, expected=expected, hint="Fetch the image again, or convert it to PNG."
    )
