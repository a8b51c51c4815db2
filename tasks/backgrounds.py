"""Background images: looked at once, frozen with their digests, drawn from by a sample's seed."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
from jaxtyping import UInt8

from schemas.codecs import decode_pixels
from schemas.errors import InputError, RequestError, ScanmillError, as_utf8
from schemas.file_status import is_readable_file
from schemas.manifest import Background, BackgroundList, RefusedBackground
from schemas.regular_files import read_text, read_whole
from schemas.scan import InputFile
from schemas.size_limits import JPEG_START, MAX_IMAGE_BYTES, PNG_START, check_image_size
from schemas.work import map_in_threads
from tasks.scans.textures import read_header

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
FREEZE_THREADS = 4

FEW = 50
"""Fewer usable backgrounds than this are worth a warning: a net would learn them by heart."""

_CHECKED_STARTS = (JPEG_START, PNG_START)
"""JPEG and PNG have a structure that shows whether they are whole; OpenCV fills gaps silently."""


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """The frozen list and the folder that its paths are below; neither: black.

    Owns nothing: reads an image when asked, checks that it is the one that was frozen.
    """

    root: Path | None = None
    images: tuple[Background, ...] = ()
    version: int = 1

    def usable(self, resolution: int, max_enlargement: float) -> tuple[Background, ...]:
        """List the images that cover the resolution without more enlargement than allowed."""
        shortest = resolution / max_enlargement
        return tuple(one for one in self.images if min(one.width, one.height) >= shortest)

    def choose(
        self, resolution: int, max_enlargement: float, rng: np.random.Generator
    ) -> Background | None:
        """Draw one usable image, or None (black) where there are none."""
        usable = self.usable(resolution, max_enlargement)
        return usable[int(rng.integers(len(usable)))] if usable else None

    def read(self, chosen: Background) -> UInt8[np.ndarray, "BH BW 3"]:
        """Read a chosen image as RGB.

        Raises InputError when the file is gone, or is not the one that was frozen.
        """
        if self.root is None:
            raise RequestError(
                "--backgrounds", found="no folder", expected=f"the folder that holds {chosen.path}",
                hint="Give the folder that the data set was begun with.",
            )  # fmt: skip
        path = self.root / chosen.path
        data = read_whole(path, MAX_IMAGE_BYTES) if is_readable_file(path) else b""
        if hashlib.sha256(data).hexdigest() != chosen.sha256:
            raise InputError(
                str(path),
                found="another image than the data set was begun with" if data else "no such file",
                expected=f"the image with sha256 {chosen.sha256[:12]}...",
                hint="Restore the background folder, or render into a new data set.",
            )
        return _decode(data, str(path))

    def input_file(self, chosen: Background) -> InputFile:
        """Describe a chosen image as an input of a shard."""
        size = (self.root / chosen.path).stat().st_size if self.root else None
        return InputFile(path=chosen.path, root="backgrounds", size=size, sha256=chosen.sha256)


def freeze_backgrounds(root: Path, *, listed: Path | None = None) -> BackgroundList:
    """Look at every image below a folder once; the order is that of the paths.

    listed: a published list, `folder/image` a line: only these, in the list's order; a line
    that is listed twice counts twice, as it does in the published training.
    Raises RequestError when the folder is missing or holds no usable image.
    """
    names = sorted(_image_names(root)) if listed is None else read_background_list(listed)
    distinct = list(dict.fromkeys(names))
    found = map_in_threads(partial(_look_at, root), distinct, threads=FREEZE_THREADS)
    by_name = dict(zip(distinct, found, strict=True))
    looked_at = [by_name[name] for name in names]
    images = tuple(one for one in looked_at if isinstance(one, Background))
    if not images:
        raise RequestError(
            str(root),
            found=f"{len(names)} image files, none usable" if root.is_dir() else "no such folder",
            expected="a folder with images, for example IndoorCVPR09",
            hint="Give another --backgrounds, or leave it out for black.",
        )
    refused = tuple(one for one in by_name.values() if isinstance(one, RefusedBackground))
    return BackgroundList(images=images, refused=refused)


def read_background_list(path: Path) -> list[str]:
    """Read a published list of backgrounds: one path below the background root a line.

    Raises InputError when it is missing, no text, or a path leaves the root.
    """
    names = [line.strip().lstrip("/") for line in read_text(path).splitlines()]
    names = [name for name in names if name]
    for number, name in enumerate(names, start=1):
        if ".." in PurePosixPath(name).parts or not name.isprintable():
            raise InputError(
                str(path), found=f"{name[:80]!a} as entry {number}",
                expected="paths below the background root, one a line", hint="Fix the list.",
            )  # fmt: skip
    return names


def describe_shortage(
    backgrounds: BackgroundList, resolution: int, max_enlargement: float
) -> str | None:
    """Warn when few images can be used, with the limit that would admit more; None: enough."""
    usable = len(Backgrounds(None, backgrounds.images).usable(resolution, max_enlargement))
    total = len(backgrounds.images)
    if usable >= FEW or not backgrounds.images:
        return None
    if usable == total:
        plural = "s" if usable > 1 else ""
        return f"only {usable} background{plural}: people will often have the same one"
    needed = sorted(resolution / min(one.width, one.height) for one in backgrounds.images)
    admitted = min(FEW, total)
    limit = math.ceil(100 * needed[admitted - 1]) / 100
    more = f"; a limit of {limit:g} would admit {admitted}" if limit > max_enlargement else ""
    return (
        f"only {usable} of {total} backgrounds cover {resolution} pixels when enlarged at most "
        f"{max_enlargement:g}-fold (max_enlargement){more}"
    )


def _image_names(root: Path) -> Iterable[str]:
    return (
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.suffix.lower() in IMAGE_SUFFIXES
        and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)
        and not path.is_dir()  # a pipe is refused by name, not passed over
    )


def _look_at(root: Path, name: str) -> Background | RefusedBackground:
    if as_utf8(name) != name:
        return RefusedBackground(path=as_utf8(name), reason="a name that is not UTF-8")
    try:
        data = read_whole(root / name, MAX_IMAGE_BYTES)
        if data.startswith(_CHECKED_STARTS):
            read_header(data, name, check_sums=True)
        height, width = _decode(data, name).shape[:2]
    except ScanmillError as error:
        return RefusedBackground(path=name, reason=error.found)
    digest = hashlib.sha256(data).hexdigest()
    return Background(path=name, sha256=digest, width=width, height=height)


def _decode(data: bytes, name: str) -> UInt8[np.ndarray, "BH BW 3"]:
    """Decode to RGB as stored, without turning by EXIF; raises InputError for what is none."""
    check_image_size(data, name)
    image = decode_pixels(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None or image.ndim != 3 or image.dtype != np.uint8:  # noqa: PLR2004 - rows, columns, channels
        kind = "" if image is None else f" of 8-bit RGB, but {image.dtype} of shape {image.shape}"
        raise InputError(
            name, found=f"{len(data)} bytes that are no image{kind}", expected="an image",
            hint="Fetch it again, or remove it.",
        )  # fmt: skip
    return image
