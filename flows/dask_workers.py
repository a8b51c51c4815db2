"""Workers of a Dask cluster: one here for the run, or one that is there already.

Each job is a task run on Prefect's page, as with processes of this machine. Dask itself replaces a
worker that died. A cluster made here gives up a job with its first worker, so that the pool's own
policy decides; a cluster from outside keeps its `distributed.scheduler.allowed-failures` and may
try a job that often before the pool hears of it.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import dask
from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin
from prefect_dask.task_runners import DaskTaskRunner

from flows.prefect_settings import API_URL
from flows.prefect_workers import end_of, mark_crashed, reporting_here, submit_all
from flows.worker_pool import NotStarted, Returned, WorkerDied
from renderers.session import close_session
from schemas.errors import MachineError, RequestError
from schemas.work import Job
from tasks.machine.memory_limit import memory_budget
from tasks.worker_process import mark_of, open_for_jobs

J = TypeVar("J", bound=Job)
R = TypeVar("R")
ANSWER_S = 30.0
"""How long a scheduler, and the first of its workers, may take to answer."""


@dataclass(frozen=True, slots=True)
class DaskWorkers:
    """Workers of a Dask cluster.

    count: processes of a cluster that is made here. draws: each opens a GL context on device; None
    chooses one. address: of the scheduler of another cluster; its workers have to see the same
    folders, hold the same version of scanmill, and reach the Prefect server.
    """

    count: int
    draws: bool = False
    device: int | None = None
    address: str | None = None

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Run jobs on the cluster; a job whose worker died ends alone, the others go on.

        When it is closed early, jobs that wait are withdrawn; those that run end with a cluster
        made here, and go on to their end on another.
        """
        with (
            reporting_here(),
            TemporaryDirectory(prefix="scanmill-round-") as folder,
            self._scheduler(len(jobs)) as address,
            DaskTaskRunner(address=address) as runner,
        ):
            self._prepare(runner.client, len(jobs), folder)
            for job, future in submit_all(runner, jobs, task):
                end = end_of(future)
                if not isinstance(end, KilledWorker):
                    yield job, end
                elif self.address is None and not Path(folder, mark_of(job.name)).exists():
                    yield job, NotStarted()
                else:
                    mark_crashed(future.task_run_id)
                    yield job, WorkerDied()

    @contextmanager
    def _scheduler(self, jobs: int) -> Iterator[str]:
        """Yield the address of the cluster's scheduler."""
        if self.address is not None:
            _check_server()
            _check_scheduler(self.address)
            yield self.address
            return
        never_again = {"distributed.scheduler.allowed-failures": 0}
        with (
            dask.config.set(never_again),
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=min(self.count, jobs), threads_per_worker=1, memory_limit=0,
                dashboard_address=None, silence_logs=logging.CRITICAL,
            ) as cluster,
        ):  # fmt: skip
            yield cluster.scheduler_address

    def _prepare(self, client: Client, jobs: int, marks: str) -> None:
        """Let each worker, and each that replaces it, open what the jobs need."""
        if self.draws:
            _check_threads(client)
        count = min(self.count, jobs)
        here = (marks, count, self.draws, self.device, memory_budget(count))
        elsewhere = ("", 0, self.draws, self.device, 0)
        client.register_plugin(OpenWorker(*(here if self.address is None else elsewhere)))


class OpenWorker(WorkerPlugin):
    """Opens in a Dask worker what jobs need, in the one thread that will run them."""

    name = "scanmill"

    def __init__(
        self, marks: str, workers: int, draws: bool, device: int | None, memory: int
    ) -> None:
        """Take what open_for_jobs takes."""
        self._opened = (marks, workers, draws, device, memory)

    async def setup(self, worker: Worker) -> None:
        """Open it; a worker that can't is refused by the scheduler."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(worker.executors["default"], open_for_jobs, *self._opened)

    async def teardown(self, worker: Worker) -> None:
        """Close it in the thread that it belongs to."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(worker.executors["default"], close_session)


def _check_server() -> None:
    """Refuse a temporary server: workers elsewhere could not report to it."""
    if not os.environ.get(API_URL):
        raise RequestError(
            "--runner", found="a temporary Prefect server, which ends with this command",
            expected=f"{API_URL} of a server that the cluster's workers can reach",
            hint="Start one (scanmill serve, prefect server start) and set the variable.",
        )  # fmt: skip


def _check_scheduler(address: str) -> None:
    """Raise MachineError when no scheduler answers there, or it has no worker."""
    try:
        with Client(  # type: ignore[no-untyped-call]
            address, timeout=ANSWER_S, set_as_default=False
        ) as client:
            client.wait_for_workers(1, timeout=ANSWER_S)
    except (OSError, TimeoutError) as error:
        raise MachineError(
            f"--runner {address}", found=f"no answer, or no worker, within {ANSWER_S:.0f} s",
            expected="a Dask scheduler with workers",
            hint="Start them with dask scheduler and dask worker ADDRESS --nthreads 1.",
        ) from error  # fmt: skip


def _check_threads(client: Client) -> None:
    """Refuse workers of several threads: a GL context belongs to one."""
    wide = sorted(
        name
        for name, threads in client.nthreads().items()  # type: ignore[no-untyped-call]
        if threads != 1
    )
    if wide:
        raise RequestError(
            "--runner", found=f"workers of several threads ({wide[0]})",
            expected="workers of one thread each: a drawing context belongs to a thread",
            hint="Start them with dask worker --nthreads 1, as many as shall draw at once.",
        )  # fmt: skip
