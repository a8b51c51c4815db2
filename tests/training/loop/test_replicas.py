"""The same replicas on one to four ranks, as users start them; ranks that die one by one."""

import sys
from pathlib import Path

import pytest

from tests.training.conftest import make_ellipsoids, request_of
from tests.training.test_two_ranks import finish, kill_a_rank_after, losses, started

TRAIN = [
    "2k2k-normal", "--nets", "coarse", "--width", "0.05", "--learning-rate", "0.002",
    "--schedule", "constant", "--validate-every", "100",
]  # fmt: skip
STEPS = 10
TOLERANCE = 1e-6
"""Of losses of about 5."""

pytestmark = pytest.mark.long


def command(ranks: int, out: Path, *options: str) -> list[str]:
    request = request_of([*TRAIN, "--out", str(out), *options])
    start = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={ranks}"]
    return [sys.executable, *start, "--max-restarts=9", "-m", "training.run", *request]


@pytest.fixture(scope="module")
def datasets(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the options that name two data sets."""
    other = tmp_path_factory.mktemp("other")
    make_ellipsoids(other, train=3, val=0, shards=1, prefix="rp_more")
    return ["--data", str(dataset), str(other), "--replicas", "4"]


@pytest.fixture(scope="module")
def alone(datasets: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """Return the losses of four replicas on one rank."""
    out = tmp_path_factory.mktemp("alone") / "out"
    finish(command(1, out, *datasets, "--steps", str(STEPS)))
    return losses(out)


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_four_replicas_of_two_data_sets_learn_the_same_on_any_number_of_ranks(
    datasets: list[str], tmp_path: Path, alone: list[float], ranks: int
) -> None:
    finish(command(ranks, tmp_path / "out", *datasets, "--steps", str(STEPS)))
    assert losses(tmp_path / "out") == pytest.approx(alone, abs=TOLERANCE)


def test_a_training_stops_with_two_ranks_and_goes_on_with_four(
    datasets: list[str], tmp_path: Path, alone: list[float]
) -> None:
    finish(command(2, tmp_path / "out", *datasets, "--steps", "4"))
    finish(command(4, tmp_path / "out", *datasets, "--steps", str(STEPS)))
    assert losses(tmp_path / "out") == pytest.approx(alone, abs=TOLERANCE)


def test_more_ranks_than_replicas_are_named_and_change_nothing(
    dataset: Path, tmp_path: Path
) -> None:
    data = ["--data", str(dataset)]
    finish(command(1, tmp_path / "alone", *data, "--steps", "4"))
    finish(command(1, tmp_path / "out", *data, "--steps", "2"))
    said = finish(command(2, tmp_path / "out", *data, "--steps", "4"))
    assert "1 of 2 processes have no share of a step" in said
    assert losses(tmp_path / "out") == pytest.approx(losses(tmp_path / "alone"), abs=TOLERANCE)


def test_ranks_that_die_one_by_one_repeat_no_more_than_since_the_last_checkpoint(
    datasets: list[str], tmp_path: Path, alone: list[float]
) -> None:
    every, out = 2, tmp_path / "out"
    options = [*datasets, "--steps", str(STEPS), "--save-every", str(every)]
    said = list[str]()
    with started(command(3, out, *options)) as process:
        for rank, step in ((0, 3), (1, 5), (2, 7)):
            kill_a_rank_after(process, f"step {step}/", rank, said)
        rest, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    taken = [line for line in [*said, *rest.splitlines()] if line.startswith("step ")]
    assert len(taken) <= STEPS + 3 * every
    assert losses(out) == pytest.approx(alone, abs=TOLERANCE)
