"""The same samples through webdataset: tar files of PNG files, streamed.

It is no dependency of scanmill: `pip install --group bench`. Source: webdataset 1.0.2.
"""

import tarfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import IterableDataset

from benchmarks.png_folder import DEPTHS, augment, told_busy

Decoder = Literal["pil", "opencv"]
"""pil: what webdataset decodes with by itself; opencv: the fastest that it can be given."""

PARTS = ("shaded", *DEPTHS)


def is_installed() -> bool:
    """Say whether webdataset is there."""
    return find_spec("webdataset") is not None


def write_tars(root: Path, items: int, tars: int) -> list[str]:
    """Pack the PNG files below root, a sample after the other, into as many tar files."""
    paths = [root / f"{number}.tar" for number in range(tars)]
    for number, path in enumerate(paths):
        with tarfile.open(path, "w") as tar:
            for place in range(number, max(items, tars), tars):
                for part in PARTS:
                    source = root / str(place % items) / f"{part}.png"
                    tar.add(source, f"{place}.{part}.png")
    return [str(path) for path in paths]


class TarStream(IterableDataset[dict[str, torch.Tensor]]):
    """Samples of tar files, round and round; each worker reads files of its own."""

    def __init__(self, tars: list[str], rooms: list[Path], count: int, decoder: Decoder) -> None:
        """Take the files; rooms: backgrounds to augment with, none to decode only."""
        self._tars, self._rooms, self._count, self._decoder = tars, rooms, count, decoder

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        """Yield this worker's share of `count` samples."""
        import webdataset  # noqa: PLC0415 - benchmarks run without it

        worker = torch.utils.data.get_worker_info()
        workers = 1 if worker is None else worker.num_workers
        decode = {"pil": decode_with_pil, "opencv": decode_with_opencv}[self._decoder]
        stream = webdataset.WebDataset(self._tars, shardshuffle=False, empty_check=False)
        endless = stream.repeat().decode(decode)
        for place, sample in zip(range(self._count // workers), endless, strict=False):
            yield self._finish(sample, place) | told_busy()

    def _finish(self, sample: Mapping[str, Any], place: int) -> dict[str, torch.Tensor]:
        arrays = [np.asarray(sample[f"{part}.png"]) for part in PARTS]
        if not self._rooms:
            tensors = [torch.from_numpy(np.array(array)) for array in arrays]
            return dict(zip(PARTS, tensors, strict=True))
        depths = [depth.astype(np.uint16) for depth in arrays[1:]]
        return augment(arrays[0], depths, self._rooms, np.random.default_rng(place))


def decode_with_pil(key: str, data: bytes) -> np.ndarray | None:
    """Decode a PNG by its name, as webdataset asks; None leaves it to others.

    Not webdataset's own handler: that makes eight bits of sixteen.
    """
    return np.asarray(Image.open(BytesIO(data))) if key.endswith(".png") else None


def decode_with_opencv(key: str, data: bytes) -> np.ndarray | None:
    """Decode a PNG by its name, as webdataset asks; None leaves it to others."""
    if not key.endswith(".png"):
        return None
    flags = cv2.IMREAD_COLOR_RGB if "shaded" in key else cv2.IMREAD_UNCHANGED
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    return None if image is None else np.asarray(image)
