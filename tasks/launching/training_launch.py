"""Training, started as a program of its own: torch is never imported here.

First one process checks the request, so that a wrong one ends with one line; then torchrun starts
the ranks (gloo on CPUs, nccl on GPUs), and their log is passed on line by line. On one node a
training whose process died is started again here, torchrun's own death included. Across nodes
torchrun does it, because only its meeting brings the nodes together again.
"""

import json
import os
import sys
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from schemas.errors import FailureKind, MachineError, RequestError, ScanmillError, quote
from schemas.train_request import TrainRequest
from tasks.launching.programs import Ended, OnLine, run_program

REQUEST_WRONG = 2
NODES_WAIT_S = 600
"""How long the first node waits for the others, and they for it."""

TORCH_ON_CPU = {"THP_MEM_ALLOC_ENABLE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""Large tensors lie in huge pages: touching a fresh one takes a quarter of the time. Threads that
wait for others sleep: where the loader or other programs want the cores too, steps that spin take
several times as long. Results are the same.
"""


class TrainingError(ScanmillError):
    """The training can't go on: the same command would end so again."""

    kind: ClassVar[FailureKind] = "input"


class TrainingStatus(BaseModel):
    """How far a training is, as the training program answers to --check."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int
    done: int
    finished: bool


def ask_status(request: TrainRequest) -> TrainingStatus:
    """Let the training program check the request, and say how far the training is.

    Raises RequestError when it refuses, TrainingError when it can't go on, MachineError when it
    fails otherwise.
    """
    command = [sys.executable, "-m", "training.run", *request.program, "--check"]
    ended = run_program(command, environment={"WORLD_SIZE": str(request.world)})
    if ended.code == REQUEST_WRONG:
        raise quote(RequestError, ended.message)
    if ended.code != 0:
        raise _failed(request, ended)
    return TrainingStatus.model_validate(json.loads(ended.last_lines[-1]))


def run_training(request: TrainRequest, on_line: OnLine) -> int:
    """Train in processes to the last step; returns how often they were started again.

    on_line: takes each line of the log. Raises TrainingError when a repetition would be useless,
    MachineError when processes died more often than --max-restarts allows.
    """
    restarts = request.max_restarts if request.nnodes == 1 else 0
    for attempt in range(restarts + 1):
        ended = run_program(
            launch_command(request), on_line=on_line, environment=launch_environment(request),
            stop_at_final=request.nnodes > 1,
        )  # fmt: skip
        if ended.code == 0:
            return attempt
        if ended.final:
            raise _failed(request, ended)
        if attempt < restarts:
            on_line(
                f"train: a process died ({ended.how}); restart {attempt + 1} of {restarts}, "
                f"from the last checkpoint"
            )
    raise _failed(request, ended)


def launch_command(request: TrainRequest) -> list[str]:
    """Write the command that starts this node's ranks."""
    meeting = ["--standalone"] if request.nnodes == 1 else _meeting(request)
    start = [sys.executable, "-m", "training.launcher", *meeting]
    return [*start, f"--nproc-per-node={request.nproc}", "-m", "training.run", *request.program]


def launch_environment(request: TrainRequest) -> dict[str, str]:
    """Share the cores among the ranks; across nodes give each attempt a store of its own."""
    cores = len(os.sched_getaffinity(0))
    share = {"OMP_NUM_THREADS": str(max(1, cores // request.nproc)), **TORCH_ON_CPU}
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


def _failed(request: TrainRequest, ended: Ended) -> ScanmillError:
    """Say why a training failed, and whether the same command may succeed."""
    if ended.final:
        return quote(TrainingError, ended.final)
    return MachineError(
        f"{request.stage} in {request.out}",
        found=f"{ended.how} ({ended.message})", expected="exit code 0",
        hint="Fix the cause; the same command goes on from the last checkpoint.",
    )  # fmt: skip
