"""Training, started as a program of its own: this room never imports torch.

First one process checks the request, so that a wrong one ends with one line; then torchrun starts
the ranks (gloo on CPUs, nccl on GPUs), and their log is passed on line by line. On one node a
training whose process died is started again here, torchrun's own death included. Across nodes
torchrun does it, because only its meeting brings the nodes together again.
"""

import json
import os
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.errors import FailureKind, MachineError, RequestError, ScanmillError
from schemas.train_request import TrainRequest

Tell = Callable[[str], None]

REQUEST_WRONG = 2
FINAL = "error:"
"""How a line of the program begins after which a repetition would end in the same way."""

_EXCEPTION = re.compile(r"^(\[rank\d+\]: )?([\w]+\.)*[A-Z]\w*(Error|Exception)\b")
"""The last line of a traceback, as Python and torch write it."""

LAST_LINES = 5
GRACE_S = 20.0
"""How long torchrun may end its ranks; Prefect's workers kill a cancelled run after 30 s."""

NODES_WAIT_S = 600
"""How long the first node waits for the others, and they for it."""

ROOT = Path(__file__).resolve().parent.parent
PARENT_VARIABLE = "SCANMILL_PARENT"
"""Tells the launcher and the ranks with whom they end. Source: training/parent_death_signal.py."""


class TrainingError(ScanmillError):
    """The training can't go on: the same command would end so again."""

    kind: ClassVar[FailureKind] = "input"


class Status(BaseModel):
    """How far a training is, as the training program answers to --check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    done: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    final: its own word after which a repetition is in vain. cause: the first exception that a rank
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


def ask_status(request: TrainRequest) -> Status:
    """Let the training program check the request, and say how far the training is.

    Raises RequestError when it refuses, MachineError when it fails.
    """
    command = [sys.executable, "-m", "training.run", *request.program, "--check"]
    ended = run_program(command, environment={"WORLD_SIZE": str(request.world)})
    if ended.code == REQUEST_WRONG:
        raise RequestError(
            "scanmill train", found=ended.message, expected="a request that the training takes",
            hint="See scanmill train --help.",
        )  # fmt: skip
    if ended.code != 0:
        raise _died("the training program", ended)
    return Status.model_validate(json.loads(ended.last_lines[-1]))


def run_training(request: TrainRequest, tell: Tell) -> int:
    """Train in processes to the last step; returns how often they were started again.

    tell: takes each line of the log. Raises TrainingError when a repetition would be in vain,
    MachineError when processes died more often than --max-restarts allows.
    """
    restarts = request.max_restarts if request.nnodes == 1 else 0
    for attempt in range(restarts + 1):
        ended = run_program(
            launch_command(request), tell=tell, environment=launch_environment(request),
            stop_at_final=request.nnodes > 1,
        )  # fmt: skip
        if ended.code == 0:
            return attempt
        if ended.final:
            raise TrainingError(
                f"{request.stage} in {request.out}", found=ended.final,
                expected="a training that can take its next step",
                hint="It would end so again: fix the cause first.",
            )  # fmt: skip
        if attempt < restarts:
            tell(
                f"train: a process died ({_how(ended.code)}); restart {attempt + 1} of {restarts}, "
                f"from the last checkpoint"
            )
    raise _died(f"{request.stage} in {request.out}", ended)


def launch_command(request: TrainRequest) -> list[str]:
    """Write the command that starts this node's ranks."""
    meeting = ["--standalone"] if request.nnodes == 1 else _meeting(request)
    start = [sys.executable, "-m", "training.launcher", *meeting]
    return [*start, f"--nproc-per-node={request.nproc}", "-m", "training.run", *request.program]


def launch_environment(request: TrainRequest) -> dict[str, str]:
    """Share the cores among the ranks; across nodes give each attempt a store of its own."""
    cores = len(os.sched_getaffinity(0))
    share = {"OMP_NUM_THREADS": str(max(1, cores // request.nproc))}
    own_store = {} if request.nnodes == 1 else {"TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"}
    return {**share, **os.environ, **own_store}


def _meeting(request: TrainRequest) -> list[str]:
    host = int(request.node_rank == 0)
    waits = f"join_timeout={NODES_WAIT_S},read_timeout={NODES_WAIT_S}"
    return [
        f"--nnodes={request.nnodes}",
        f"--node-rank={request.node_rank}",
        f"--max-restarts={request.max_restarts}",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint={request.rdzv}",
        f"--rdzv-id={request.stage}-{Path(request.out).name}",
        f"--rdzv-conf=is_host={host},{waits}",
    ]


def run_program(
    command: Sequence[str],
    *,
    tell: Tell | None = None,
    environment: dict[str, str] | None = None,
    stop_at_final: bool = False,
) -> Ended:
    """Run one of our programs to its end, or stop it with all that it started.

    It is stopped when this is left by an exception (cancelled, interrupted). stop_at_final: also
    as soon as it says that going on is in vain, before it tries again by itself.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    final = cause = ""
    with _running(command, environment or {}) as process:
        for line in _lines(process):
            last.append(line)
            if tell is not None:
                tell(line)
            cause = cause or (line if _EXCEPTION.match(line) else "")
            if line.startswith(FINAL) and not final:
                final = line.removeprefix(FINAL).strip()
                if stop_at_final:
                    process.terminate()
    return Ended(process.returncode, tuple(last), final, cause)


def _died(what: str, ended: Ended) -> MachineError:
    return MachineError(
        what, found=f"{_how(ended.code)} ({ended.message})", expected="exit code 0",
        hint="Fix the cause; the same command goes on from the last checkpoint.",
    )  # fmt: skip


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"


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
