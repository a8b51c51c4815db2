"""A Prefect server on loopback, a worker beside it and the deployments of a file: for one machine.

Each is a program of Prefect's own in a session of its own, so that Ctrl-C reaches nobody but us:
the worker has to end first, because one whose server is gone waits for it for ever.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from flows.prefect_settings import API_URL, PATIENCE_S, apply_prefect_defaults, prefect_home
from flows.programs import LOOPBACK, end_program, last_line, start_program
from flows.server_api import Deployed, ServerApi
from schemas.config_file import load_yaml
from schemas.errors import InputError, MachineError, RequestError
from schemas.manifest import utc_now
from schemas.requests import ServeRequest

POOL = "scanmill"
"""The work pool that prefect.yaml names."""

WORKER_GRACE_S = 60.0
"""How long a worker may end its runs: it kills one 30 s after it has asked it to end."""

SERVER_GRACE_S = 20.0
DEPLOYING_S = 300.0
POLL_S = 0.5
LOOK_S = 30.0
"""Between two looks for runs whose process is gone."""

SILENT_S = 150.0
"""When the server is up for so long, every run in a terminal has beaten: they do every 30 s."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Program:
    """A program of Prefect's that runs beside us. log: all that it says."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@dataclass(frozen=True, slots=True)
class Serving:
    """A server, a worker and deployments that are there.

    address: of the page. since: when the server was up, UTC, ISO 8601.
    """

    address: str
    api: ServerApi
    since: str
    deployments: tuple[Deployed, ...]
    server: Program
    worker: Program

    def wait(self, say: Say) -> None:
        """Wait for ever, and mark runs crashed as they die.

        Raises MachineError when one of the two programs has ended.
        """
        look_s, silent_s = monotonic() + LOOK_S, monotonic() + SILENT_S
        while True:
            for one in (self.worker, self.server):
                if one.process.poll() is not None:
                    raise _ended_early(one)
            if monotonic() > look_s:
                look_s = monotonic() + LOOK_S
                is_time = monotonic() > silent_s
                silent_s = inf if is_time else silent_s
                with suppress(OSError):  # it may be busy
                    _crash_dead_runs(self.api, say, silent_since=self.since if is_time else "")
            sleep(POLL_S)


@contextmanager
def serving(request: ServeRequest, *, say: Say) -> Iterator[Serving]:
    """Start a server, deploy, start a worker; ends the worker, then the server, with the block.

    Raises RequestError when another server is chosen or the port is taken, InputError when the
    deployments can't be read, MachineError when a program does not start.
    """
    _refuse_chosen_server()
    _refuse_taken_port(request.port)
    apply_prefect_defaults()
    logs = prefect_home() / "scanmill-serve"
    logs.mkdir(parents=True, exist_ok=True)
    address = f"http://{LOOPBACK}:{request.port}"
    environment = {**os.environ, API_URL: f"{address}/api"}
    server_words = ("server", "start", "--host", LOOPBACK, "--port", str(request.port))
    say("Starting the server.")
    api = ServerApi(environment[API_URL])
    with _program("server", server_words, environment, logs, SERVER_GRACE_S) as server:
        _wait_until_healthy(server, api)
        since = utc_now()
        _crash_dead_runs(api, say)
        for automation in read_automations(Path(request.file)):
            api.replace_automation(automation)
        say(f"Deploying what {request.file} lists.")
        _prefect(request, environment, "work-pool", "create", POOL, "--type", "process",
                 "--overwrite")  # fmt: skip
        _prefect(request, environment, "--no-prompt", "deploy", "--all", "--prefect-file",
                 Path(request.file).name)  # fmt: skip
        worker_words = ("worker", "start", "--pool", POOL, "--type", "process",
                        "--limit", str(request.limit))  # fmt: skip
        try:
            with _program("worker", worker_words, environment, logs, WORKER_GRACE_S) as worker:
                yield Serving(
                    address, api, since, api.list_deployments(), server, worker
                )  # fmt: skip
        finally:
            with suppress(OSError):  # the server itself may be gone
                _crash_dead_runs(api, say)


def read_automations(path: Path) -> list[dict[str, Any]]:
    """Read the automations of a file of deployments; raises RequestError where it is no YAML."""
    content = load_yaml(path.read_text(encoding="utf-8", errors="replace"), str(path))
    found = content.get("automations") if isinstance(content, dict) else None
    return [one for one in found or [] if isinstance(one, dict) and "name" in one]


def _crash_dead_runs(api: ServerApi, say: Say, *, silent_since: str = "") -> None:
    """Let no run that nobody works on be shown as running.

    silent_since: also those of terminals that have not beaten since then; empty: not now.
    """
    for name in api.crash_dead_runs(POOL):
        say(f"Marked crashed, its process is gone: {name}.")
    for name in api.crash_silent_runs(POOL, silent_since) if silent_since else ():
        say(f"Marked crashed, it has not beaten since the server started: {name}.")


def _refuse_chosen_server() -> None:
    chosen = os.environ.get(API_URL)
    if chosen:
        raise RequestError(
            API_URL, found=chosen, expected="none: scanmill serve starts a server of its own",
            hint="Unset it; or, to use that server, run prefect --no-prompt deploy --all and "
            "prefect worker start --pool scanmill.",
        )  # fmt: skip


def _refuse_taken_port(port: int) -> None:
    try:
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port))
    except OSError as error:
        raise RequestError(
            "--port", found=f"{port}: {error.strerror}", expected="a port that nobody listens on",
            hint="Another server may be running there already; give another --port.",
        ) from error  # fmt: skip


@contextmanager
def _program(
    name: str, words: tuple[str, ...], environment: dict[str, str], logs: Path, grace_s: float
) -> Iterator[Program]:
    """Run a program of Prefect's beside the block; it is interrupted, then killed, at the end."""
    log = logs / f"{name}.log"
    with log.open("wb") as out:
        process = start_program("flows.prefect_program", words, environment, out)
    try:
        yield Program(name, process, log)
    finally:
        end_program(process, grace_s)


def _wait_until_healthy(server: Program, api: ServerApi) -> None:
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        if server.process.poll() is not None:
            raise _ended_early(server)
        try:
            api.check_health()
        except (OSError, ValueError):
            sleep(POLL_S)
        else:
            return
    raise MachineError(
        "the Prefect server", found=f"no answer from {api.address} within {PATIENCE_S:.0f} s",
        expected="an answer", hint=f"Look at {server.log}.",
    )  # fmt: skip


def _prefect(request: ServeRequest, environment: dict[str, str], *words: str) -> None:
    """Run one of Prefect's commands in the folder of the deployments; raises InputError."""
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *words], cwd=Path(request.file).absolute().parent,
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=DEPLOYING_S,
    )  # fmt: skip
    if done.returncode != 0:
        said = [line for line in f"{done.stdout}\n{done.stderr}".splitlines() if line.strip()]
        raise InputError(
            request.file, found=" ".join(said[-1:]) or f"exit code {done.returncode}",
            expected="deployments that Prefect accepts",
            hint=f"Try `prefect {' '.join(words)}` there: it says more.",
        )  # fmt: skip


def _ended_early(program: Program) -> MachineError:
    last = last_line(program.log.read_text(errors="replace"))
    return MachineError(
        f"the Prefect {program.name}", found=f"it ended by itself ({last})",
        expected="it to run until you end it", hint=f"Look at {program.log}.",
    )  # fmt: skip
