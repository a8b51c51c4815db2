r"""Watch the memory of an export over a large data set.

    scanmill synth --out people --subjects 8 --texture 512
    scanmill render --data people --dataset RP --out sets/many --resolution 256 --yaws 0:357:3
    python -m benchmarks.export_memory URI

Exports the data set to the published 2K2K layout in this process and reads its resident memory
after every shard. Compared to itself: the most over the last quarter of the shards should lie at
most 16 MiB above the most over the second quarter (the first is the warm-up). Ends with 1 if not.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import psutil

from schemas.dataset_folder import DatasetFolder
from tasks.formats.exporting import ExportTarget
from tasks.formats.registry import FORMATS

ALLOWED_MIB = 16.0
MIB = 2**20
QUARTERS = 4
MIN_SHARDS = 2 * QUARTERS


def main() -> int:
    """Print the most memory of each quarter of the shards; return 1 when it grew."""
    parser = argparse.ArgumentParser(description="Watch the memory of an export.")
    parser.add_argument("uri")
    given = parser.parse_args()
    process, resident = psutil.Process(), list[float]()
    with tempfile.TemporaryDirectory() as folder:
        target = ExportTarget(Path(folder) / "published", allow_other_resolution=True)
        plan = FORMATS["2k2k"].plan_export([DatasetFolder.at(given.uri)], target)
        if len(plan.pieces) < MIN_SHARDS:
            parser.error(f"{given.uri} has {len(plan.pieces)} shards; wanted: {MIN_SHARDS} or more")
        target.staging.mkdir(parents=True)
        for piece in plan.pieces:
            piece.write()
            resident.append(process.memory_info().rss / MIB)
    length = len(resident) // QUARTERS
    most = [max(resident[start : start + length]) for start in range(0, length * QUARTERS, length)]
    told = "  ".join(f"{one:.1f}" for one in most)
    print(f"{len(plan.pieces)} shards; most memory by quarters, MiB: {told}")
    grown = most[-1] - most[1]
    print(f"from the second quarter to the last: {grown:+.1f} MiB (allowed {ALLOWED_MIB:.0f})")
    return int(grown > ALLOWED_MIB)


if __name__ == "__main__":
    sys.exit(main())
