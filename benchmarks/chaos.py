"""Real processes killed at random: do the final bytes equal those of an undisturbed run.

    python -m benchmarks.chaos [--kills 100] [--shards 40] [--seed 0]

A Prefect server and `scanmill render` with two workers run on loopback, on small scans. At random
moments one of the three kinds is killed (SIGKILL, by pid, nothing but what was started here): a
worker, the parent, the server. What died is started again, until all kills are spent and the data
set is done. Compared with a run that nobody disturbs: every Parquet file, byte for byte. Besides:
nothing half-written is left, everything can be read back, and no run is shown as running.
"""

import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import Literal

import psutil

from flows.server_api import ServerApi
from schemas.dataset_folder import DatasetFolder
from tasks.checks.validation import validate_dataset
from tasks.dataset.run_beats import read_run_beats
from tests.flows.live_server import free_port
from tests.tasks.scan_folders import write_scan

ROOT = Path(__file__).resolve().parent.parent
Kind = Literal["worker", "parent", "server"]
WEIGHTS: dict[Kind, int] = {"worker": 88, "parent": 8, "server": 4}
PAUSE_S = (0.0, 1.5)
"""From the moment that a worker is at work to the next kill, at random between these."""

VIEWS = ("--resolution", "256", "--yaws", "-40:40:10")
WORKERS = 2
PATIENCE_S = 300.0


@dataclass
class Chaos:
    """One disturbed run. Owns: the server and the command, which it starts again."""

    folder: Path
    data: Path
    draw: random.Random
    killed: Counter[str] = field(default_factory=Counter)
    started: Counter[str] = field(default_factory=Counter)
    is_loud: bool = False
    began_s: float = field(default_factory=monotonic)
    port: int = field(default_factory=free_port)
    server: psutil.Popen | None = None
    parent: psutil.Popen | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Variables in which all that it starts leaves nothing outside of its folder."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")
        }
        (self.folder / "tmp").mkdir(exist_ok=True)
        return {
            **kept, "PREFECT_HOME": str(self.folder / "home"), "PYTHONPATH": str(ROOT),
            "PREFECT_API_URL": self.address, "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1", "TMPDIR": str(self.folder / "tmp"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
        }  # fmt: skip

    @property
    def address(self) -> str:
        """Where the server's API is."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def out(self) -> Path:
        """The data set."""
        return self.folder / "out"

    def run(self, kills: int) -> None:
        """Kill so often, and start again what died, until the data set is done."""
        try:
            next_s = inf
            while True:
                self._keep_server()
                if self.parent is None:
                    self.parent = self._start("parent", render_command(self.data, self.out))
                code = self.parent.poll()
                if code is not None:
                    self.note(f"the parent ended with {code}")
                    self.parent, next_s = None, inf
                    if code == 0 and self.killed.total() >= kills:
                        return
                elif next_s == inf and self._is_at_work():
                    next_s = monotonic() + self.draw.uniform(*PAUSE_S)
                elif self.killed.total() < kills and monotonic() > next_s:
                    next_s = inf
                    self._kill_one()
                sleep(0.02)
        finally:
            for one in (self.parent, self.server):
                if one is not None and one.is_running():
                    one.kill()
                    one.wait()

    def note(self, what: str) -> None:
        """Say what happens, where it is asked for."""
        if self.is_loud:
            print(f"{monotonic() - self.began_s:7.1f} s  {what}", flush=True)

    def _is_at_work(self) -> bool:
        """Return whether any worker has a shard half-written."""
        return any((self.out / "samples").glob(".tmp-*"))

    def _keep_server(self) -> None:
        """Start the server where there is none, and wait until it answers."""
        if self.server is not None and self.server.poll() is None:
            return
        words = ("server", "start", "--host", "127.0.0.1", "--port", str(self.port), "--no-ui")
        self.server = self._start("server", ("prefect", *words))
        deadline_s = monotonic() + PATIENCE_S
        while monotonic() < deadline_s:
            try:
                ServerApi(self.address).check_health()
            except (OSError, ValueError):
                sleep(0.2)
            else:
                return
        raise TimeoutError(self.address)

    def _start(self, kind: Kind, words: Sequence[str]) -> psutil.Popen:
        self.started[kind] += 1
        self.note(f"started a {kind}")
        with (self.folder / f"{kind}.log").open("ab") as log:
            return psutil.Popen(
                [sys.executable, "-m", *words], cwd=ROOT, env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    def _kill_one(self) -> None:
        kind = self.draw.choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
        chosen = self._choose(kind)
        if chosen is None:
            return
        chosen.kill()
        self.killed[kind] += 1
        self.note(f"killed a {kind} ({self.killed.total()})")

    def _choose(self, kind: Kind) -> psutil.Process | None:
        if kind != "worker":
            return self.parent if kind == "parent" else self.server
        workers = list_workers(self.parent) if self.parent else []
        return self.draw.choice(workers) if workers else None


def list_workers(parent: psutil.Process) -> list[psutil.Process]:
    """List the worker processes of a command."""
    try:
        children = parent.children()
        return [one for one in children if any("spawn_main" in word for word in one.cmdline())]
    except psutil.Error:
        return []


def render_command(data: Path, out: Path) -> tuple[str, ...]:
    """Return the words of the run."""
    return (
        "flows.cli", "render", "--data", str(data), "--dataset", "RP", "--out", str(out),
        *VIEWS, "--workers", str(WORKERS),
    )  # fmt: skip


def render_undisturbed(folder: Path, data: Path) -> Path:
    """Render the same in peace; returns the data set."""
    environment = {**os.environ, "PREFECT_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT),
                   "XDG_CACHE_HOME": str(folder / "cache")}  # fmt: skip
    environment.pop("PREFECT_API_URL", None)
    command = [sys.executable, "-m", *render_command(data, folder / "out")]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folder / "out"


def compare(chaos: Chaos, whole: Path) -> list[str]:
    """Say what differs from the undisturbed run, or is wrong otherwise."""
    found, expected = (
        {path.name: path.read_bytes() for path in (out / "samples").glob("shard-*.parquet")}
        for out in (chaos.out, whole)
    )
    wrong = [f"{name} differs" for name in sorted(expected) if found.get(name) != expected[name]]
    wrong += [f"{name} is too much" for name in sorted(found.keys() - expected.keys())]
    wrong += [f"{path.name} is left" for path in chaos.out.rglob(".tmp-*")]
    folder = DatasetFolder.at(chaos.out)
    wrong += [str(one) for one in validate_dataset(folder).findings]
    wrong += [f"{one.run} is said to be running" for one in read_run_beats(folder)]
    return wrong


def disturb(
    folder: Path, *, kills: int, shards: int, seed: int, is_loud: bool = False
) -> tuple[Chaos, list[str]]:
    """Run both and compare; returns what was done, and what is wrong."""
    data = folder / "people"
    for number in range(shards):
        write_scan(data, f"rp_p{number:03d}_posed_001", seed=number)
    for name in ("disturbed", "whole"):
        (folder / name).mkdir()
    chaos = Chaos(folder / "disturbed", data, random.Random(seed), is_loud=is_loud)  # noqa: S311 - moments
    chaos.run(kills)
    return chaos, compare(chaos, render_undisturbed(folder / "whole", data))


def main() -> None:
    """Disturb a run as the command line asks; ends with 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--shards", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--loud", action="store_true", help="say what happens")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began_s = monotonic()
    with tempfile.TemporaryDirectory(prefix="scanmill-chaos-") as name:
        chaos, wrong = disturb(Path(name), kills=given.kills, shards=given.shards, seed=given.seed)
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    for line in wrong:
        print(line)
    killed = ", ".join(f"{count} {kind}" for kind, count in sorted(chaos.killed.items()))
    started = ", ".join(f"{count} {kind}" for kind, count in sorted(chaos.started.items()))
    print(f"{chaos.killed.total()} kills ({killed}); started: {started}; {given.shards} shards")
    print(f"{monotonic() - began_s:.0f} s, {use.ru_utime + use.ru_stime:.0f} s of CPU")
    print("the bytes are those of an undisturbed run" if not wrong else f"{len(wrong)} wrong")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
