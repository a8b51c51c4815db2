"""Workers of a Dask cluster: one here for the run, or one that is there already.

A cluster made here gives up a job with its first worker, so that the pool's own policy decides; a
cluster from outside keeps its `distributed.scheduler.allowed-failures` and may try a job that
often before the pool hears of it. When a run ends early, jobs that are running end with a
cluster made here, and go on to their end on another.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import dask
from distributed import Client, KilledWorker, LocalCluster, Worker, WorkerPlugin
from prefect_dask.task_runners import DaskTaskRunner

from flows.cluster_workers import ClusterWorkers, Opening, Started
from renderers.session import close_session
from schemas.errors import MachineError, RequestError
from tasks.worker_process import open_for_jobs

ANSWER_S = 30.0
"""How long a scheduler, and the first of its workers, may take to answer."""


@dataclass(frozen=True, slots=True)
class DaskWorkers(ClusterWorkers):
    """Workers of a Dask cluster. address: of its scheduler."""

    lost: ClassVar[tuple[type[Exception], ...]] = (KilledWorker,)

    @contextmanager
    def start(self, count: int, opening: Opening) -> Iterator[Started]:
        """Start it; each worker, and each that replaces it, opens what the jobs need."""
        with self._scheduler(count) as address, DaskTaskRunner(address=address) as runner:
            threads = runner.client.nthreads()
            if self.draws:
                _check_threads(threads)
            runner.client.register_plugin(OpenWorker(opening))
            yield Started(runner, sum(threads.values()))

    @contextmanager
    def _scheduler(self, count: int) -> Iterator[str]:
        """Yield the address of the cluster's scheduler."""
        if self.address is not None:
            _check_scheduler(self.address)
            yield self.address
            return
        never_again = {"distributed.scheduler.allowed-failures": 0}
        with (
            dask.config.set(never_again),
            LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=count, threads_per_worker=1, memory_limit=0,
                dashboard_address=None, silence_logs=logging.CRITICAL,
            ) as cluster,
        ):  # fmt: skip
            yield cluster.scheduler_address


class OpenWorker(WorkerPlugin):
    """Opens in a Dask worker what jobs need, in the one thread that will run them."""

    name = "scanmill"

    def __init__(self, opening: Opening) -> None:
        """Take what to open."""
        self._opening = opening

    async def setup(self, worker: Worker) -> None:
        """Open it; a worker that can't is refused by the scheduler."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(worker.executors["default"], open_for_jobs, *self._opening)

    async def teardown(self, worker: Worker) -> None:
        """Close it in the thread that it belongs to."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(worker.executors["default"], close_session)


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


def _check_threads(threads: dict[str, int]) -> None:
    """Refuse workers of several threads: a GL context belongs to one. threads: by worker."""
    wide = sorted(name for name, count in threads.items() if count != 1)
    if wide:
        raise RequestError(
            "--runner", found=f"workers of several threads ({wide[0]})",
            expected="workers of one thread each: a drawing context belongs to a thread",
            hint="Start them with dask worker --nthreads 1, as many as shall draw at once.",
        )  # fmt: skip
