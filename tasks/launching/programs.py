"""Programs of ours, run to their end or stopped with all that they started.

A program's word are its lines; one that begins with `error:` is final.
"""

import os
import re
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.parent_death_signal import PARENT_VARIABLE

OnLine = Callable[[str], None]

FINAL = "error:"
"""How a line of the program begins after which a repetition would end in the same way."""

_EXCEPTION = re.compile(r"^failed: |^(\[rank\d+\]: )?([\w]+\.)*[A-Z]\w*(Error|Exception)\b")
"""Why a program failed: its own word, or the last line of a traceback of Python or torch."""

LAST_LINES = 5
GRACE_S = 20.0
"""How long torchrun may end its ranks; Prefect's workers kill a cancelled run after 30 s."""

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    final: its own word after which a repetition is useless. cause: the first exception that a rank
    died of; those that follow come from ranks that lost it.
    """

    code: int
    last_lines: tuple[str, ...]
    final: str
    cause: str

    @property
    def message(self) -> str:
        """Return the best that it said about its end."""
        said = self.last_lines[-1] if self.last_lines else "it said nothing"
        return self.final or (f"{self.cause}; {said}" if self.cause else said)

    @property
    def how(self) -> str:
        """Its exit code, or the signal that killed it."""
        return f"exit code {self.code}" if self.code >= 0 else f"killed by signal {-self.code}"


def run_program(
    command: Sequence[str],
    *,
    on_line: OnLine | None = None,
    environment: dict[str, str] | None = None,
    stop_at_final: bool = False,
) -> Ended:
    """Run one of our programs to its end, or stop it with all that it started.

    It is stopped when this is left by an exception (cancelled, interrupted). stop_at_final: also
    as soon as it says that going on is useless, before it tries again by itself.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    final = cause = ""
    with _running(command, environment or {}) as process:
        for line in _lines(process):
            last.append(line)
            if on_line is not None:
                on_line(line)
            cause = cause or (line if _EXCEPTION.match(line) else "")
            if line.startswith(FINAL) and not final:
                final = line.removeprefix(FINAL).strip()
                if stop_at_final:
                    process.terminate()
    return Ended(process.returncode, tuple(last), final, cause)


@contextmanager
def _running(
    command: Sequence[str], environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Run a program for the length of a block; it is ended when the block fails."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    process = subprocess.Popen(
        command,
        env={
            **os.environ, **environment, PARENT_VARIABLE: str(os.getpid()),
            "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1",
        },
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True,  # Ctrl-C is ours to answer
    )  # fmt: skip
    try:
        yield process
        process.wait()
    except BaseException:
        _stop(process)
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _stop(process: subprocess.Popen[str]) -> None:
    """Let a program end its processes; if it takes too long, kill it, and they end with it."""
    process.terminate()
    try:
        process.communicate(timeout=GRACE_S)  # reads on: a full pipe would hold it up
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    if process.stdout is not None:
        for line in process.stdout:
            yield line.rstrip("\n")
