"""Run commands under a memory limit and a time limit, and judge how they ended."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
MEMORY_BYTES = 2 << 30
"""What one process may allocate for itself (RLIMIT_DATA: heap and private mappings)."""
CASE_SECONDS = 20.0
START_SECONDS = 180.0
"""Imports, a temporary Prefect server and worker processes, on a busy machine."""
TRACEBACK = "Traceback (most recent call last)"
_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: exit code, all that it printed, the largest resident set in bytes."""

    code: int
    text: str
    is_hung: bool
    peak_bytes: int

    @property
    def faults(self) -> list[str]:
        """What no input may cause: a traceback, a hang, a kill, memory beyond the limit."""
        checks = {
            "traceback": TRACEBACK in self.text,
            "hang": self.is_hung,
            "kill": self.code < 0 or self.code in (137, 139),
            "memory": self.peak_bytes > MEMORY_BYTES,
        }
        return [name for name, is_so in checks.items() if is_so]


def run_limited(
    arguments: Sequence[object], *, cases: int, environment: Mapping[str, str]
) -> Ended:
    """Run `python ARGUMENTS` with every process below it limited; cases: items that it handles."""
    bound = time.monotonic() + START_SECONDS + cases * CASE_SECONDS
    process = subprocess.Popen(
        [sys.executable, *map(str, arguments)], cwd=ROOT, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        preexec_fn=_limit,  # noqa: PLW1509 - one call of setrlimit, before anything is imported
    )  # fmt: skip
    peak, is_hung = 0, False
    text = _Tail(process)
    while process.poll() is None:
        peak = max(peak, _largest_process(process.pid))
        if time.monotonic() > bound:
            is_hung = True
            os.killpg(process.pid, signal.SIGKILL)
            break
        time.sleep(_LOOK_AGAIN_S)
    return Ended(process.wait(), text.read(), is_hung, peak)


class _Tail:
    """Everything a process prints, read by a thread so that its pipe never fills."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._parts: list[str] = []
        self._thread = threading.Thread(target=self._follow, args=(process,), daemon=True)
        self._thread.start()

    def read(self) -> str:
        """Return what was printed, once the pipe is closed."""
        self._thread.join(timeout=10)
        return "".join(self._parts)

    def _follow(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as printed:
            self._parts.extend(printed)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _largest_process(pid: int) -> int:
    largest = 0
    try:
        root = psutil.Process(pid)
        for one in (root, *root.children(recursive=True)):
            largest = max(largest, one.memory_info().rss)
    except psutil.Error:
        pass
    return largest
