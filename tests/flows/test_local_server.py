"""`scanmill serve`: what it refuses, and a real server, worker and runs that end with it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from flows.local_server import POOL
from flows.server_api import ServerApi
from tests.flows.conftest import refusal
from tests.flows.live_server import ROOT, LiveServer, free_port

PATIENCE_S = 150


def test_second_server_is_refused_where_one_is_chosen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    code, said = refusal(["serve", "--file", ROOT / "prefect.yaml"], capsys)
    assert code == 2
    assert "PREFECT_API_URL: http://127.0.0.1:1/api" in said
    assert "prefect worker start --pool scanmill" in said


def test_port_that_is_taken_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = refusal(["serve", "--file", ROOT / "prefect.yaml", "--port", port], capsys)
    assert code == 2
    assert f"--port: {port}: Address already in use" in said


def test_file_of_deployments_that_is_missing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refusal(["serve", "--file", tmp_path / "prefect.yaml"], capsys)
    assert code == 2
    assert "--file: no readable file" in said


@contextmanager
def serve(
    folder: Path, port: int, file: Path = ROOT / "prefect.yaml"
) -> Iterator[subprocess.Popen[bytes]]:
    """Run the command beside the block, its output in serve.log; it is ended by its pid."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"},
        "PREFECT_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "COLUMNS": "200",
        "XDG_CACHE_HOME": str(folder / "cache"),
    }  # fmt: skip
    command = [sys.executable, "-m", "flows.cli", "serve", "--port", port, "--file", file]
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)


def wait_for(folder: Path, text: str, *, times: int = 1) -> None:
    """Wait until the command has said something so many times."""
    deadline = monotonic() + PATIENCE_S
    while (folder / "serve.log").read_text().count(text) < times:
        assert monotonic() < deadline, (folder / "serve.log").read_text()
        sleep(0.3)


def states(server: LiveServer) -> str:
    """Return what Prefect says of the demo's runs."""
    return server.prefect("flow-run", "ls", "--flow-name", "demo")


def start_demo(server: LiveServer, out: Path) -> None:
    """Let the worker begin a demo."""
    server.prefect(
        "deployment", "run", "demo/chain", "--param", f"out={out}", "--param", "size=tiny"
    )
    deadline = monotonic() + PATIENCE_S
    while not out.exists():
        assert monotonic() < deadline, states(server)
        sleep(0.3)


@pytest.mark.long
def test_runs_end_with_the_command_and_are_marked_crashed(tmp_path: Path) -> None:
    """First by Ctrl-C, then by a kill: nothing is left, and no run is shown as running."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    environment = {
        **os.environ, "PREFECT_API_URL": address, "COLUMNS": "200", "PYTHONPATH": str(ROOT),
        "PREFECT_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    server = LiveServer(address, environment, tmp_path)
    with serve(tmp_path, port) as command:
        wait_for(tmp_path, "Ctrl-C ends all of it.")
        listed = {one.name: one.schedule for one in ServerApi(address).list_deployments()}
        assert listed["render/nightly"] == "cron 0 2 * * *"
        assert listed["rerun/hourly"] == "every 3600 s"
        assert listed["demo/chain"] == "by hand"
        start_demo(server, tmp_path / "first")
        assert "RUNNING" in states(server)
        assert ServerApi(address).crash_dead_runs(POOL) == ()
        children = psutil.Process(command.pid).children(recursive=True)
    assert command.returncode == 0
    wait_for(tmp_path, "Marked crashed, its process is gone: demo")
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive
    with serve(tmp_path, port) as command:
        wait_for(tmp_path, "Ctrl-C ends all of it.", times=2)
        assert "RUNNING" not in states(server)
        start_demo(server, tmp_path / "second")
        children = psutil.Process(command.pid).children(recursive=True)
        command.kill()
        _, alive = psutil.wait_procs(children, timeout=60)
        assert not alive
    with serve(tmp_path, port):
        wait_for(tmp_path, "Ctrl-C ends all of it.", times=3)
        assert states(server).count("CRASHED") == 2


@pytest.mark.long
def test_file_that_prefect_refuses_ends_the_command_with_its_word(tmp_path: Path) -> None:
    file = tmp_path / "prefect.yaml"
    file.write_text("deployments:\n  - name: a\n    entrypoint: flows.nothing.nothing\n")
    with serve(tmp_path, free_port(), file) as command:
        assert command.wait(PATIENCE_S) == 1
    assert f"scanmill: {file}: " in (tmp_path / "serve.log").read_text()
