"""Photographs of any size and mode: judged by their headers, decoded, turned as EXIF says."""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from schemas.codecs import MASK_INSIDE
from schemas.errors import InputError, RequestError, as_utf8
from schemas.regular_files import read_whole
from schemas.size_limits import (
    JPEG_START,
    MAX_IMAGE_BYTES,
    MAX_IMAGE_PIXELS,
    PNG_START,
    check_image_size,
)
from tasks.backgrounds import IMAGE_SUFFIXES
from tasks.scans.textures import read_header

MIN_SIDE_PX = 32
"""A person in fewer pixels than this is none that could be reconstructed."""

ORIENTATION_TAG, FIRST_TAG_OFFSET, TAG_BYTES = 0x0112, 2, 12
"""Source: EXIF 2.3, 4.6.4, and TIFF 6.0, section 2."""

_EXIF_START = b"Exif\0\0"
_MAX_TAGS = 512
_GREY, _BGR, _BGRA = 1, 3, 4


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph as people see it. alpha: True where it is opaque; None without transparency.

    orientation: EXIF's, 1 to 8, that was applied. sha256: of the file.
    """

    path: Path
    image: UInt8[np.ndarray, "H W 3"]
    alpha: Bool[np.ndarray, "H W"] | None
    orientation: int
    sha256: str

    @property
    def size(self) -> tuple[int, int]:
        """Return height and width."""
        return self.image.shape[0], self.image.shape[1]


def read_photo(path: Path) -> Photo:
    """Read a photograph. Raises InputError when it is none, is cut, too large or too small."""
    data = read_whole(path, MAX_IMAGE_BYTES)
    pixels, orientation = decode_photo(data, str(path))
    image, alpha = split_alpha(pixels, str(path))
    turned = turn(image, orientation)
    if min(turned.shape[:2]) < MIN_SIDE_PX:
        raise _refuse(path, f"{turned.shape[1]} x {turned.shape[0]} pixels", "a larger photograph")
    opaque = None if alpha is None else turn(alpha, orientation)
    return Photo(path, turned, opaque, orientation, hashlib.sha256(data).hexdigest())


def decode_photo(data: bytes, name: str) -> tuple[np.ndarray, int]:
    """Decode an image as stored; returns it and EXIF's orientation (1 where there is none)."""
    if data.startswith((JPEG_START, PNG_START)):
        read_header(data, name, check_sums=True, max_side=1 << 16)
    header = check_image_size(data, name, max_pixels=MAX_IMAGE_PIXELS)
    try:
        found = cv2.imdecodeWithMetadata(np.frombuffer(data, np.uint8), flags=cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(str(error)) from error
        raise _refuse(Path(name), f"{header.format} data that is damaged") from error
    pixels, kinds, values = found
    if pixels is None or pixels.shape[:2] != (header.height, header.width):
        raise _refuse(Path(name), f"{header.format} data that is damaged")
    exif = [
        np.asarray(value).tobytes()
        for kind, value in zip(kinds, values, strict=True)
        if kind == cv2.IMAGE_METADATA_EXIF
    ]
    return pixels, read_orientation(exif[0]) if exif else 1


def split_alpha(
    pixels: np.ndarray, name: str
) -> tuple[UInt8[np.ndarray, "H W 3"], Bool[np.ndarray, "H W"] | None]:
    """Return RGB and where the image is opaque; None where it has no transparent pixel."""
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]  # noqa: PLR2004 - rows and columns
    if pixels.dtype != np.uint8 or channels not in (_GREY, _BGR, _BGRA):
        raise _refuse(Path(name), f"{channels} channels of {pixels.dtype}")
    codes = {_GREY: cv2.COLOR_GRAY2RGB, _BGR: cv2.COLOR_BGR2RGB, _BGRA: cv2.COLOR_BGRA2RGB}
    image: UInt8[np.ndarray, "H W 3"] = cv2.cvtColor(pixels, codes[channels])
    if channels != _BGRA:
        return image, None
    opaque: Bool[np.ndarray, "H W"] = pixels[..., 3] > MASK_INSIDE // 2
    return image, None if opaque.all() else opaque


def turn(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image as EXIF's orientation (1 to 8) asks, so that it is seen upright."""
    if orientation >= 5:  # noqa: PLR2004 - from 5 on rows and columns are exchanged
        image = image.swapaxes(0, 1)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return np.ascontiguousarray(np.flip(image, flips))


def read_orientation(exif: bytes) -> int:
    """Read the orientation of an EXIF block; 1 where it has none that means anything."""
    tiff = exif.removeprefix(_EXIF_START)
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return 1
    try:
        (first,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, first)
        for place in range(min(count, _MAX_TAGS)):
            at = first + FIRST_TAG_OFFSET + place * TAG_BYTES
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, at)
            if tag == ORIENTATION_TAG:
                return value if 1 <= value <= 8 else 1  # noqa: PLR2004 - the standard's eight
    except struct.error:
        return 1
    return 1


def find_photos(given: Iterable[str]) -> dict[str, Path]:
    """List photographs by name: files as they are, folders by their images, in order.

    Raises RequestError for what is missing, for an empty list, and for two of one name.
    """
    found: dict[str, Path] = {}
    for text in given:
        for path in _list(Path(text)):
            name = as_utf8(path.stem)
            if name in found and found[name] != path:
                raise RequestError(
                    "PHOTO", found=f"{found[name]} and {path}",
                    expected="photographs of different names, which name the folders in --out",
                    hint="Rename one, or give another --out for it.",
                )  # fmt: skip
            found[name] = path
    if not found:
        raise RequestError(
            "PHOTO", found="folders without an image", expected="photographs",
            hint=f"Give files, or folders of {', '.join(sorted(IMAGE_SUFFIXES))}.",
        )  # fmt: skip
    return found


def _list(path: Path) -> list[Path]:
    if path.is_dir():
        return [
            one for one in sorted(path.iterdir())
            if one.suffix.lower() in IMAGE_SUFFIXES and not one.name.startswith(".")
        ]  # fmt: skip
    if not path.exists():
        raise RequestError(
            "PHOTO", found=f"nothing at {path}", expected="a photograph, or a folder of them",
            hint="Check the spelling; relative paths count from where the command runs.",
        )  # fmt: skip
    return [path]


def _refuse(
    path: Path, found: str, expected: str = "a whole photograph of 8 or 16 bits"
) -> InputError:
    return InputError(
        str(path), found=found, expected=expected,
        hint="Fetch it again, or convert it to JPEG or PNG.",
    )  # fmt: skip
