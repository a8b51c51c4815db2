"""`scanmill train` in processes: killed, cancelled, on two nodes; each with a real server."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from safetensors.numpy import load_file

from tests.flows.conftest import own_folders
from tests.flows.live_server import POOL, LiveServer, free_port, program
from tests.flows.training_programs import (
    NARROW,
    Program,
    are_gone,
    read_losses,
    training,
    wait_for_either,
    wait_for_ranks,
    write_ellipsoids,
)

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("prefect-server")]

LONGEST_END_S = 40.0


def run_named(server: LiveServer, words: str) -> str:
    """Find the flow run whose name holds these words; returns its id."""
    asked = {"sort": "START_TIME_DESC", "limit": 20}
    runs = httpx.post(f"{server.address}/flow_runs/filter", json=asked).json()
    (found,) = (run["id"] for run in runs if words in run["name"])
    return str(found)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four ellipsoids to train on and two to validate on."""
    return write_ellipsoids(tmp_path_factory.mktemp("ellipsoids"))


@pytest.fixture
def environment(server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a command that shows its run on the server."""
    return {**server.environment, **own_folders(tmp_path)}


@pytest.fixture(scope="module")
def uninterrupted(
    server: LiveServer, dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the folder of eight steps of two ranks on one node, in one go."""
    folder = tmp_path_factory.mktemp("whole")
    environment = {**server.environment, **own_folders(folder)}
    words = ("2k2k-normal", "--data", dataset, "--out", folder / "out", "--nproc", 2, *NARROW)
    with training(environment, *words) as program:
        assert program.finish() == 0, program.lines
    return folder / "out"


def test_progress_curve_measures_and_images_stand_on_the_page(
    server: LiveServer, uninterrupted: Path
) -> None:
    run = run_named(server, f"{uninterrupted}")
    asked = {"artifacts": {"flow_run_id": {"any_": [run]}}, "limit": 50}
    made = httpx.post(f"{server.address}/artifacts/filter", json=asked).json()
    keys = {f"train-2k2k-normal-{name}" for name in ("progress", "validation", "curve", "samples")}
    assert {one["key"] for one in made} == keys
    assert [one["data"] for one in made if one["type"] == "progress"] == [100.0]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_is_replaced_and_the_curve_is_the_uninterrupted_one_to_the_bit(
    environment: dict[str, str], dataset: Path, uninterrupted: Path, tmp_path: Path, rank: int
) -> None:
    out = tmp_path / "out"
    words = ("2k2k-normal", "--data", dataset, "--out", out, "--nproc", 2, *NARROW)
    with training(environment, *words) as program:
        program.wait_for("validated after step 4")
        program.rank(rank).kill()
        assert program.finish() == 0, program.lines
    assert any("restart 1 of 2, from the last checkpoint" in line for line in program.lines)
    assert read_losses(out) == read_losses(uninterrupted)


def test_torchrun_itself_killed_takes_its_ranks_along_and_is_started_again(
    environment: dict[str, str], dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("2k2k-normal", "--data", dataset, "--out", out, "--nproc", 2, *NARROW)
    with training(environment, *words) as program:
        program.wait_for("validated after step 4")
        ranks = [program.rank(0), program.rank(1)]
        psutil.Process(ranks[0].ppid()).kill()
        assert are_gone(ranks, within_s=10)
        assert program.finish() == 0, program.lines
    assert len(read_losses(out)) == 8


def test_a_training_that_dies_more_often_than_allowed_ends_with_1(
    environment: dict[str, str], dataset: Path, tmp_path: Path
) -> None:
    words = ("2k2k-normal", "--data", dataset, "--out", tmp_path / "out", "--nproc", 2, *NARROW)
    with training(environment, *words, "--max-restarts", 0) as program:
        program.wait_for("validated after step 4")
        program.rank(1).kill()
        assert program.finish() == 1
    assert "goes on from the last checkpoint" in program.lines[-1]


def test_a_diverging_training_is_not_started_again(
    environment: dict[str, str], dataset: Path, tmp_path: Path
) -> None:
    words = ("2k2k-normal", "--data", dataset, "--out", tmp_path / "out", "--nproc", 2, *NARROW)
    steep = ("--learning-rate", "1e30", "--schedule", "constant")
    with training(environment, *words, *steep) as program:
        assert program.finish() == 1
    assert not any("restart 1 of" in line for line in program.lines)
    assert "finite" in program.lines[-1]


@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left_of_an_interrupted_command(
    environment: dict[str, str], dataset: Path, tmp_path: Path, told: signal.Signals
) -> None:
    words = ("2k2k-normal", "--data", dataset, "--out", tmp_path / "out", "--nproc", 2, *NARROW)
    with training(environment, *words, "--steps", 5000) as program:
        program.wait_for("/5000 loss")
        family = program.family()
        assert len(family) >= 3  # torchrun and two ranks
        program.process.send_signal(told)
        program.process.wait(LONGEST_END_S)
        assert are_gone(family, within_s=LONGEST_END_S)
    assert program.process.returncode in (130, -told)


def test_a_run_cancelled_on_the_server_ends_all_its_processes(
    server: LiveServer, environment: dict[str, str], dataset: Path, tmp_path: Path
) -> None:
    words = ("2k2k-normal", "--data", dataset, "--out", tmp_path / "cancelled", "--nproc", 2)
    with training(environment, *words, *NARROW, "--steps", 5000) as program:
        program.wait_for("/5000 loss")
        family = program.family()
        server.prefect("flow-run", "cancel", run_named(server, f"{tmp_path}/cancelled"))
        assert program.finish() == 130
        assert are_gone(family, within_s=LONGEST_END_S)


def test_a_run_of_a_worker_ends_all_its_processes_when_it_is_cancelled(
    server: LiveServer, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    asked = {
        "data": [str(dataset)], "out": str(out), "nets": "coarse", "width": 0.05, "nproc": 2,
        "epochs": None, "steps": 5000,
    }  # fmt: skip
    server.prefect("work-pool", "create", POOL, "--type", "process", fails=None)  # or it is there
    server.prefect("--no-prompt", "deploy", "--name", "network")
    with program(server, "training-worker", "worker", "start", "--pool", POOL):
        server.prefect("deployment", "run", "train/network", "--params", json.dumps(asked))
        ranks = wait_for_ranks(out)
        server.prefect("flow-run", "cancel", run_named(server, f"train 2k2k-normal to {out}"))
        assert are_gone(ranks, within_s=LONGEST_END_S)


@contextmanager
def two_nodes(
    environment: dict[str, str], dataset: Path, out: Path
) -> Iterator[tuple[Program, Program]]:
    """Train on two nodes, a core each: threads decide in which order a sum is taken."""
    meeting = ("--nnodes", 2, "--rdzv", f"127.0.0.1:{free_port()}")
    words = ("2k2k-normal", "--data", dataset, "--out", out, *NARROW, *meeting)
    with (
        training(environment, *words, "--node-rank", 0, core=0) as first,
        training(environment, *words, "--node-rank", 1, core=1) as second,
    ):
        yield first, second


def test_two_nodes_train_together_as_two_ranks_of_one_do_to_the_bit(
    environment: dict[str, str], dataset: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with two_nodes(environment, dataset, out) as (first, second):
        assert (first.finish(), second.finish()) == (0, 0), first.lines + second.lines
    assert json.loads((out / "run.json").read_text())["data"]["world"] == 2
    assert read_losses(out) == read_losses(uninterrupted)
    weights, expected = (load_file(one / "model.safetensors") for one in (out, uninterrupted))
    assert all((weights[name] == expected[name]).all() for name in expected)


def test_two_nodes_go_on_together_after_a_rank_of_one_was_killed(
    environment: dict[str, str], dataset: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with two_nodes(environment, dataset, out) as (first, second):
        speaker = wait_for_either(first, second, "validated after step 4")
        other = second if speaker is first else first
        other.rank(1).kill()
        assert (first.finish(), second.finish()) == (0, 0), first.lines + second.lines
    assert read_losses(out) == read_losses(uninterrupted)
