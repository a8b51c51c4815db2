"""The flow `render` on real scans, in real processes, through the command line."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from signal import SIGINT
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from schemas.dataset_folder import DatasetFolder
from tasks.dataset.states import dataset_status
from tasks.samples.sample_shards import SAMPLES
from tests.flows.conftest import (
    BOXES,
    SMALL,
    Command,
    command_in,
    own_folders,
    plain_environment,
    refusal,
)
from tests.flows.killing import killing_workers
from tests.flows.live_server import ROOT, LiveServer
from tests.tasks.scan_folders import write_scan, write_thuman_scan

pytestmark = pytest.mark.xdist_group("prefect-server")

Answer = subprocess.CompletedProcess[str]
BROKEN = BOXES[1]


class Rendered(NamedTuple):
    """A data set made by two workers, one of which was killed at work; one scan was broken."""

    people: Path
    out: Path
    done: Answer
    killed: list[int]


@pytest.fixture(scope="module")
def rendered(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    folder = tmp_path_factory.mktemp("rendered")
    people, out = make_people(folder), folder / "out"
    (people / "obj/RP" / f"{BROKEN}_OBJ" / f"{BROKEN}_100k.obj").write_text("v 0 0 nan\nf 1 1 1\n")
    run = command_in({**server.environment, **own_folders(folder)})
    with killing_workers(folder / "tmp", out, "shard-00002", times=1) as killed:
        done = run(*request(people, out), "--workers", 2, "--json")
    return Rendered(people, out, done, killed)


def make_people(folder: Path) -> Path:
    for seed, item in enumerate(BOXES):
        write_scan(folder / "people", item, seed=seed)
    return folder / "people"


def request(people: Path, out: Path) -> tuple[object, ...]:
    return ("render", "--data", people, "--dataset", "RP", "--out", out, *SMALL)


def states(out: Path) -> list[str]:
    return [one.state for one in dataset_status(DatasetFolder.at(out), SAMPLES).shards]


def shards(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / "samples").glob("*.parquet"))}


def test_broken_scan_fails_alone_and_ends_the_run_with_1(rendered: Rendered) -> None:
    answer = json.loads(rendered.done.stdout)
    assert rendered.done.returncode == 1
    assert answer["samples"] == 4
    assert {failure["sample_id"] for failure in answer["failures"]} == {
        f"RP/{BROKEN}/0", f"RP/{BROKEN}/30"
    }  # fmt: skip


def test_killed_worker_costs_no_sample(rendered: Rendered) -> None:
    answer = json.loads(rendered.done.stdout)
    assert len(rendered.killed) == 1
    assert {failure["kind"] for failure in answer["failures"]} == {"input"}


def test_bytes_do_not_depend_on_workers_or_kills(rendered: Rendered, tmp_path: Path) -> None:
    """The other run also has no server, one worker, and says nothing that is not ours."""
    out = tmp_path / "out"
    run = command_in(plain_environment(tmp_path))
    done = run(*request(rendered.people, out), "--workers", 1)
    assert done.returncode == 1
    assert shards(out) == shards(rendered.out)
    assert all(line.startswith("render: ") for line in done.stderr.splitlines()), done.stderr


def test_rejects_are_told_again_with_the_way_out(rendered: Rendered, tmp_path: Path) -> None:
    run = command_in(plain_environment(tmp_path))
    again = run(*request(rendered.people, rendered.out))
    assert again.returncode == 1
    assert "2 samples could not be made" in again.stdout
    assert "--accept-rejects 2" in again.stdout


@pytest.mark.parametrize(("accepted", "code"), [("2", 0), ("34%", 0), ("33%", 1)])
def test_accepted_rejects_count_as_done(
    rendered: Rendered, capsys: pytest.CaptureFixture[str], accepted: str, code: int
) -> None:
    """Nothing is left to do, so that no flow begins."""
    ended, _ = refusal(("rerun", rendered.out, "--accept-rejects", accepted), capsys)
    assert ended == code


def test_other_settings_are_refused_naming_what_differs(
    rendered: Rendered, capsys: pytest.CaptureFixture[str]
) -> None:
    code, error = refusal((*request(rendered.people, rendered.out), "--seed", 3), capsys)
    assert code == 2
    assert "seed: 0 there, 3 asked" in error


def test_resolution_beyond_the_device_is_refused(
    scanmill: Command, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = scanmill(
        "render", "--data", people, "--dataset", "RP", "--out", out, "--resolution", 1 << 20
    )
    assert done.returncode == 2
    assert "pixels a side" in done.stderr
    assert not out.exists()


@pytest.mark.long
def test_changed_byte_is_seen_and_mended(scanmill: Command, people: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    scanmill(*request(people, out))
    whole = shards(out)
    path = out / "samples" / "shard-00001.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "corrupt" in scanmill("status", out).stdout
    fixed = scanmill("rerun", out)
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert shards(out) == whole


@pytest.mark.long
def test_shard_that_kills_its_worker_twice_is_given_up_and_the_others_go_on(
    scanmill: Command, people: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with killing_workers(tmp_path / "tmp", out, "shard-00000", times=2) as killed:
        done = scanmill(*request(people, out), "--workers", 1, "--json")
    answer = json.loads(done.stdout)
    assert len(killed) == 2
    assert done.returncode == 1
    assert answer["samples"] == 4
    assert {failure["kind"] for failure in answer["failures"]} == {"environment"}
    assert scanmill("rerun", out).returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("to_parent_alone", [True, False])
def test_interrupted_run_leaves_nothing_half_written(
    server: LiveServer, people: Path, tmp_path: Path, *, to_parent_alone: bool
) -> None:
    environment = {**server.environment, **own_folders(tmp_path)}
    out = tmp_path / "out"
    command = [sys.executable, "-m", "flows.cli", *map(str, request(people, out)), "--workers", "1"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    deadline = monotonic() + 120
    while not any((out / "samples").glob(".tmp-*")):
        assert monotonic() < deadline
        assert process.poll() is None
        sleep(0.01)
    if to_parent_alone:
        process.send_signal(SIGINT)
    else:
        os.killpg(process.pid, SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors.decode()
    assert b"Traceback" not in errors
    assert [path.name for path in out.rglob(".tmp-*")] == []
    assert command_in(environment)("rerun", out).returncode == 0


def test_scans_of_several_data_roots_stand_in_one_data_set(
    scanmill: Command, rendered: Rendered, tmp_path: Path
) -> None:
    out = shutil.copytree(rendered.out, tmp_path / "out")
    other = tmp_path / "bodies"
    body = write_thuman_scan(other, "0005", seed=5)
    more = ("render", "--data", other, "--dataset", "THuman2", "--out", out, *SMALL)
    assert scanmill(*more, "--accept-rejects", 2).returncode == 0
    assert states(out) == ["done", "rejects", "done", "done"]
    (body / "material0.jpeg").unlink()
    assert states(out) == ["done", "rejects", "done", "stale"]
