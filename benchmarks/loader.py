"""Time the loader, against a straightforward one over PNG files and a well-known streaming one.

    python -m benchmarks.loader URI --backgrounds DIR [--samples 24] [--workers 2] [--rounds 3]

Same content, same run, in turn, medians over the rounds. What is decoded is a sample's lit image
and both depths, at 2048 pixels 12.6 megapixels; what comes out in the lower part is what a step
takes: the augmented image in -1..1 and both depths in network units.

  shards               training.data.loader: decoding threads over Parquet
  webdataset, pil      tar files of the same PNG files (depth as 16 bit), decoded as it does itself
  webdataset, opencv   the same, with the fastest decoder that it can be given
  shards + pixels      training.data.loader and the augmentation of every batch on this CPU
  png files            torch DataLoader over PNG files, with the reference's augmentation on the
                       CPU: jitter, background enlarged twofold and cropped, seam filtered
  png files, published the same, and both unlit colours too, which the published loader reads
  webdataset           tar files decoded by OpenCV, with the same augmentation

Processor seconds count all of a sample: reading, decoding, augmentation, and what hands it to the
process that trains. Megapixels are those decoded, by processor second: what a core gives.
webdataset is measured where it is installed: `pip install --group bench`.

URI is a data set of 2048 pixels made by `scanmill render`; DIR is its root of backgrounds.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks import tar_stream
from benchmarks.as_training import run_as_training
from benchmarks.guard import hold
from benchmarks.png_folder import COLORS, PngFolder, write_pngs
from training.data.augmentation_sampler import AugmentationSampler
from training.data.background_pool import open_backgrounds
from training.data.loader import Loader
from training.data.sample_order import Order
from training.data.shard_index import ShardIndex, open_index
from training.twok2k.person_examples import make_image, network_depths
from training.twok2k.person_samples import PEOPLE_2K2K, PersonBatch, PersonReader, PersonSample
from training.twok2k.targets import FRONT_BACKGROUND

PLAIN, STREAM = "png files", "webdataset, opencv"
DECODED = 3
"""Maps of a sample: the lit image and two depths."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What a sample costs: seconds of wall and of processor."""

    wall: float
    busy: float


def measure_threads(
    loader: Loader[PersonSample, PersonBatch], samples: int, work: Callable[[PersonBatch], object]
) -> Pace:
    """Measure our loader and what is done with each batch; the first ones are not counted."""
    skip, batches = samples // 3, loader.batches(0, samples)
    for _ in range(skip):
        work(next(batches))
    began, began_busy = perf_counter(), process_time()
    for batch in batches:
        work(batch)
    count = samples - skip
    loader.close()
    return Pace((perf_counter() - began) / count, (process_time() - began_busy) / count)


def measure_processes(dataset: Dataset[dict[str, Any]], samples: int, workers: int) -> Pace:
    """Measure a torch DataLoader whose samples tell how busy their process was so far.

    Workers are spawned: a fork would copy the locks of threads that have already decoded here.
    They give samples in turn, so that sample n is of worker n modulo their number.
    """
    skip, busy = samples // 3, list[float]()
    began = began_busy = 0.0
    batches = DataLoader(
        dataset, batch_size=1, num_workers=workers, multiprocessing_context="spawn"
    )
    for count, batch in enumerate(batches, start=1):
        busy.append(float(batch["busy"]))
        if count == skip:
            began, began_busy = perf_counter(), process_time()
    wall, here = perf_counter() - began, process_time() - began_busy
    spent = [later - sooner for sooner, later in zip(busy, busy[workers:], strict=False)]
    return Pace(wall / (samples - skip), statistics.mean(spent) + here / (samples - skip))


def open_shards(index: ShardIndex, rooms: Path, workers: int) -> Loader[PersonSample, PersonBatch]:
    """Open our loader with fresh backgrounds and jitter."""
    pool = open_backgrounds(index.datasets, rooms, index.width)
    order = Order(len(index.samples), 0, 0, 1, 1)
    reader = PersonReader(index.width, with_stored=False)
    return Loader(reader, index.samples, order, AugmentationSampler(0, pool), workers=workers)


def finish(batch: PersonBatch) -> tuple[torch.Tensor, ...]:
    """Make of a batch what a step takes."""
    image = make_image(batch).mul_(2).sub_(1)
    front, back = network_depths(batch, image.shape[-1])
    return image, torch.where(front > 0, front, FRONT_BACKGROUND), back


def list_ways(
    index: ShardIndex, given: argparse.Namespace, folder: Path
) -> Iterator[tuple[str, int, Callable[[], Pace]]]:
    """Yield the name of each way, the maps that it decodes a sample, and how it is measured."""
    listed, items = index.datasets[0].read_backgrounds(), len(index.samples)
    rooms = [given.backgrounds / image.path for image in listed.images] if listed else []
    count, workers = given.samples, given.workers

    def threads(work: Callable[[PersonBatch], object]) -> Callable[[], Pace]:
        return lambda: measure_threads(open_shards(index, given.backgrounds, workers), count, work)

    def processes(dataset: Dataset[dict[str, Any]]) -> Callable[[], Pace]:
        return partial(measure_processes, dataset, count, workers)

    yield "shards", DECODED, threads(id)
    yield "shards + pixels", DECODED, threads(finish)
    for name, more in {PLAIN: False, "png files, published": True}.items():
        dataset = PngFolder(folder, rooms, count, items, colors=more)
        yield name, DECODED + more * len(COLORS), processes(dataset)
    if not tar_stream.is_installed():
        print("webdataset is not installed: pip install --group bench")
        return
    tars = tar_stream.write_tars(folder, items, workers)
    streams: list[tuple[str, list[Path], tar_stream.Decoder]] = [
        ("webdataset, pil", [], "pil"),
        (STREAM, [], "opencv"),
        ("webdataset + pixels", rooms, "opencv"),
    ]
    for name, rooms_used, decoder in streams:
        yield name, DECODED, processes(tar_stream.TarStream(tars, rooms_used, count, decoder))


def main() -> None:
    """Print the table."""
    run_as_training("benchmarks.loader")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("uri")
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    index = open_index([given.uri], PEOPLE_2K2K)
    paces: dict[str, list[Pace]] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_pngs(index.samples, Path(folder))
        ways = list(list_ways(index, given, Path(folder)))
        for _ in range(given.rounds):
            for name, _, measure in ways:
                paces.setdefault(name, []).append(measure())
    print(f"{len(index.samples)} samples of {index.width} pixels, {given.workers} workers")
    report({name: (maps, middle(paces[name])) for name, maps, _ in ways}, index.width)


def middle(paces: list[Pace]) -> Pace:
    """Return the medians."""
    walls, busies = ([getattr(pace, name) for pace in paces] for name in ("wall", "busy"))
    return Pace(statistics.median(walls), statistics.median(busies))


def report(paces: dict[str, tuple[int, Pace]], width: int) -> None:
    """Print a line each, and keep the ratios."""
    plain = paces[PLAIN][1]
    print(
        "                      samples/s  cpu ms a sample  megapixels/s a core  cpu, wall of plain"
    )
    rates = {name: maps * width**2 / 1e6 / pace.busy for name, (maps, pace) in paces.items()}
    for name, (_, pace) in paces.items():
        times = f"{plain.busy / pace.busy:5.2f} x {plain.wall / pace.wall:5.2f} x"
        print(
            f"{name:20} {1 / pace.wall:10.2f} {1e3 * pace.busy:16.0f} {rates[name]:20.1f}  {times}"
        )
    ours = paces["shards + pixels"][1]
    hold("loader.augmented", plain.busy / ours.busy)
    hold("loader.augmented.wall", plain.wall / ours.wall)
    if STREAM in rates:
        hold("loader.decoded", rates["shards"] / rates[STREAM])


if __name__ == "__main__":
    main()
