"""Time a whole scan against the straightforward way.

    python -m benchmarks.render DATA [--item rp_mhmale_posed_001] [--processes 2] [--rounds 3]

Both ways make the same outputs of the contract for the same seven views, with the same encoders and
the same number of processes, each process one scan at a time:

  scanmill         our reader, rasteriser, lit pass in the same context, encoders in threads behind
  straightforward  benchmarks/straightforward.py: trimesh, Embree and pyrender, vectorised

Prints seconds by stage (worker seconds; encoding runs beside drawing in our way), wall seconds a
scan, and the ratios for drawing alone (build, draw, light) and for the whole. Machines are shared
and noisy: the two ways take turns, and medians over the rounds are shown.
"""

import argparse
import multiprocessing
import os
import statistics
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.guard import hold
from benchmarks.seconds import Seconds, counted
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds, freeze_backgrounds
from tasks.dataset.shards import Row, write_shard
from tasks.samples.scan_reading import load_scan

DRAWING_STAGES = ("build", "draw", "light")


@dataclass(frozen=True, slots=True)
class Work:
    """One scan to render."""

    data: Path
    item: str
    settings: RenderSettings
    backgrounds: Backgrounds

    @property
    def ref(self) -> ScanRef:
        """Name the scan."""
        return ScanRef(dataset="RP", item=self.item, subject=self.item, split="train")


Way = Callable[[Work], Seconds]


def scanmill_way(work: Work) -> Seconds:
    """Render as a worker of `scanmill render` does, in a context that is open already."""
    from renderers.session import open_session  # noqa: PLC0415 - one GL user a process
    from tasks.samples.drawing import Stopwatch, ViewFailure, draw_scan  # noqa: PLC0415
    from tasks.samples.encoding_threads import encode_behind  # noqa: PLC0415

    session = open_session()
    seconds: Seconds = {}
    with counted(seconds, "read"):
        scan = load_scan(work.data, work.ref, resolution=work.settings.resolution)
    watch = Stopwatch()
    drawn = draw_scan(scan, work.settings, session, backgrounds=work.backgrounds, stopwatch=watch)

    def rows() -> Iterable[Row]:
        for one in encode_behind(drawn, work.settings):
            if isinstance(one, ViewFailure):
                raise one.error
            seconds["encode"] = seconds.get("encode", 0.0) + one.seconds
            yield one.row

    write_rows(rows(), seconds)
    return seconds | {str(stage): spent for stage, spent in watch.seconds.items()}


def straightforward_way(work: Work) -> Seconds:
    """Render as one would by hand."""
    from benchmarks.straightforward import (  # noqa: PLC0415 - one GL user a process
        draw_straightforward,
        load_textured,
    )
    from tasks.samples.encoding import encode_sample  # noqa: PLC0415

    seconds: Seconds = {}
    with counted(seconds, "read"):
        folder = work.data / "obj" / "RP" / f"{work.item}_OBJ"
        mesh, texture = load_textured(folder, work.item)
    samples = draw_straightforward(
        mesh, texture, scan=load_scan(work.data, work.ref), settings=work.settings,
        backgrounds=work.backgrounds, seconds=seconds,
    )  # fmt: skip

    def rows() -> Iterable[Row]:
        for sample in samples:
            with counted(seconds, "encode"):
                row = encode_sample(sample, work.settings)
            yield row

    write_rows(rows(), seconds)
    return seconds


def write_rows(rows: Iterable[Row], seconds: Seconds) -> None:
    """Write a shard into a folder that goes away."""
    with (
        tempfile.TemporaryDirectory() as folder,
        write_shard(Path(folder) / "shard-00000.parquet") as writer,
    ):
        for row in rows:
            with counted(seconds, "write"):
                writer.write(row)
        writer.finish()


def time_way(way: Way, work: Work, processes: int) -> tuple[float, Seconds]:
    """Run one scan in each of several processes after a small one that warms them up.

    Returns wall seconds a scan, and mean seconds by stage.
    """
    warm_up = Work(work.data, work.item, RenderSettings(resolution=64, yaws=(0.0,)), Backgrounds())
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(way, [warm_up] * processes))
        start = perf_counter()
        stages = list(pool.map(way, [work] * processes))
        wall = (perf_counter() - start) / processes
    return wall, {name: statistics.mean(one.get(name, 0.0) for one in stages) for name in stages[0]}


def print_table(ways: dict[str, list[tuple[float, Seconds]]]) -> None:
    """Print medians by stage, and the two ratios."""
    names = list(dict.fromkeys(name for runs in ways.values() for _, one in runs for name in one))
    medians = {
        way: {name: statistics.median(one.get(name, 0.0) for _, one in runs) for name in names}
        for way, runs in ways.items()
    }
    whole = {way: statistics.median(wall for wall, _ in runs) for way, runs in ways.items()}
    drawing = {way: sum(medians[way].get(name, 0.0) for name in DRAWING_STAGES) for way in ways}
    print(f"{'seconds a scan in one process':30}" + "".join(f"{way:>18}" for way in ways))
    for name in names:
        print(f"{name:30}" + "".join(f"{medians[way][name]:18.2f}" for way in ways))
    print(f"{'wall seconds a scan, all':30}" + "".join(f"{whole[way]:18.2f}" for way in ways))
    ours, other = ways
    print(f"drawing alone: {drawing[other] / drawing[ours]:.1f} times faster")
    print(f"whole scan:    {whole[other] / whole[ours]:.1f} times faster")
    hold("render.drawing", drawing[other] / drawing[ours])
    hold("render.whole", whole[other] / whole[ours])


def main() -> None:
    """Time both ways in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--item", default="rp_mhmale_posed_001")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--resolution", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backgrounds", type=Path)
    options = parser.parse_args()
    share = max(1, (os.cpu_count() or 1) // options.processes)
    os.environ.setdefault("LP_NUM_THREADS", str(share))  # as the workers of `scanmill render` do
    root = options.backgrounds
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images) if root else Backgrounds()
    settings = RenderSettings(resolution=options.resolution, lights="spots")  # both ways
    work = Work(options.data, options.item, settings, backgrounds)
    ways: dict[str, list[tuple[float, Seconds]]] = {"scanmill": [], "straightforward": []}
    for _ in range(options.rounds):
        ways["scanmill"].append(time_way(scanmill_way, work, options.processes))
        ways["straightforward"].append(time_way(straightforward_way, work, options.processes))
    print_table(ways)


if __name__ == "__main__":
    main()
