"""What workers of Prefect's runners share: each job is a task run on its page. And threads.

Threads are for jobs that read and write more than they compute, and never break. Processes of this
machine: process_workers.py; those of a cluster: cluster_workers.py.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.futures import PrefectFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Crashed
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from prefect.tasks import Task

from flows.worker_pool import Returned
from schemas.work import Job

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

J = TypeVar("J", bound=Job)
R = TypeVar("R")
F = TypeVar("F", bound=PrefectFuture[Any])

JOBS_AHEAD = 4
"""Jobs in flight for each worker: one that runs and some that wait, so that none is ever idle."""

MIN_IN_FLIGHT = 64
"""Even for one worker: another cluster may get more workers while the run goes on."""


@dataclass(frozen=True, slots=True)
class ThreadWorkers:
    """Threads of this process."""

    count: int

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Run jobs in threads."""
        runner: ThreadPoolTaskRunner[R] = ThreadPoolTaskRunner(min(self.count, len(jobs)))
        with runner:
            for job, future in submit_all(runner, iter(jobs), task, workers=self.count):
                yield job, end_of(future)


@contextmanager
def reporting_here() -> Iterator[None]:
    """Let the workers that the block starts report to this process's server.

    Without its address each would start a temporary server of its own.
    """
    with get_client(sync_client=True) as client:
        address = str(client.api_url)
    with temporary_settings({PREFECT_API_URL: address}):
        yield


def end_of(future: PrefectFuture[R]) -> Returned[R] | Exception:
    """Return how a job ended; its future must be done."""
    try:
        return Returned(future.result())
    except Exception as error:  # noqa: BLE001 - the pool decides what becomes of it
        return error


def submit_all(
    runner: TaskRunner[F], waiting: Iterator[J], task: Callable[[J], R], *, workers: int
) -> Iterator[tuple[J, F]]:
    """Submit jobs, and yield each with its future as it ends, in whatever way.

    waiting: drawn from as jobs end, so that no more than JOBS_AHEAD for each of the workers are in
    flight and neither a server nor a scheduler has to hold what comes later; who empties it
    submits no more.
    """
    ended: SimpleQueue[tuple[J, F]] = SimpleQueue()
    work = task if isinstance(task, Task) else Task(task)

    def submit(count: int) -> int:
        submitted = 0
        for submitted, job in enumerate(islice(waiting, count), 1):  # noqa: B007 - counted
            future = runner.submit(work, {"job": job})
            future.add_done_callback(partial(_put, ended, job, future))
        return submitted

    in_flight = submit(max(MIN_IN_FLIGHT, JOBS_AHEAD * workers))
    while in_flight:
        pair = ended.get()
        in_flight += submit(1) - 1
        yield pair


def _put(ended: SimpleQueue[tuple[J, F]], job: J, future: F, _: object) -> None:
    ended.put((job, future))


def mark_crashed(task_run_id: UUID) -> None:
    """Report to the server that a task run is over whose worker died.

    One that died before it could say that it had begun is not known there.
    """
    crashed: State[None] = Crashed(message="The worker process died.")
    with get_client(sync_client=True) as client, suppress(PrefectHTTPStatusError):
        client.set_task_run_state(task_run_id, crashed, force=True)
