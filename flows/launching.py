"""Training, started as a program of its own: this room never imports torch.

First one process checks the request, so that a wrong one ends with one line; then torchrun starts
the ranks (gloo on CPUs, nccl on GPUs), and their log is passed on line by line.
"""

import json
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from pydantic import BaseModel, ConfigDict, Field

from flows.progress import say
from schemas.errors import MachineError, RequestError

REQUEST_WRONG = 2
LAST_LINES = 5
GRACE_S = 20.0
ROOT = Path(__file__).resolve().parent.parent
METRICS, CURVE, MODEL = "metrics.jsonl", "curve.png", "model.safetensors"
"""Names of the training output. Source: contract.md."""


class TrainRequest(BaseModel):
    """All of `scanmill train`; options: passed to the training program as they are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str = Field(description="what is trained, as in 2k2k-normal")
    data: tuple[str, ...] = Field(min_length=1, description="data sets")
    out: str = Field(description="folder of the training run")
    ranks: int = Field(default=1, ge=1, description="processes that train together")
    options: tuple[str, ...] = Field(default=(), description="for the training program")


class TrainSummary(BaseModel):
    """What came out of a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str
    steps: int
    first_loss: float = Field(description="mean over the first tenth of the steps")
    last_loss: float = Field(description="mean over the last tenth of the steps")
    curve: str = Field(description="path of the picture of the losses")
    seconds: float


def launch_training(request: TrainRequest) -> TrainSummary:
    """Check the request, train in processes, and sum up.

    Raises RequestError when the program refuses the request, MachineError when a rank fails.
    """
    began_s = monotonic()
    program = _program(request)
    run_program([sys.executable, "-m", "training.run", *program, "--check"], quiet=True)
    run_program([*_launcher(request.ranks), "-m", "training.run", *program], threads=request.ranks)
    return sum_up_training(Path(request.out), seconds=monotonic() - began_s)


def sum_up_training(out: Path, *, seconds: float) -> TrainSummary:
    """Read how the loss went; raises MachineError when the run left no metrics."""
    losses = read_losses(out)
    if not losses:
        raise MachineError(
            str(out / METRICS), met="no step in it", wanted="a line for each step",
            way_out="Look at the log above; run the same command again to go on.",
        )  # fmt: skip
    tenth = max(1, len(losses) // 10)
    return TrainSummary(
        out=str(out),
        steps=len(losses),
        first_loss=sum(losses[:tenth]) / tenth,
        last_loss=sum(losses[-tenth:]) / tenth,
        curve=str(out / CURVE),
        seconds=seconds,
    )


def read_losses(out: Path) -> list[float]:
    """Read the loss of every step of a run, in order; none where there is no run."""
    path = out / METRICS
    if not path.is_file():
        return []
    records = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return [float(record["loss"]) for record in records if "loss" in record and "step" in record]


def run_program(command: Sequence[str], *, threads: int = 1, quiet: bool = False) -> None:
    """Run one of our programs to its end and pass its lines on.

    threads: processes that share the cores. Raises RequestError or MachineError with its last
    lines when it fails.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    with _running(command, threads) as process:
        for line in _lines(process):
            last.append(line)
            if not quiet:
                say(line)
    if process.returncode == 0:
        return
    message = next((line for line in last if line.startswith("error:")), " / ".join(last))
    if process.returncode == REQUEST_WRONG:
        raise RequestError(
            "scanmill train", met=message.removeprefix("error:").strip(),
            wanted="a request that the training program takes",
            way_out="See scanmill train --help, and python -m training.run --help.",
        )  # fmt: skip
    raise MachineError(
        "the training program", met=f"exit code {process.returncode} ({message})",
        wanted="exit code 0", way_out="Mend the cause; the same command goes on where it stopped.",
    )  # fmt: skip


def _program(request: TrainRequest) -> list[str]:
    where = ["--data", *request.data, "--out", request.out]
    return [request.stage, *where, *request.options]


def _launcher(ranks: int) -> list[str]:
    torchrun = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={ranks}"]
    return [sys.executable, *torchrun]


@contextmanager
def _running(command: Sequence[str], threads: int) -> Iterator[subprocess.Popen[str]]:
    """Run a program for the length of a block; it is ended when the block fails."""
    share = max(1, (os.cpu_count() or 1) // threads)
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = {
        "OMP_NUM_THREADS": str(share), **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace",
    )  # fmt: skip
    try:
        yield process
        process.wait()
    except BaseException:
        process.terminate()
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    if process.stdout is not None:
        for line in process.stdout:
            yield line.rstrip("\n")
