"""What the workers of every cluster have in common: one round of jobs, on any engine.

Each job is a task run on Prefect's page, as with processes of this machine. The engine itself
replaces a worker that died, and only the job that was running on it ends; the pool's own policy
(flows/worker_pool.py) decides what becomes of that. An engine is one module with a subclass, as
flows/dask_workers.py, and a row in flows/engines.py.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, NamedTuple, TypeVar

from prefect.task_runners import TaskRunner

from flows.prefect_settings import API_URL
from flows.prefect_workers import end_of, mark_crashed, reporting_here, submit_all
from flows.worker_pool import NotStarted, Returned, WorkerDied
from schemas.errors import RequestError
from schemas.work import Job
from tasks.machine.memory_limit import memory_budget
from tasks.worker_process import mark_of

J = TypeVar("J", bound=Job)
R = TypeVar("R")


class Opening(NamedTuple):
    """What a worker opens before its first job: the parameters of open_for_jobs."""

    marks: str
    workers: int
    draws: bool
    device: int | None
    memory: int


class Started(NamedTuple):
    """A cluster that is there. runner: submits to it. workers: jobs that it runs at a time."""

    runner: TaskRunner[Any]
    workers: int


@dataclass(frozen=True, slots=True)
class ClusterWorkers(ABC):
    """Workers of a cluster.

    count: processes of a cluster that is made here. draws: each opens a GL context on device; None
    chooses one. address: of another cluster; its workers have to see the same folders, hold the
    same version of scanmill, and reach the Prefect server. lost: how the engine says that a job's
    worker died.
    """

    count: int
    draws: bool = False
    device: int | None = None
    address: str | None = None

    lost: ClassVar[tuple[type[Exception], ...]]

    @abstractmethod
    def start(self, count: int, opening: Opening) -> AbstractContextManager[Started]:
        """Start the cluster, or connect to the one at the address, for the block."""

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Run jobs on the cluster; a job whose worker died ends alone, the others go on.

        When it is closed early, jobs that wait are withdrawn.
        """
        count = min(self.count, len(jobs))
        with reporting_here(), self._marks() as marks:
            opening = self._opening(count, marks)
            with self.start(count, opening) as (runner, workers):
                for job, future in submit_all(runner, iter(jobs), task, workers=workers):
                    end = end_of(future)
                    if not isinstance(end, self.lost):
                        yield job, end
                    elif marks and not Path(marks, mark_of(job.name)).exists():
                        yield job, NotStarted()
                    else:
                        mark_crashed(future.task_run_id)
                        yield job, WorkerDied()

    @contextmanager
    def _marks(self) -> Iterator[str]:
        """Make the folder in which jobs are marked that began; "": workers elsewhere see none."""
        if self.address is not None:
            check_server()
            yield ""
            return
        with TemporaryDirectory(prefix="scanmill-round-") as folder:
            yield folder

    def _opening(self, count: int, marks: str) -> Opening:
        """Say what workers open; those elsewhere share out their own machines."""
        if self.address is not None:
            return Opening("", 0, self.draws, self.device, 0)
        return Opening(marks, count, self.draws, self.device, memory_budget(count))


def check_server() -> None:
    """Refuse a temporary server: workers elsewhere could not report to it."""
    if not os.environ.get(API_URL):
        raise RequestError(
            "--runner", found="a temporary Prefect server, which ends with this command",
            expected=f"{API_URL} of a server that the cluster's workers can reach",
            hint="Start one (scanmill serve, prefect server start) and set the variable.",
        )  # fmt: skip
