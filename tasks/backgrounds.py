"""Background pictures: looked at once, frozen with their digests, drawn from by a sample's seed."""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from schemas.errors import InputError, RequestError
from schemas.manifest import Background, BackgroundList, RefusedBackground
from schemas.scan import InputFile

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
FREEZE_THREADS = 4


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """The frozen list and the folder that its paths stand below; neither: black.

    Owns nothing: reads a picture when asked, checks that it is the one that was frozen.
    """

    root: Path | None = None
    pictures: tuple[Background, ...] = ()

    def usable(self, resolution: int, max_enlargement: float) -> tuple[Background, ...]:
        """List the pictures that cover the resolution without more enlargement than allowed."""
        shortest = resolution / max_enlargement
        return tuple(one for one in self.pictures if min(one.width, one.height) >= shortest)

    def choose(
        self, resolution: int, max_enlargement: float, rng: np.random.Generator
    ) -> Background | None:
        """Draw one usable picture, or None (black) where there are none."""
        usable = self.usable(resolution, max_enlargement)
        return usable[int(rng.integers(len(usable)))] if usable else None

    def read(self, chosen: Background) -> UInt8[np.ndarray, "BH BW 3"]:
        """Read a chosen picture as RGB.

        Raises InputError when the file is gone, or is not the one that was frozen.
        """
        if self.root is None:
            raise RequestError(
                "--backgrounds", met="no folder", wanted=f"the folder that holds {chosen.path}",
                way_out="Give the folder that the data set was begun with.",
            )  # fmt: skip
        path = self.root / chosen.path
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != chosen.sha256:
            raise InputError(
                str(path),
                met="another picture than the data set was begun with" if data else "no such file",
                wanted=f"the picture with sha256 {chosen.sha256[:12]}...",
                way_out="Restore the background folder, or render into a new data set.",
            )
        return _decode(data)

    def input_file(self, chosen: Background) -> InputFile:
        """Describe a chosen picture as an input of a shard."""
        size = (self.root / chosen.path).stat().st_size if self.root else None
        return InputFile(path=chosen.path, root="backgrounds", size=size, sha256=chosen.sha256)


def freeze_backgrounds(root: Path) -> BackgroundList:
    """Look at every picture below a folder once; the order is that of the paths.

    Raises RequestError when the folder is missing or holds no usable picture.
    """
    paths = sorted(_picture_paths(root), key=lambda path: path.relative_to(root).as_posix())
    with ThreadPoolExecutor(FREEZE_THREADS) as pool:
        looked_at = list(pool.map(lambda path: _look_at(root, path), paths))
    pictures = tuple(one for one in looked_at if isinstance(one, Background))
    if not pictures:
        raise RequestError(
            str(root),
            met=f"{len(paths)} picture files, none usable" if root.is_dir() else "no such folder",
            wanted="a folder with pictures, for example IndoorCVPR09",
            way_out="Give another --backgrounds, or leave it out for black.",
        )
    refused = tuple(one for one in looked_at if isinstance(one, RefusedBackground))
    return BackgroundList(pictures=pictures, refused=refused)


def _picture_paths(root: Path) -> Iterable[Path]:
    return (
        path
        for path in root.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES
        and not any(part.startswith((".", "__MACOSX")) for part in path.relative_to(root).parts)
        and path.is_file()
    )


def _look_at(root: Path, path: Path) -> Background | RefusedBackground:
    name = path.relative_to(root).as_posix()
    try:
        data = path.read_bytes()
        height, width = _decode(data).shape[:2]
    except (OSError, ValueError, cv2.error) as error:
        return RefusedBackground(path=name, reason=str(error))
    digest = hashlib.sha256(data).hexdigest()
    return Background(path=name, sha256=digest, width=width, height=height)


def _decode(data: bytes) -> UInt8[np.ndarray, "BH BW 3"]:
    """Decode to RGB as stored, without turning by EXIF; raises ValueError for what is none."""
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    if picture is None:
        message = f"{len(data)} bytes that are no picture"
        raise ValueError(message)
    rgb: UInt8[np.ndarray, "BH BW 3"] = picture
    return rgb
