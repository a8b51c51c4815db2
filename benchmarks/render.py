"""Time whole scans against the straightforward way, and show where the time goes.

    python -m benchmarks.render DATA [--item rp_mhmale_posed_001] [--processes 2] [--rounds 3]
        [--cases one million mixed] [--scans 2] [--ways scanmill straightforward]
        [--exr-compression zip] [--where]

Both ways make the same outputs of the contract for the same views, with the same encoders and the
same number of processes, each process one scan at a time:

  scanmill         our reader, rasteriser, lit pass in the same context, encoders in threads behind
  straightforward  benchmarks/straightforward.py: trimesh, Embree and pyrender, vectorised

Cases: the scan itself; one of a million triangles with coloured vertices, as in 2K2K's present
release; eight of mixed size (benchmarks/sized_scans.py). Prints processor seconds by stage, wall
seconds, the most memory that a process held, and ratios. Machines are shared and noisy: the two
ways take turns, and medians over the rounds are shown; processor seconds count more than wall ones.
Steady state is `--scans 8 --ways scanmill`: a process's first scan finds no memory to use again.
With --where: each stage of a scan in one process and in two, and of a run around them.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import get_args

from benchmarks.guard import hold
from benchmarks.sized_scans import MILLION, make_colored, make_mixed, mesh_path
from benchmarks.whole_scan import DRAWING, Work, by_stage, render_scan, write_rows
from schemas.exr_compression import ExrCompression
from schemas.profiling import ProfileTable, Spent, profiling, span
from schemas.settings import DEFAULT_YAWS_DEG, RenderSettings
from schemas.views import parse_angles
from tasks.backgrounds import Backgrounds, freeze_backgrounds
from tasks.machine.kept_memory import keep_freed_memory
from tasks.machine.meter import max_resident
from tasks.samples.scan_reading import load_scan
from tasks.worker_process import SOFTWARE_DRAWING_THREADS, let_blas_sleep

CASES = ("one", "million", "mixed")
MIB = 2**20
MAX_MEMORY_MIB = 1.2 * 2**10
"""What a worker may hold, by the target."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one scan took, and the most bytes that its process held so far."""

    table: ProfileTable
    max_memory: int


Way = Callable[[Work], Measured]


def scanmill_way(work: Work) -> Measured:
    """Render as a worker of `scanmill render` does, in a context that is open already."""
    return Measured(render_scan(work).table, max_resident())


def straightforward_way(work: Work) -> Measured:
    """Render as one would by hand; joints and placement come from our reader, uncounted."""
    from benchmarks.straightforward import (  # noqa: PLC0415 - one GL user a process
        draw_straightforward,
        load_colored,
    )
    from tasks.samples.encoding import encode_sample  # noqa: PLC0415

    scan = load_scan(work.data, work.ref, resolution=work.settings.resolution)
    with profiling() as profile:
        with span("read"):
            mesh, texture = load_colored(mesh_path(work))
        samples = draw_straightforward(
            mesh, texture, scan=scan, settings=work.settings, backgrounds=work.backgrounds
        )
        rows = (encode_sample(sample, work.settings) for sample in samples)
        write_rows(rows, work.settings)
    return Measured(profile.table, max_resident())


WAYS: dict[str, Way] = {"scanmill": scanmill_way, "straightforward": straightforward_way}


def prepare(processes: int) -> None:
    """Share the cores among the processes, and keep freed memory, as our workers do."""
    share = max(1, (os.cpu_count() or 1) // processes)
    os.environ.setdefault(SOFTWARE_DRAWING_THREADS, str(share))
    keep_freed_memory()


def time_way(way: Way, works: Sequence[Work], processes: int) -> list[Measured]:
    """Run scans in some processes, each after a small one that warms it up."""
    small = RenderSettings(resolution=64, yaws=(0.0,), lights="spots")
    first = works[0]
    warm_up = Work(first.data, first.item, small, Backgrounds(), first.dataset)
    spawn = multiprocessing.get_context("spawn")
    let_blas_sleep()
    with ProcessPoolExecutor(processes, spawn, prepare, (processes,)) as pool:
        list(pool.map(way, [warm_up] * processes))
        return list(pool.map(way, works))


def wall_a_scan(measured: Sequence[Measured], processes: int) -> float:
    """Return wall seconds a scan where the processes work beside each other."""
    return statistics.mean(one.table.wall for one in measured) / processes


def cpu_of(measured: Sequence[Measured], names: Sequence[str] | None = None) -> float:
    """Return mean processor seconds a scan: all, or of some stages."""
    return statistics.mean(
        one.table.cpu
        if names is None
        else sum(by_stage(one.table).get(name, Spent()).cpu for name in names)
        for one in measured
    )


def print_case(case: str, ways: dict[str, list[list[Measured]]], processes: int) -> None:
    """Print medians over the rounds by stage, and the ratios."""
    stages = dict.fromkeys(
        name
        for runs in ways.values()
        for run in runs
        for one in run
        for name in by_stage(one.table)
    )

    def row(label: str, value: Callable[[list[Measured]], float], digits: int = 2) -> list[float]:
        found = [statistics.median(map(value, runs)) for runs in ways.values()]
        print(f"{label:32}" + "".join(f"{one:18.{digits}f}" for one in found))
        return found

    print(f"\n{case}: processor seconds a scan" + "".join(f"{way:>18}" for way in ways))
    for name in stages:
        row(f"  {name}", partial(cpu_of, names=(name,)))
    drawing = row("drawing alone", lambda run: cpu_of(run, DRAWING))
    whole = row("whole scan", cpu_of)
    wall = row("wall seconds a scan", lambda run: wall_a_scan(run, processes))
    memory = row("most memory, MiB", lambda run: max(one.max_memory for one in run) / MIB, 0)
    print(f"target: a worker holds at most {MAX_MEMORY_MIB:.0f} MiB")
    names = ("drawing", "whole", "wall", "memory")
    for name, (mine, *others) in zip(names, (drawing, whole, wall, memory), strict=True):
        for other in others:
            hold(f"render.{case}.{name}" if case != "one" else f"render.{name}", other / mine)


def show_where(given: argparse.Namespace) -> None:
    """Print where the time of a real run goes, by one worker and by two."""
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            command = [
                sys.executable, "-m", "flows.cli", "render", "--data", str(given.data),
                "--dataset", "RP", "--out", f"{folder}/set", "--workers", str(workers),
                "--resolution", str(given.resolution), f"--yaws={given.yaws}", "--profile",
                "--lights", "spots", "--exr-compression", given.exr_compression, "--json",
            ]  # fmt: skip
            if given.backgrounds:
                command += ["--backgrounds", str(given.backgrounds)]
            before, began = _children_seconds(), perf_counter()
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            wall, cpu = perf_counter() - began, _children_seconds() - before
        answer = json.loads(done.stdout)
        scans = answer["worked_on"]
        print_where(ProfileTable.model_validate(answer["profile"]), scans, workers, (wall, cpu))


def print_where(table: ProfileTable, scans: int, workers: int, whole: tuple[float, float]) -> None:
    """Print each stage a scan: processor seconds, wall seconds, wall seconds beside the drawing.

    whole: wall and processor seconds of the command with all its processes.
    """
    print(f"\nworkers {workers}, scans {scans}; seconds a scan")
    print(f"{'':32}{'processor':>12}{'wall':>12}{'beside it':>12}")
    for name, one in by_stage(table).items():
        cells = (one.cpu, one.wall - one.behind, one.behind)
        print(f"{name:32}" + "".join(f"{value / scans:12.3f}" for value in cells))
    idle = whole[0] * workers - table.wall
    print(f"{'of workers, in scans':32}{table.cpu / scans:12.3f}{table.wall / scans:12.3f}")
    print(f"{'start-up, run, idle workers':32}{(whole[1] - table.cpu):12.3f}{idle:12.3f} a run")
    print(f"{'the command':32}{whole[1]:12.3f}{whole[0]:12.3f} a run")


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


START = """
import os
os.environ["MESA_SHADER_CACHE_DISABLE"] = "true"
from time import perf_counter, process_time
from pathlib import Path
from benchmarks.whole_scan import Work, render_scan
from renderers.session import open_session
from schemas.many_imports import keep_pandas_out
from schemas.settings import RenderSettings
from tasks.backgrounds import Backgrounds
import tasks.samples.drawing, tasks.samples.encoding_threads
keep_pandas_out()
small = RenderSettings(resolution=64, yaws=(0.0,), lights="spots")
work = Work(Path({data!r}), {item!r}, small, Backgrounds())
wall, cpu = perf_counter(), process_time()
open_session()
opened, opened_cpu = perf_counter() - wall, process_time() - cpu
first, again = (render_scan(work).table for _ in range(2))
print(opened + first.wall - again.wall, opened_cpu + first.cpu - again.cpu)
"""


def show_start(work: Work) -> None:
    """Print what context and shaders take after imports: it, and a first scan more than another."""
    program = START.format(data=str(work.data), item=work.item)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    wall, cpu = map(float, done.stdout.split())
    print(f"context and shaders after imports, none cached: {wall:.2f} s, {cpu:.2f} of processor")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--item", default="rp_mhmale_posed_001")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--resolution", type=int, default=2048)
    parser.add_argument("--yaws", default=",".join(f"{yaw:g}" for yaw in DEFAULT_YAWS_DEG))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=("one",))
    parser.add_argument("--exr-compression", choices=get_args(ExrCompression), default="zip")
    parser.add_argument("--scans", type=int, help="of a case but mixed; default: one a process")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=tuple(WAYS))
    parser.add_argument("--where", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Time both ways in turn."""
    given = read_options()
    if given.where:
        show_where(given)
        return
    root = given.backgrounds
    backgrounds = Backgrounds(root, freeze_backgrounds(root).images) if root else Backgrounds()
    settings = RenderSettings(
        resolution=given.resolution, yaws=parse_angles(given.yaws, setting="--yaws"),
        lights="spots", exr_compression=given.exr_compression,
    )  # fmt: skip
    work = Work(given.data, given.item, settings, backgrounds)
    show_start(work)
    with tempfile.TemporaryDirectory() as folder:
        for case in given.cases:
            works = _make_case(case, Path(folder), work, given.scans or given.processes)
            ways: dict[str, list[list[Measured]]] = {name: [] for name in given.ways}
            for _ in range(given.rounds):
                for name in given.ways:
                    ways[name].append(time_way(WAYS[name], works, given.processes))
            print_case(case, ways, given.processes)


def _make_case(case: str, root: Path, work: Work, scans: int) -> list[Work]:
    if case == "mixed":
        return make_mixed(root, work)
    return [work if case == "one" else make_colored(root, work, MILLION)] * scans


if __name__ == "__main__":
    main()
