"""`--runner tcp://...`: a real cluster, workers that are killed, the same bytes as without."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from tests.flows.conftest import Command
from tests.flows.live_server import ROOT, LiveServer
from tests.flows.test_render import request, shards

pytestmark = [pytest.mark.xdist_group("prefect-server"), pytest.mark.long]

PATIENCE_S = 120


def test_two_workers_of_another_cluster_one_of_which_is_killed(
    server: LiveServer, scanmill: Command, people: Path, tmp_path: Path
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    assert scanmill(*request(people, plain), "--workers", 1).returncode == 0
    with cluster(server, tmp_path, workers=2) as (address, workers):
        command = [sys.executable, "-m", "flows.cli", *map(str, request(people, out))]
        with subprocess.Popen(
            [*command, "--runner", address, "--json"], cwd=ROOT, env=server.environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            wait_until(lambda: any((out / "samples").glob("*shard-*")))
            workers[0].kill()
            said, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert json.loads(said)["failures"] == []
    assert shards(out) == shards(plain)


def test_cluster_that_cannot_be_reached_is_one_clear_error(
    scanmill: Command, people: Path, tmp_path: Path
) -> None:
    done = scanmill(*request(people, tmp_path / "out"), "--runner", "tcp://127.0.0.1:1")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "tcp://127.0.0.1:1" in done.stderr


@contextmanager
def cluster(
    server: LiveServer, folder: Path, *, workers: int
) -> Iterator[tuple[str, list[psutil.Popen]]]:
    """Start a scheduler and workers as programs of their own; ended by their pids."""
    programs: list[psutil.Popen] = []

    def start(name: str, *words: str) -> None:
        with (folder / f"{name}.log").open("wb") as log:
            programs.append(
                psutil.Popen(
                    [sys.executable, "-m", "dask", *words], cwd=ROOT, stderr=log, stdout=log,
                    env={**os.environ, **server.environment},
                )
            )  # fmt: skip

    try:
        start("scheduler", "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        log = folder / "scheduler.log"
        wait_until(lambda: "Scheduler at:" in log.read_text())
        found = re.search(r"Scheduler at:\s*(tcp://\S+)", log.read_text())
        assert found
        for number in range(workers):
            start(f"worker{number}", "worker", found[1], "--nthreads", "1", "--no-nanny",
                  "--no-dashboard", "--local-directory", str(folder))  # fmt: skip
        yield found[1], programs[1:]
    finally:
        for one in reversed(programs):
            if one.is_running():
                one.send_signal(signal.SIGTERM)
                one.wait(30)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until a function returns true."""
    deadline = monotonic() + PATIENCE_S
    while not is_so():
        assert monotonic() < deadline
        sleep(0.05)
