"""Trainings started by the command line in processes of their own, watched and killed."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import psutil

from tests.flows.live_server import ROOT
from tests.training.conftest import Ellipsoid, ellipsoid_row, write_shard

PATIENCE_S = 240.0
NARROW = (
    "--nets",
    "coarse",
    "--width",
    "0.05",
    "--steps",
    "8",
    "--save-every",
    "3",
    "--validate-every",
    "4",
)


def write_ellipsoids(root: Path, *, train: int = 4, val: int = 2) -> Path:
    """Make a data set of ellipsoids, 256 pixels, in one shard."""
    names = [("train", n) for n in range(train)] + [("val", n) for n in range(val)]
    rows = [
        ellipsoid_row(
            f"rp_{split}_posed_{n:03d}", split, 256, Ellipsoid((0.1 + 0.01 * n, 0.3, 0.1))
        )
        for split, n in names
    ]
    write_shard(root, "shard-00000", rows)
    return root


class Program:
    """A command that runs. Owns: its process, the thread that reads what it says."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Begin to read."""
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait_for(self, words: str) -> None:
        """Wait until a line holds these words."""
        deadline = monotonic() + PATIENCE_S
        while not any(words in line for line in self.lines):
            assert self.process.poll() is None, "\n".join(self.lines)
            assert monotonic() < deadline, f"no line with {words!r}: {self.lines}"
            sleep(0.02)

    def finish(self) -> int:
        """Wait for its end; returns its exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def family(self) -> list[psutil.Process]:
        """Return the processes that it started, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def rank(self, number: int) -> psutil.Process:
        """Return the process of a rank."""
        (found,) = (one for one in self.family() if _environment(one).get("RANK") == str(number))
        return found

    def _read(self) -> None:
        if self.process.stdout is not None:
            with self.process.stdout as said:
                for line in said:
                    self.lines.append(line.rstrip("\n"))


@contextmanager
def training(
    environment: dict[str, str], *arguments: object, core: int | None = None
) -> Iterator[Program]:
    """Start `scanmill train ...`; whatever it started is ended with the block.

    core: the only one that it may use, as if it had a machine of its own.
    """
    pinned = ["taskset", "--cpu-list", str(core)] if core is not None else []
    command = [*pinned, sys.executable, "-u", "-m", "flows.cli", "train", *map(str, arguments)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    program = Program(process)
    try:
        yield program
    finally:
        if process.poll() is None:
            for one in [*program.family(), psutil.Process(process.pid)]:
                _kill(one)
        program.finish()


def wait_for_either(first: Program, second: Program, words: str) -> Program:
    """Wait until one of two programs says this; returns that one."""
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        for one in (first, second):
            if any(words in line for line in one.lines):
                return one
        sleep(0.02)
    message = f"no line with {words!r}: {first.lines} {second.lines}"
    raise TimeoutError(message)


def wait_for_ranks(out: Path) -> list[psutil.Process]:
    """Wait until a training that somebody else started takes steps; returns its processes."""
    deadline = monotonic() + PATIENCE_S
    metrics = out / "metrics.jsonl"
    while not (metrics.is_file() and metrics.stat().st_size):
        assert monotonic() < deadline, f"no step in {metrics}"
        sleep(0.1)
    found = [one for one in psutil.process_iter() if str(out) in " ".join(_command(one))]
    assert len(found) == 3, found  # torchrun and two ranks
    return found


def are_gone(processes: list[psutil.Process], *, within_s: float) -> bool:
    """Tell whether all of these end within a time."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return not alive


def read_losses(out: Path) -> list[float]:
    """Read the loss of each step."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}
