"""What Prefect adds to the work: by shard, over a long run, and from one worker to two.

Three questions, each on a Prefect server that is started for it on loopback:

    long      5,000 tiny shards by one run. Compared with itself: wall and processor seconds a
              shard, and memory of server and client, of the last thousand against the second (the
              first warms up); and with the same work in a bare loop.
    real      Those seconds a shard against a real shard: a scan of the default settings.
    scaling   Jobs of half a second of arithmetic, one worker against two, compared with one and two
              bare loops in turn with them, as the machine may be shared. Reported with it: the
              share of their time that workers were at work, which other programs do not spoil.

    python -m benchmarks.orchestration [--shards 5000] [--runner local] [--only long real scaling]
"""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter, process_time, time
from typing import Any, NamedTuple

import psutil
from prefect import flow

from flows.progress import showing
from flows.run_jobs import JobSpec, run_jobs
from renderers.session import open_session
from schemas.errors import ScanmillError
from schemas.settings import RenderSettings
from schemas.work import UnitJob
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tasks.task import unit_task
from tests.flows.live_server import live_server
from tests.tasks.data_sets import plan_jobs
from tests.tasks.scan_folders import write_scan

QUESTIONS = ("long", "real", "scaling")
TINY_BYTES = 20_000
SPIN_S = 0.5
PAIRS = 3
JOBS = 16
ALLOWED_SHARE = 0.05
MIB = 2**20


class Done(NamedTuple):
    """When and where a job ran: wall seconds since 1970, processor seconds, process id."""

    began: float
    ended: float
    spent: float
    pid: int


def main() -> None:
    """Answer the questions; in a process that Prefect finds the server in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shards", type=int, default=5000)
    parser.add_argument("--runner", default="local")
    parser.add_argument("--only", nargs="+", choices=QUESTIONS, default=QUESTIONS)
    given = parser.parse_args()
    if "BENCHMARK_SERVER_PID" in os.environ:
        answer(given)
        return
    with tempfile.TemporaryDirectory(prefix="scanmill-orchestration-") as folder:
        start = perf_counter()
        with live_server(Path(folder)) as server:
            print(f"server started in {perf_counter() - start:.1f} s", flush=True)
            listening = next(
                one for one in psutil.Process().children(recursive=True) if one.net_connections()
            )
            environment = {
                **server.environment, "BENCHMARK_SERVER_PID": str(listening.pid),
                "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
            }  # fmt: skip
            program = "from benchmarks.orchestration import main; main()"  # workers can import it
            command = [sys.executable, "-c", program, *sys.argv[1:]]
            subprocess.run(command, env=environment, check=True)


def answer(given: argparse.Namespace) -> None:
    """Answer the questions that were chosen."""
    added_s = float("nan")
    if "long" in given.only:
        added_s = long_run(given.shards, given.runner)
    if "real" in given.only:
        real_shard(added_s)
    if "scaling" in given.only:
        scaling(given.runner)


# A long run of tiny shards


def write_tiny(path: str) -> Done:
    """Write and read back a tiny file, as the least that a shard can be."""
    began, spent = time(), process_time()
    content = hashlib.sha256(path.encode()).digest() * (TINY_BYTES // 32)
    Path(path).write_bytes(content)
    hashlib.sha256(Path(path).read_bytes()).hexdigest()
    return Done(began, time(), process_time() - spent, os.getpid())


@unit_task("tiny-shard")
def tiny_shard(job: UnitJob) -> Done:
    """Do one job."""
    done: Done = job.run()
    return done


def fail(_job: UnitJob, error: ScanmillError) -> Done:
    """End the benchmark."""
    raise error


@dataclass
class Meter:
    """Counts what is spent as jobs end. rows: jobs ended, seconds, server and client by then."""

    every: int
    server: psutil.Process
    count: int = 0
    rows: list[tuple[int, float, float, float, float, float]] = field(default_factory=list)

    def note(self, _done: Done) -> str:
        """Look, once in so many jobs."""
        self.count += 1
        if self.count % self.every == 0:
            self.look()
        return ""

    def look(self) -> None:
        """Note the time, and what server and client have spent and hold."""
        mine = psutil.Process()
        children = [one for one in mine.children(recursive=True) if one.is_running()]
        spent = sum(cpu(one) for one in (mine, *children))
        self.rows.append(
            (self.count, perf_counter(), cpu(self.server), spent,
             self.server.memory_info().rss / MIB, mine.memory_info().rss / MIB)
        )  # fmt: skip


def cpu(process: psutil.Process) -> float:
    """Return the processor seconds of a process so far; 0 when it is gone."""
    try:
        used = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(used.user + used.system)


def long_run(shards: int, runner: str) -> float:
    """Run tiny shards; print each fifth of the run. Returns the processor seconds a shard more."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, f"{number:05d}")) for number in range(shards)]
        began = process_time()
        for path in paths:
            write_tiny(path)
        bare_s = (process_time() - began) / shards
        meter = Meter(shards // 5, psutil.Process(int(os.environ["BENCHMARK_SERVER_PID"])))
        start = time()
        done = run_flow(write_tiny, paths, runner=runner, workers=2, note=meter.note, first=meter)
    print(f"\nlong: {shards} tiny shards, two workers, --runner {runner}")
    print(f"  start-up, to the first job: {min(one.began for one in done) - start:.1f} s")
    print("  shards        wall ms  server cpu ms  other cpu ms  server MiB  client MiB")
    costs = []
    for before, after in zip(meter.rows, meter.rows[1:], strict=False):
        n = after[0] - before[0]
        wall, server, client = ((after[k] - before[k]) / n * 1000 for k in (1, 2, 3))
        costs.append((wall, server + client))
        print(f"  {before[0]:5d}-{after[0]:5d} {wall:9.2f} {server:14.2f} {client:13.2f} "
              f"{after[4]:11.0f} {after[5]:11.0f}")  # fmt: skip
    last, second = costs[-1], costs[1]
    print(f"  last fifth / second: wall {last[0] / second[0]:.2f}, cpu {last[1] / second[1]:.2f}; "
          f"memory since the second: server {meter.rows[-1][4] - meter.rows[2][4]:+.0f} MiB, "
          f"client {meter.rows[-1][5] - meter.rows[2][5]:+.0f} MiB")  # fmt: skip
    print(f"  bare loop: {bare_s * 1000:.2f} ms of cpu a shard")
    return last[1] / 1000 - bare_s


def run_flow(
    function: Callable[[str], Done],
    units: list[str],
    *,
    runner: str,
    workers: int,
    note: Callable[[Done], str] = lambda _done: "",
    first: Meter | None = None,
) -> list[Done]:
    """Run units as the flows of scanmill do: one flow run, a task run for each."""
    _ASKED.update(function=function, units=units, workers=workers, note=note, first=first)
    with showing("silent"):
        done: list[Done] = orchestration(runner=runner)
    return done


@flow(name="orchestration", persist_result=False)
def orchestration(runner: str) -> list[Done]:  # noqa: ARG001 - run_jobs finds it
    """Run what is asked; the flow travels to the workers, with all that its body names."""
    return run_asked()


def run_asked() -> list[Done]:
    """Run the units that were asked for."""
    names = (UnitJob(title=Path(one).name, function=_ASKED["function"], unit=one)
             for one in _ASKED["units"])  # fmt: skip
    spec: JobSpec[UnitJob, Done] = JobSpec("shards", tiny_shard, fail, "processes", _ASKED["note"])
    if _ASKED["first"] is not None:
        _ASKED["first"].look()
    return run_jobs("orchestration", list(names), spec, workers=_ASKED["workers"])


_ASKED: dict[str, Any] = {}


# Against a real shard


def real_shard(added_s: float) -> None:
    """Render one shard of the default settings; print what orchestration adds to it."""
    with tempfile.TemporaryDirectory() as folder:
        write_scan(Path(folder, "data"))
        (job,) = plan_jobs(Path(folder, "set"), Path(folder, "data"), settings=RenderSettings())
        open_session()
        began = process_time()
        render_shard(RenderJob.model_validate_json(job.model_dump_json()))
        spent = process_time() - began
    print(f"\nreal: a box in the default settings, 7 views of 2048 px: {spent:.1f} s of cpu")
    print(f"  orchestration adds {added_s * 1000:.1f} ms of cpu: {added_s / spent:.2%} "
          f"(allowed {ALLOWED_SHARE:.0%})")  # fmt: skip


# From one worker to two


def spin(name: str) -> Done:
    """Do a fixed piece of arithmetic, about half a second of one core."""
    began, spent = time(), process_time()
    block = name.encode() * 4096
    for _ in range(int(os.environ["BENCHMARK_SPINS"])):
        block = hashlib.sha512(block).digest() * 512
    return Done(began, time(), process_time() - spent, os.getpid())


def scaling(runner: str) -> None:
    """Compare one and two workers with one and two bare loops, in turn."""
    os.environ["BENCHMARK_SPINS"] = "100"
    os.environ["BENCHMARK_SPINS"] = str(round(100 * SPIN_S / max(spin("x").spent, 1e-3)))
    rates: dict[tuple[str, int], list[float]] = {}
    busy: dict[tuple[str, int], list[float]] = {}
    for _ in range(PAIRS):
        for workers in (1, 2):
            units = [f"job {number}" for number in range(JOBS * workers)]
            for kind, done in (
                ("bare", bare_loops(units, workers)),
                ("prefect", run_flow(spin, units, runner=runner, workers=workers)),
            ):
                rates.setdefault((kind, workers), []).append(rate(done))
                busy.setdefault((kind, workers), []).append(share_at_work(done))
    print(f"\nscaling: {JOBS} jobs a worker of {SPIN_S} s, {PAIRS} rounds in turn, steady state")
    print("  kind      workers  jobs a second (median)  at work")
    for key, found in rates.items():
        print(f"  {key[0]:9} {key[1]:7d} {statistics.median(found):23.3f} "
              f"{statistics.median(busy[key]):8.1%}")  # fmt: skip
    pairs = zip(*(rates[kind, n] for kind in ("bare", "prefect") for n in (1, 2)), strict=True)
    ratios = [(p2 / p1) / (b2 / b1) for b1, b2, p1, p2 in pairs]
    print(f"  speed-up with Prefect / speed-up of bare loops: {statistics.median(ratios):.3f} "
          f"({', '.join(f'{one:.3f}' for one in ratios)}); at least 0.95 is asked for")  # fmt: skip


def bare_loops(units: list[str], count: int) -> list[Done]:
    """Run loops in fresh processes side by side, each over its part of the units."""
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        parts = pool.map(loop, [units[place::count] for place in range(count)])
        return [one for part in parts for one in part]


def loop(units: list[str]) -> list[Done]:
    """Run units one after the other."""
    return [spin(one) for one in units]


def rate(done: list[Done]) -> float:
    """Return jobs a second from the first begin that all workers share to the first last end."""
    spans = by_worker(done)
    start = max(one[0].began for one in spans)
    end = min(one[-1].ended for one in spans)
    parts = (
        max(0.0, min(one.ended, end) - max(one.began, start)) / (one.ended - one.began)
        for one in done
    )
    return sum(parts) / (end - start)


def share_at_work(done: list[Done]) -> float:
    """Return the share of their time, from first to last job, that workers were at work."""
    spans = by_worker(done)
    worked = sum(one.ended - one.began for one in done)
    return worked / sum(one[-1].ended - one[0].began for one in spans)


def by_worker(done: list[Done]) -> list[list[Done]]:
    """Sort jobs by worker and time."""
    found: dict[int, list[Done]] = {}
    for one in sorted(done):
        found.setdefault(one.pid, []).append(one)
    return list(found.values())


if __name__ == "__main__":
    main()
