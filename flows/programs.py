"""A Python module that runs as a program beside us, and ends with us."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from schemas.parent_death_signal import PARENT_VARIABLE

LOOPBACK = "127.0.0.1"
"""Where servers among these listen."""


def start_program(
    module: str,
    words: Sequence[str],
    environment: Mapping[str, str],
    out: IO[bytes],
    *,
    inherited: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Run `python -m MODULE WORDS` in a session of its own, so that Ctrl-C reaches only us.

    out: takes all that it says. inherited: file descriptors that it gets.
    """
    return subprocess.Popen(
        [sys.executable, "-m", module, *words],
        env={**environment, PARENT_VARIABLE: str(os.getpid())}, stdin=subprocess.DEVNULL,
        stdout=out, stderr=subprocess.STDOUT, start_new_session=True, pass_fds=inherited,
    )  # fmt: skip


def end_program(process: subprocess.Popen[bytes], grace_s: float) -> None:
    """Interrupt a program, and kill it with all that it started when that takes too long."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace_s)
    with suppress(ProcessLookupError):  # its session: nothing but what it started
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_line(said: str) -> str:
    """Return the last line of what a program said."""
    lines = (line.strip() for line in reversed(said.splitlines()))
    return next((line for line in lines if line), "it said nothing")
