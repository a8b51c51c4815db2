"""Runs whose process is killed, on a real server: shown as crashed, never as running for ever."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

import httpx
import pytest
import yaml

from flows.server_api import ServerApi
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.run_beats import read_run_beats
from tasks.dataset.run_records import read_runs
from tests.flows.conftest import SMALL, own_folders
from tests.flows.live_server import ROOT, LiveServer
from tests.flows.stopping import stopping_workers
from tests.tasks.scan_folders import write_scan

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("prefect-server")]

PATIENCE_S = 240
ITEM = "rp_ann_posed_001"


def begin(server: LiveServer, folder: Path) -> subprocess.Popen[bytes]:
    """Begin a run whose only scan hangs, so that it goes on for as long as the test wants."""
    folder.mkdir()
    write_scan(folder / "people", ITEM)
    command = ("render", "--data", folder / "people", "--dataset", "RP", "--out", folder / "out",
               *SMALL, "--workers", 1)  # fmt: skip
    return subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *map(str, command)], cwd=ROOT,
        env={**server.environment, **own_folders(folder)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def run_of(server: LiveServer, out: Path) -> tuple[str, str]:
    """Return id and state of the flow run that writes to a folder."""
    asked = {"flow_runs": {"name": {"like_": str(out)}}}
    (run,) = httpx.post(f"{server.address}/flow_runs/filter", json=asked).json()
    return run["id"], run["state_type"]


def wait_for(what: str, server: LiveServer, out: Path) -> None:
    deadline = monotonic() + PATIENCE_S
    while run_of(server, out)[1] != what:
        assert monotonic() < deadline, run_of(server, out)
        sleep(0.5)


def test_killed_run_is_crashed_by_the_automation_and_a_slow_one_is_not(
    server: LiveServer, tmp_path: Path
) -> None:
    """With the automation of prefect.yaml, which waits for 75 s here."""
    api = ServerApi(server.address)
    for one in yaml.safe_load((ROOT / "prefect.yaml").read_text())["automations"]:
        api.replace_automation({**one, "trigger": {**one["trigger"], "within": 75}})
    killed, slow = tmp_path / "killed", tmp_path / "slow"
    with ExitStack() as stopping:
        hung = [
            stopping.enter_context(stopping_workers(folder / "tmp", f"RP/{ITEM}"))
            for folder in (killed, slow)
        ]
        processes = [begin(server, folder) for folder in (killed, slow)]
        deadline = monotonic() + PATIENCE_S
        while not all(hung):
            assert monotonic() < deadline
            sleep(0.1)
        began_s = monotonic()
        os.kill(processes[0].pid, signal.SIGKILL)
        processes[0].wait()
        wait_for("CRASHED", server, killed / "out")
        sleep(max(0.0, 100 - (monotonic() - began_s)))  # longer than the automation waits
        assert run_of(server, slow / "out")[1] == "RUNNING"
        api.crash_run(run_of(server, slow / "out")[0])  # as a server that was down would
        wait_for("RUNNING", server, slow / "out")
    assert processes[1].wait(PATIENCE_S) == 0
    assert run_of(server, slow / "out")[1] == "COMPLETED"


def test_killed_run_is_crashed_by_the_next_run(server: LiveServer, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    with stopping_workers(folder / "tmp", f"RP/{ITEM}") as hung:
        process = begin(server, folder)
        deadline = monotonic() + PATIENCE_S
        while not hung:
            assert monotonic() < deadline
            sleep(0.1)
        out = DatasetFolder.at(folder / "out")
        assert [one.command for one in read_run_beats(out)] == ["render"]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert run_of(server, folder / "out")[1] == "RUNNING"
    again = subprocess.run(
        [sys.executable, "-m", "flows.cli", "rerun", str(folder / "out")], cwd=ROOT,
        env={**server.environment, **own_folders(folder)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "marked crashed, its process is gone: render" in again.stderr
    asked = {"flow_runs": {"name": {"like_": f"render RP to {folder}/out"}}}
    (run,) = httpx.post(f"{server.address}/flow_runs/filter", json=asked).json()
    assert run["state_type"] == "CRASHED"
    assert [one.state for one in read_runs(out)] == ["crashed", "ended"]
    assert read_run_beats(out) == ()
