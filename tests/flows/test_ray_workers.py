"""`--runner ray`: real clusters, workers that are killed, the same bytes as without."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.flows.conftest import Command
from tests.flows.live_server import ROOT, LiveServer, free_port
from tests.flows.test_dask_workers import PATIENCE_S, wait_until
from tests.flows.test_render import request, shards

pytestmark = [
    pytest.mark.xdist_group("prefect-server"),
    pytest.mark.skipif(find_spec("prefect_ray") is None, reason="the extra `ray` is not installed"),
    pytest.mark.long,
]

SHARED_SECRET = {"RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
AGENTS_END_S = 180
"""Ray's agents look only now and then whether their node is still there."""


def test_nothing_of_a_cluster_outlives_its_run_or_listens_to_others(
    server: LiveServer, people: Path, tmp_path: Path
) -> None:
    """Here the run is killed."""
    out = tmp_path / "out"
    with started(server, *request(people, out), "--runner", "ray") as process:
        wait_until(lambda: any((out / "samples").glob("*shard-*")))
        family = psutil.Process(process.pid).children(recursive=True)
        assert set().union(*map(listeners, family)) == {"127.0.0.1"}
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    _, alive = psutil.wait_procs(family, timeout=AGENTS_END_S)
    assert not alive


def test_worker_of_another_cluster_is_killed(
    server: LiveServer, scanmill: Command, people: Path, tmp_path: Path
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    assert scanmill(*request(people, plain), "--workers", 1).returncode == 0
    with (
        ray_head(server) as (address, head),
        started(server, *request(people, out), "--runner", address, "--json") as process,
    ):  # the worker's death is told on standard error
        wait_until(lambda: kill_one_at_work(head))
        said, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, errors
    assert json.loads(said)["failures"] == []
    assert shards(out) == shards(plain)


def test_cluster_that_cannot_be_reached_is_one_clear_error(
    scanmill: Command, people: Path, tmp_path: Path
) -> None:
    done = scanmill(
        *request(people, tmp_path / "out"), "--runner", f"ray://127.0.0.1:{free_port()}"
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "ray start --head" in done.stderr


@contextmanager
def started(server: LiveServer, *words: object) -> Iterator["subprocess.Popen[str]"]:
    """Run the command beside the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli", *map(str, words)], cwd=ROOT,
        env=server.environment | SHARED_SECRET,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process


@contextmanager
def ray_head(server: LiveServer) -> Iterator[tuple[str, psutil.Popen]]:
    """Start a cluster of its own, with two cores, as docs/cluster.md says; ended by its pid."""
    port = free_port()
    with TemporaryDirectory(prefix="ray-", dir="/tmp") as folder:  # sockets need a short path
        environment = {
            **os.environ, **server.environment, **SHARED_SECRET, "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "TMPDIR": folder,
        }  # fmt: skip
        command = [
            str(Path(sys.executable).with_name("ray")), "start", "--head", "--block",
            "--port", str(free_port()), "--ray-client-server-port", str(port), "--num-cpus", "2",
            "--include-dashboard", "false", "--disable-usage-stats", "--temp-dir", folder,
            "--object-store-memory", str(80 << 20),
        ]  # fmt: skip
        with Path(folder, "head.log").open("wb") as log:
            head = psutil.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            log_of = Path(folder, "head.log")
            wait_until(lambda: "Ray runtime started" in log_of.read_text())
            yield f"ray://127.0.0.1:{port}", head
        finally:
            family = head.children(recursive=True)
            head.send_signal(signal.SIGTERM)
            head.wait(60)
            for one in psutil.wait_procs(family, timeout=20)[1]:
                one.kill()


def kill_one_at_work(head: psutil.Popen) -> bool:
    """Kill a worker that runs a task: Ray names its process after it; returns whether one did."""
    for process in head.children(recursive=True):
        try:
            if process.cmdline()[:1] == ["ray::render-shard"]:
                process.kill()
                return True
        except psutil.Error:
            continue
    return False


def listeners(process: psutil.Process) -> set[str]:
    """List the addresses at which a process waits for others."""
    try:
        found = process.net_connections("tcp")
    except psutil.Error:
        return set()
    waiting = (one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN)
    return {address.removeprefix("::ffff:") for address in waiting}
