"""Workers of a Ray cluster: one here for the run, or one that is there already.

A Ray worker process runs one job at a time in its main thread and serves many, so it opens one GL
context and keeps it; it opens another only when Ray gives it another GPU. Ray tries nothing again
by itself here: the pool's own policy decides. When a run ends early, Ray ends the running jobs.
"""

import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import uuid4

import ray
from prefect.context import serialize_context
from prefect_ray.task_runners import PrefectRayFuture, RayTaskRunner
from ray._private.authentication.authentication_token_setup import (
    maybe_enable_token_auth_if_token_available,
)
from ray.exceptions import (
    NodeDiedError,
    OutOfMemoryError,
    RaySystemError,
    WorkerCrashedError,
)

from flows.cluster_workers import ClusterWorkers, Opening, Started
from renderers.session import close_session
from schemas.errors import MachineError
from tasks.worker_process import open_for_jobs

ANSWER_S = 30.0
"""How long a cluster may take to answer."""

STORE_BYTES = 80 << 20
"""Of Ray's object store, about the least that it takes: outcomes are small, shards are files."""

MAX_FOLDER_CHARS = 40
"""Ray puts sockets 60 characters below its folder; the kernel allows 107 for a socket's path."""

CORES_OF_A_DRAWER = 2
"""Cores that a job takes on another cluster when it draws by software."""

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECRET = "RAY_AUTH_" + "TOKEN"
"""Ray's variable for what a cluster asks of everyone who sends it jobs."""

WARNS_OF_AUTHENTICATION = "ray._private.authentication.authentication_token_setup"


@dataclass(frozen=True, slots=True)
class RayWorkers(ClusterWorkers):
    """Workers of a Ray cluster. address: of its server for clients, as ray://HOST:10001."""

    lost: ClassVar[tuple[type[Exception], ...]] = (
        WorkerCrashedError, OutOfMemoryError, NodeDiedError, RaySystemError,
    )  # fmt: skip

    @contextmanager
    def start(self, count: int, opening: Opening) -> Iterator[Started]:
        """Start it, or connect to it."""
        cluster = _cluster_here(count) if self.address is None else _connection(self.address)
        logging.getLogger(WARNS_OF_AUTHENTICATION).setLevel(logging.CRITICAL)
        with redirect_stdout(sys.stderr), cluster:  # Ray would print between the lines of --json
            needs, workers = _share_out(count, self)
            with OpeningRunner(opening, needs) as runner:
                yield Started(runner, workers)


class OpeningRunner(RayTaskRunner):  # type: ignore[misc]  # prefect_ray has no types
    """Prefect's runner; each worker opens what its jobs need before the first.

    It sends the function that workers call to the cluster once. Prefect's own sends it with every
    task, and the cluster would remember them all.
    """

    def __init__(self, opening: Opening, needs: dict[str, float]) -> None:
        """Take what workers open, and what one job takes of the cluster."""
        super().__init__()
        self._opening = opening
        self._call = ray.remote(max_retries=0, max_calls=0, **needs)(_run_opened)

    def submit(
        self,
        task: Any,  # noqa: ANN401
        parameters: dict[str, Any],
        *_dependencies: object,
    ) -> Any:  # noqa: ANN401 - a future of prefect_ray
        """Submit a task run that depends on no other."""
        task_run_id = uuid4()
        reference = self._call.options(name=task.name).remote(
            self._opening, task=task, task_run_id=task_run_id, parameters=parameters,
            context=serialize_context(),
        )  # fmt: skip
        return PrefectRayFuture(task_run_id=task_run_id, wrapped_future=reference)


def _run_opened(opening: Opening, **call: Any) -> Any:  # noqa: ANN401 - Prefect's own values
    """Run a task run in a worker; a worker that can't open what it needs raises MachineError."""
    key = (opening, os.environ.get(VISIBLE))
    if _OPENED.get("key") != key:
        close_session()
        open_for_jobs(*opening)
        _OPENED["key"] = key
    return RayTaskRunner._run_prefect_task(**call)  # noqa: SLF001 - what its submit sends too


_OPENED: dict[str, object] = {}
"""What this worker process has opened, and with which GPU in sight."""


def _share_out(count: int, workers: ClusterWorkers) -> tuple[dict[str, float], int]:
    """Return what a job takes of the cluster, and how many jobs then run at a time."""
    there = ray.cluster_resources()
    cores, gpus = there.get("CPU", 1.0), there.get("GPU", 0.0)
    on_gpu = workers.draws and workers.device is None and gpus > 0
    if workers.address is None:
        share = min(1.0, gpus / count) if on_gpu else 0.0
        return {"num_cpus": 1.0, "num_gpus": share}, count
    if on_gpu:
        return {"num_cpus": 1.0, "num_gpus": 1.0}, int(gpus)
    widest = max((node["Resources"].get("CPU", 0.0) for node in ray.nodes()), default=1.0)
    each = min(float(CORES_OF_A_DRAWER if workers.draws else 1), max(1.0, widest))
    return {"num_cpus": each, "num_gpus": 0.0}, max(1, int(cores // each))


@contextmanager
def _cluster_here(count: int) -> Iterator[None]:
    """Run a cluster of this machine beside the block."""
    os.environ.setdefault(SECRET, token_hex(32))  # else Ray keeps one below the user's home
    handler = signal.getsignal(signal.SIGTERM)
    with tempfile.TemporaryDirectory(prefix="scanmill-ray-", dir=_short_folder()) as folder:
        try:
            ray.init(
                num_cpus=count, include_dashboard=False, log_to_driver=False,
                logging_level="CRITICAL", object_store_memory=STORE_BYTES, _temp_dir=folder,
            )  # fmt: skip
            signal.signal(signal.SIGTERM, handler)  # Ray puts its own there
            yield
        finally:
            ray.shutdown()


@contextmanager
def _connection(address: str) -> Iterator[None]:
    """Be connected to another cluster inside the block; raises MachineError."""
    place = urlsplit(address)
    maybe_enable_token_auth_if_token_available(warn_if_disabled=False)  # else only where none is
    try:
        with socket.create_connection((place.hostname or "", place.port or 0), ANSWER_S):
            pass
        ray.init(address, logging_level="CRITICAL", log_to_driver=False)
    except (OSError, RuntimeError) as error:
        raise MachineError(
            f"--runner {address}", found=" ".join(str(error).split()) or "no answer",
            expected="a Ray cluster's server for clients, with the same token, Python and Ray",
            hint="Start it with ray start --head --ray-client-server-port 10001, and copy the "
            "token that `ray get-auth-token` shows there to ~/.ray/auth_token here.",
        ) from error  # fmt: skip
    try:
        yield
    finally:
        ray.shutdown()


def _short_folder() -> str:
    """Return the folder for temporary files; /tmp where its path would be too long for Ray."""
    chosen = tempfile.gettempdir()
    return chosen if len(chosen) <= MAX_FOLDER_CHARS - len("/scanmill-ray-12345678") else "/tmp"  # noqa: S108
