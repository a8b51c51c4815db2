"""Fresh backgrounds for training: kept decoded and small, cropped by the sample's own draw.

Source: docs/networks.md, "Augmentation": nine in ten an indoor image, enlarged twofold and
cropped at random, one in ten black. At other resolutions than 2048 the images shrink first, so
that the crop shows as much of the room.
"""

import threading
from collections import OrderedDict
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from schemas.body_parts import PUBLISHED_RESOLUTION
from schemas.codecs import decode_image
from schemas.dataset_reader import DatasetReader
from schemas.errors import InputError, RequestError
from schemas.manifest import Background

ENLARGEMENT = 2
BLACK_SHARE = 0.1
MAX_KEPT_BYTES = 1 << 30
"""Of decoded images in a process: at 2048 pixels all of the published list would be 47 GB."""


class BackgroundPool:
    """Crops of the frozen list of images. Owns: the decoded images, those used last."""

    def __init__(
        self,
        root: Path,
        images: tuple[Background, ...],
        resolution: int,
        *,
        max_kept_bytes: int = MAX_KEPT_BYTES,
    ) -> None:
        """Take the images below root that are large enough; raises RequestError when none is."""
        self._max_kept = max_kept_bytes
        self._side = resolution // ENLARGEMENT
        self._shrink = resolution / PUBLISHED_RESOLUTION
        min_side = PUBLISHED_RESOLUTION // ENLARGEMENT
        self.images = tuple(image for image in images if min(image.width, image.height) >= min_side)
        if not self.images:
            raise RequestError(
                str(root), found=f"no background of at least {min_side} pixels a side",
                expected="one usable background", hint="Train with --background stored or black.",
            )  # fmt: skip
        self._root = root
        self._kept: OrderedDict[int, UInt8[np.ndarray, "H W 3"]] = OrderedDict()
        self._kept_bytes = 0
        self._lock = threading.Lock()

    @property
    def kept(self) -> int:
        """Return how many decoded images there are in memory."""
        return len(self._kept)

    def draw(self, random: np.random.Generator) -> UInt8[np.ndarray, "side side 3"]:
        """Draw a crop of half the resolution, to be enlarged twofold; one in ten is black."""
        black = random.random() < BLACK_SHARE
        place = int(random.integers(len(self.images)))
        across, down = random.random(2)
        if black:
            return np.zeros((self._side, self._side, 3), np.uint8)
        image = self._decode(place)
        top = int(down * (image.shape[0] - self._side + 1))
        left = int(across * (image.shape[1] - self._side + 1))
        return image[top : top + self._side, left : left + self._side]

    def _decode(self, place: int) -> UInt8[np.ndarray, "H W 3"]:
        with self._lock:
            kept = self._kept.get(place)
            if kept is not None:
                self._kept.move_to_end(place)
                return kept
        image = self._shrunk(self.images[place])  # two threads may decode the same one
        with self._lock:
            self._kept_bytes += 0 if place in self._kept else image.nbytes
            self._kept[place] = image
            while self._kept_bytes > self._max_kept and len(self._kept) > 1:
                self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
        return image

    def _shrunk(self, listed: Background) -> UInt8[np.ndarray, "H W 3"]:
        path = self._root / listed.path
        try:
            image = decode_image(path.read_bytes())
        except FileNotFoundError as error:
            raise InputError(
                str(path), found="no such file", expected="the background that the data set names",
                hint="Give the root that the data set was rendered with as --backgrounds.",
            ) from error  # fmt: skip
        if self._shrink >= 1:
            return image
        size = [max(self._side, round(side * self._shrink)) for side in image.shape[1::-1]]
        small: UInt8[np.ndarray, "H W 3"] = cv2.resize(
            image, (size[0], size[1]), interpolation=cv2.INTER_AREA
        )
        return small


def open_backgrounds(
    datasets: tuple[DatasetReader, ...], root: Path | None, resolution: int
) -> BackgroundPool:
    """Open the lists that the data sets froze; raises RequestError without root or list."""
    if root is None:
        raise RequestError(
            "--background fresh", found="no --backgrounds", expected="the folder of the images",
            hint="Add --backgrounds DIR, or train with --background stored.",
        )  # fmt: skip
    images: dict[str, Background] = {}
    for dataset in datasets:
        listed = dataset.read_backgrounds()
        if listed is not None:
            images |= {image.path: image for image in listed.images}
    return BackgroundPool(root, tuple(images[path] for path in sorted(images)), resolution)
