"""Count the samples a second that the loader reads from an object store, against the same folder.

    python -m benchmarks.object_store FOLDER s3://bucket/prefix [--samples 24] [--workers 2 8]

Both hold the same data set (copied as it is); AWS_ENDPOINT_URL leads to any server. In turn,
medians over the rounds. Besides: the share of a shard's bytes that a sample of training needs.
"""

import argparse
import statistics
from time import perf_counter

from schemas.parquet_ranges import GAP_BYTES, column_ranges, merge_ranges
from training.data.augmentation_sampler import AugmentationSampler
from training.data.loader import Loader
from training.data.sample_order import Order
from training.data.shard_index import SampleAddress, ShardIndex, open_index
from training.twok2k.person_samples import PEOPLE_2K2K, PersonReader


def read_rate(index: ShardIndex, count: int, workers: int) -> float:
    """Return samples a second, the first ones not counted, while the threads warm up."""
    loader = Loader(
        PersonReader(index.width, with_stored=True), index.samples,
        Order(len(index.samples), 0, 0, 1, 1), AugmentationSampler(0), workers=workers,
    )  # fmt: skip
    skip, batches = 2 * workers, loader.batches(0, count)
    try:
        for _ in range(skip):
            next(batches)
        began = perf_counter()
        rest = sum(1 for _ in batches)
        return rest / (perf_counter() - began)
    finally:
        loader.close()


def cost(address: SampleAddress) -> tuple[int, int, int]:
    """Return requests and bytes of one sample, and the bytes of all of its columns."""
    group = address.shard.open().metadata.row_group(address.row_group)
    merged = merge_ranges(column_ranges(group, PEOPLE_2K2K.columns), gap=GAP_BYTES)
    names = [group.column(place).path_in_schema for place in range(group.num_columns)]
    whole = sum(end - first for first, end in column_ranges(group, names))
    return len(merged), sum(end - first for first, end in merged), whole


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder")
    parser.add_argument("store")
    parser.add_argument("--samples", type=int, default=24)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 8])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    indices = {
        name: open_index([uri], PEOPLE_2K2K) for name, uri in vars(given).items() if name in PLACES
    }
    requests, needed, whole = cost(indices["store"].samples[0])
    print(f"a sample: {requests} requests, {needed:,} of {whole:,} bytes ({needed / whole:.0%})")
    for workers in given.workers:
        rates: dict[str, list[float]] = {name: [] for name in PLACES}
        for _ in range(given.rounds):
            for name in PLACES:
                rates[name].append(read_rate(indices[name], given.samples, workers))
        local = statistics.median(rates["folder"])
        for name, measured in rates.items():
            middle, spread = (
                statistics.median(measured),
                f"{min(measured):.2f}..{max(measured):.2f}",
            )
            share = f"{middle / local:5.2f} x"
            print(f"{workers:2} workers {name:7} {middle:6.2f} samples/s ({spread}) {share}")


PLACES = ("folder", "store")


if __name__ == "__main__":
    main()
