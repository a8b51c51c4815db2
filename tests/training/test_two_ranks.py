"""Two ranks started by torchrun, as users start them; one is killed, the command is repeated."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.training.conftest import request_of

TRAIN = [
    sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
]  # fmt: skip
SETTINGS = [
    "2k2k-normal", "--nets", "coarse", "--width", "0.05", "--steps", "8",
    "--save-every", "3", "--validate-every", "4",
]  # fmt: skip

pytestmark = pytest.mark.long


def command(dataset: Path, out: Path, *restarts: str) -> list[str]:
    request = request_of([*SETTINGS, "--data", str(dataset), "--out", str(out)])
    return [*TRAIN, *restarts, "-m", "training.run", *request]


@contextmanager
def started(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a program in the repository; end it and its children whatever happens."""
    process = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2], env=os.environ | {"OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.communicate()


def finish(arguments: list[str]) -> str:
    with started(arguments) as process:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    return out


def kill_a_rank_after(
    process: subprocess.Popen[str], words: str, rank: int, said: list[str] | None = None
) -> None:
    """Wait for a line, and kill; said: takes all lines up to it."""
    assert process.stdout is not None
    for line in process.stdout:
        if said is not None:
            said.append(line)
        if line.startswith(words):
            break
    workers = [
        child
        for child in psutil.Process(process.pid).children(recursive=True)
        if child.environ().get("RANK") == str(rank)
    ]
    workers[0].send_signal(signal.SIGKILL)


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


@pytest.fixture(scope="module")
def uninterrupted(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Return the losses of eight steps in one go."""
    out = tmp_path_factory.mktemp("whole") / "out"
    finish(command(dataset, out))
    return losses(out)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_and_the_same_command_give_the_uninterrupted_curve_to_the_bit(
    dataset: Path, tmp_path: Path, uninterrupted: list[float], rank: int
) -> None:
    out = tmp_path / "out"
    with started(command(dataset, out)) as process:
        kill_a_rank_after(process, "step 5/8", rank)
        process.communicate(timeout=120)
        assert process.returncode != 0
    assert (out / "latest").read_text() in ("step-00000003\n", "step-00000004\n")
    finish(command(dataset, out))
    assert losses(out) == uninterrupted


def test_max_restarts_of_torchrun_goes_on_by_itself(
    dataset: Path, tmp_path: Path, uninterrupted: list[float]
) -> None:
    out = tmp_path / "out"
    with started(command(dataset, out, "--max-restarts=1")) as process:
        kill_a_rank_after(process, "step 5/8", 1)
        process.communicate(timeout=300)
        assert process.returncode == 0
    assert losses(out) == uninterrupted


def test_a_wrong_request_is_said_once_by_the_first_rank(tmp_path: Path) -> None:
    with started(command(tmp_path / "nothing", tmp_path / "out")) as process:
        _, err = process.communicate(timeout=120)
    told = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert "nothing: no such folder" in told[0]


def test_both_ranks_learn_from_their_own_share(
    dataset: Path, tmp_path: Path, uninterrupted: list[float]
) -> None:
    # One rank of batch 2 sees the same samples a step; batch norm sees them together, so the
    # losses are near, not equal.
    more = ["--batch", "2", "--data", str(dataset), "--out", str(tmp_path / "out")]
    finish([sys.executable, "-m", "training.run", *request_of([*SETTINGS, *more])])
    one = losses(tmp_path / "out")
    assert one != uninterrupted
    # The loss is a sum over the batch there and a mean over ranks here.
    assert one[0] / 2 == pytest.approx(uninterrupted[0], rel=0.2)
