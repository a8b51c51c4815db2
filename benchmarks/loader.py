"""Count the samples a second of the loader, against a straightforward one over PNG files.

    python -m benchmarks.loader URI --backgrounds DIR [--samples 24] [--workers 2] [--rounds 3]

Same content, same run, in turn, medians over the rounds:

  shards           training.data.loader: decoding threads over Parquet; the device augments
  shards + pixels  the same, and the augmentation of every batch on this CPU besides
  png files        torch DataLoader with worker processes over five PNG files a sample (lit, both
                   colours, both depths as 16 bit), with the reference's augmentation on the CPU:
                   jitter, background enlarged twofold and cropped, seam filtered

URI is a data set of 2048 pixels made by `scanmill render`; DIR is its root of backgrounds.
Source of the augmentation: docs/networks.md, "Augmentation".
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import cv2
import numpy as np
import torch
from PIL import Image, ImageEnhance
from torch.utils.data import DataLoader, Dataset

from benchmarks.guard import hold
from schemas.codecs import decode_depth
from training.data.augmentation_sampler import AugmentationSampler
from training.data.background_pool import open_backgrounds
from training.data.loader import Loader
from training.data.sample_order import Order
from training.data.shard_index import SampleAddress, ShardIndex, open_index
from training.twok2k.augment import SEAM_FROM, SEAM_TO
from training.twok2k.person_examples import make_image
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader, PersonSample

B = TypeVar("B")

COLUMNS = ["shaded.bytes", "color_front.bytes", "color_back.bytes", "depth", "intrinsics"]
IMAGES = ("shaded", "color_front", "color_back")
BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16
TRIANGLE = np.array([1, 2, 1], np.float32) / 4


class PngFolder(Dataset[dict[str, torch.Tensor]]):
    """Five PNG files a sample, augmented on the CPU as the reference says."""

    def __init__(self, root: Path, rooms: list[Path], count: int, items: int) -> None:
        """Take `items` samples below root and go round until `count` are given."""
        self._root, self._rooms, self._count, self._items = root, rooms, count, items

    def __len__(self) -> int:
        """Return how many samples an epoch has."""
        return self._count

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        """Read and augment one sample."""
        random = np.random.default_rng(place)
        folder = self._root / str(place % self._items)
        images = {name: _read_rgb(folder / f"{name}.png") for name in IMAGES}
        depths = [
            _read(folder / f"depth_{side}.png", cv2.IMREAD_UNCHANGED).astype(np.float64) / 32 / 512
            for side in ("front", "back")
        ]
        inside = depths[0] > 0
        person = _jitter(images["shaded"], random)
        image = _compose(person, self._background(inside.shape[0], random), inside)
        depths[0][~inside] = 6
        arrays = {
            "picture": image.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1,
            "color_front": images["color_front"].astype(np.float32).transpose(2, 0, 1) / 255,
            "color_back": images["color_back"].astype(np.float32).transpose(2, 0, 1) / 255,
            "front": depths[0].astype(np.float32),
            "back": depths[1].astype(np.float32),
        }
        return {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}

    def _background(self, side: int, random: np.random.Generator) -> np.ndarray:
        if random.random() < 1 / 10:
            return np.zeros((side, side, 3), np.uint8)
        room = _read_rgb(self._rooms[random.integers(len(self._rooms))])
        large = cv2.resize(room, None, fx=2, fy=2)
        top, left = (int(random.integers(n - side + 1)) for n in large.shape[:2])
        return large[top : top + side, left : left + side]


def _read_rgb(path: Path) -> np.ndarray:
    return _read(path, cv2.IMREAD_COLOR)[..., ::-1]


def _read(path: Path, flags: int) -> np.ndarray:
    image = cv2.imread(str(path), flags)
    if image is None:
        raise FileNotFoundError(path)
    return image


def _jitter(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    changed = Image.fromarray(np.ascontiguousarray(image))
    changes = [ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color]
    for which in random.permutation(3):
        changed = changes[which](changed).enhance(float(random.uniform(0.7, 1.0)))
    return np.asarray(changed)


def _compose(person: np.ndarray, background: np.ndarray, inside: np.ndarray) -> np.ndarray:
    together = np.where(inside[..., None], person, background)
    soft = cv2.sepFilter2D(cv2.medianBlur(together, 3), -1, BINOMIAL, BINOMIAL)
    edge = cv2.sepFilter2D(inside.astype(np.float32), -1, TRIANGLE, TRIANGLE)
    seam = (edge >= SEAM_FROM) & (edge <= SEAM_TO)
    return np.where(seam[..., None], soft, together)


def write_pngs(samples: tuple[SampleAddress, ...], root: Path) -> None:
    """Write the same content as PNG files, depth as the published sixteen bits."""
    for place, sample in enumerate(samples):
        table = sample.shard.open().read_row_group(sample.row_group, columns=COLUMNS)
        row = table.to_pylist()[sample.row]
        folder = root / str(place)
        folder.mkdir(parents=True)
        for name in IMAGES:
            (folder / f"{name}.png").write_bytes(row[name]["bytes"])
        for side, length in zip(("front", "back"), decode_depth(row["depth"]), strict=True):
            stored = 32 * ((length - 1) * row["intrinsics"][0] + length.shape[0] / 2)
            sixteen = np.where(length > 0, stored, 0).astype(np.uint16)
            cv2.imwrite(str(folder / f"depth_{side}.png"), sixteen)


def rate(batches: Iterable[B], work: Callable[[B], object], skip: int) -> float:
    """Return samples a second, not counting the first ones, while the workers warm up."""
    began, count = perf_counter(), 0
    for count, batch in enumerate(batches, start=1):
        work(batch)
        if count == skip:
            began = perf_counter()
    return (count - skip) / (perf_counter() - began)


def open_shards(index: ShardIndex, rooms: Path, workers: int) -> Loader[PersonSample, PersonBatch]:
    """Open our loader with fresh backgrounds and jitter."""
    pool = open_backgrounds(index.datasets, rooms, index.width)
    order = Order(len(index.samples), 0, 0, 1, 1)
    reader = PersonReader(index.width, with_stored=False)
    return Loader(reader, index.samples, order, AugmentationSampler(0, pool), workers=workers)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("uri")
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    index = open_index([given.uri], PEOPLE_2K2K)
    listed = index.datasets[0].read_backgrounds()
    rooms = [given.backgrounds / image.path for image in listed.images] if listed else []
    skip = 2 * given.workers
    rates: dict[str, list[float]] = {"shards": [], "shards + pixels": [], "png files": []}
    with tempfile.TemporaryDirectory() as folder:
        write_pngs(index.samples, Path(folder))
        for _ in range(given.rounds):
            works: dict[str, Callable[[PersonBatch], object]] = {
                "shards": id, "shards + pixels": make_image,
            }  # fmt: skip
            for name, work in works.items():
                loader = open_shards(index, given.backgrounds, given.workers)
                rates[name].append(rate(loader.batches(0, given.samples), work, skip))
                loader.close()
            pngs = PngFolder(Path(folder), rooms, given.samples, len(index.samples))
            # Spawned: a fork would copy the locks of threads that have already decoded here.
            batches = DataLoader(
                pngs,
                batch_size=1,
                num_workers=given.workers,
                multiprocessing_context="spawn",
            )
            rates["png files"].append(rate(batches, id, skip))
    slow = statistics.median(rates["png files"])
    print(f"{len(index.samples)} samples of {index.width} pixels, {given.workers} workers")
    for name, measured in rates.items():
        middle = statistics.median(measured)
        spread = f"{min(measured):.2f}..{max(measured):.2f}"
        print(f"{name:16} {middle:6.2f} samples/s ({spread})  {middle / slow:5.2f} x")
        if middle != slow:
            hold(f"loader.{name}", middle / slow)


if __name__ == "__main__":
    main()
