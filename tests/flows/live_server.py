"""A real Prefect server with a worker, each in a process of its own, on a free loopback port."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 120.0
LONGEST_S = 1000.0
POOL = "scanmill"


@dataclass(frozen=True, slots=True)
class LiveServer:
    """A server that answers, and the environment in which programs find it."""

    address: str
    environment: dict[str, str]
    folder: Path

    def prefect(self, *arguments: str, fails: bool | None = False) -> str:
        """Run the prefect program to its end; returns what it says.

        fails: whether it should; None: it may.
        """
        command = [sys.executable, "-m", "prefect", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
            timeout=LONGEST_S,
        )  # fmt: skip
        if fails is not None:
            assert (done.returncode != 0) is fails, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@contextmanager
def live_server(folder: Path) -> Iterator[LiveServer]:
    """Start a server with a home of its own; it is stopped by its pid at the end."""
    port = free_port()
    address = f"http://127.0.0.1:{port}/api"
    environment = {
        **os.environ,
        "PREFECT_HOME": str(folder / "home"),
        "PREFECT_API_URL": address,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "COLUMNS": "200",
        "PYTHONPATH": str(ROOT),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }
    server = LiveServer(address, environment, folder)
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(port), "--no-ui"]
    with program(server, "server", *command):
        _wait_for(f"{address}/health")
        yield server


@contextmanager
def program(server: LiveServer, name: str, *arguments: str) -> Iterator[None]:
    """Run a prefect program beside the block; its log stands in NAME.log."""
    with (server.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *arguments], cwd=ROOT, env=server.environment,
            stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its own session: nothing but what it started
        process.wait()


def free_port() -> int:
    """Find a loopback port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(address: str) -> None:
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (OSError, urllib.error.URLError):
            sleep(0.3)
    message = f"no answer from {address}"
    raise TimeoutError(message)
