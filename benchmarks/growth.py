"""What a scan costs in data sets of 10 to 2,000 scans, each begun anew.

    python -m benchmarks.growth [--sizes 10 100 1000 2000]

Tiny scans, one a shard, one view of 64 pixels, so that what grows with the data set shows beside
the drawing. As a run does it, without Prefect (benchmarks/orchestration.py measures that):

    plan      list the scans, split them, plan their shards
    status    decide the state of every shard, before and after the work
    shards    draw, write and commit each, with its manifest and fingerprints
    card      the run's record, totals and README.md
    again     find that nothing is left to do

Prints processor milliseconds a scan and resident memory. Compared with itself: a scan of the
largest data set against one of the smallest.
"""

import argparse
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time

from benchmarks.guard import hold
from flows.new_runs import begin_render, find_nothing_to_render
from flows.runs import close_run, make_jobs, record_roots
from renderers.session import open_session
from schemas.requests import RenderRequest
from schemas.settings import RenderSettings
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds
from tasks.dataset.states import shards_to_redo
from tasks.machine.kept_memory import keep_freed_memory
from tasks.machine.meter import resident
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tasks.samples.scan_plan import list_scan_names, plan_scans
from tests.tasks.scan_folders import write_scan

SETTINGS = RenderSettings(resolution=64, yaws=(0.0,))
SIZES = (10, 100, 1000, 2000)
MIB = 2**20


class Spent(dict[str, float]):
    """Processor seconds by step."""

    @contextmanager
    def during(self, step: str) -> Iterator[None]:
        """Count a block."""
        began = process_time()
        yield
        self[step] = self.get(step, 0.0) + process_time() - began


def main() -> None:
    """Make the data sets, the smallest first; one before it warms the process up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    given = parser.parse_args()
    keep_freed_memory()
    open_session()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = f"{folder}/cache"
        make_set(Path(folder) / "warm", min(given.sizes))
        costs = {size: show(size, make_set(Path(folder) / str(size), size)) for size in given.sizes}
    hold("growth.flat", costs[min(costs)] / costs[max(costs)])


def make_set(folder: Path, scans: int) -> Spent:
    """Render so many scans into a new data set; returns what each step took."""
    for number in range(scans):
        write_scan(folder / "people", f"rp_box{number:05d}_posed_001")
    request = RenderRequest(
        data=str(folder / "people"), dataset="RP", out=str(folder / "set"), settings=SETTINGS
    )
    spent, run = Spent(), begin_render(request)
    with spent.during("plan"):
        prepare_dataset(run.folder, SETTINGS)
        resolve_backgrounds(run.folder, None)
        found = list_scan_names(Path(request.data), "RP")
        plan_scans(run.folder, found, SETTINGS, splits=None, scans_per_shard=1)
    record_roots(run)
    with spent.during("status"):
        status = run.status()
    described = make_jobs(run, status, shards_to_redo(status))
    jobs = [job for job in described if isinstance(job, RenderJob)]
    with spent.during("shards"):
        outcomes = [render_shard(job) for job in jobs]
    with spent.during("status and card"):
        summary = close_run(run, outcomes)
    with spent.during("again"):
        nothing = find_nothing_to_render(request)
    if nothing is None or summary.samples != scans:
        message = f"{summary.samples} samples of {scans}, left: {summary.unfinished[:3]}"
        raise SystemExit(message)
    return spent


def show(size: int, spent: Spent) -> float:
    """Print a line; returns processor seconds a scan."""
    whole = sum(spent.values()) / size
    steps = "  ".join(f"{step} {seconds / size * 1e3:.2f}" for step, seconds in spent.items())
    print(f"{size:6} scans: {whole * 1e3:6.2f} ms a scan ({steps}), {resident() / MIB:.0f} MiB")
    return whole


if __name__ == "__main__":
    main()
