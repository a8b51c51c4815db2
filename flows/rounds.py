"""Shards made in processes, in rounds: each round has a fresh pool of workers.

A worker that dies (killed for memory, crashed in a driver) breaks its whole pool. What was under
way then is suspected: each suspect is tried once more, alone; what dies again is given up, what
lives was innocent. The rest goes on in a fresh pool. So no shard is tried more than twice for
this reason, and a shard that kills its worker takes no other with it.

Owns: the pools. Workers that draw open one GL context each, for their lifetime (flows.workers).
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self, TypeVar

from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.futures import PrefectConcurrentFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Crashed
from prefect.task_runners import ProcessPoolTaskRunner
from prefect.tasks import Task

from flows.shard_tasks import STOP
from flows.workers import WorkInterrupted, interrupt_workers, open_worker
from schemas.errors import MachineError, RequestError

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State


C = TypeVar("C")


class PlannedWork(Protocol):
    """What the plan says of a shard."""

    @property
    def shard_id(self) -> str:
        """As in shard-00000."""


class Job(Protocol):
    """The work on one shard: a frozen model that crosses process borders."""

    @property
    def shard(self) -> PlannedWork:
        """The planned shard."""

    @property
    def attempt(self) -> int:
        """Counts from 1."""

    def model_copy(self, *, update: Mapping[str, Any]) -> Self:
        """Copy, some fields changed."""


J = TypeVar("J", bound=Job)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Rounds(Generic[J, R]):
    """How jobs are worked on.

    task: takes shard_id, job and marks, as in flows.shard_tasks. workers: processes. draws: they
    open a GL context. device: EGL device, None chooses. give_up: makes the outcome of a job whose
    worker died twice, or that raised. end: called in this process as each shard ends.
    """

    task: Task[Any, R]
    workers: int
    device: int | None
    give_up: Callable[[J, str], R]
    end: Callable[[R], None]
    draws: bool = True

    def work_on(self, jobs: Sequence[J]) -> list[R]:
        """Work on all jobs; must run inside a flow.

        Raises MachineError when workers die before they begin anything.
        """
        waiting, outcomes = list(jobs), list[R]()
        while waiting:
            done = self._run_round(waiting, min(self.workers, len(waiting)))
            if len(done.untouched) == len(waiting):
                raise _refuse_to_go_on(len(waiting))
            outcomes += done.outcomes
            outcomes += [self._try_alone(suspect) for suspect in done.suspects]
            waiting = done.untouched
        return outcomes

    def _try_alone(self, suspect: J) -> R:
        again = suspect.model_copy(update={"attempt": suspect.attempt + 1})
        outcomes = self._run_round([again], 1).outcomes
        if outcomes:
            return outcomes[0]
        outcome = self.give_up(again, "its worker process died twice while at work on it")
        self.end(outcome)
        return outcome

    def _run_round(self, jobs: Sequence[J], workers: int) -> "Round[J, R]":
        """Run jobs in one pool until all are done or the pool breaks."""
        result, broken = Round[J, R](), list[tuple[J, PrefectConcurrentFuture[R]]]()
        opened = (self.device, workers, self.draws)
        with _marks_folder() as marks, _pool(workers, opened, marks) as pool:
            for job, future in self._submit_all(pool, jobs, marks):
                outcome = self._outcome(job, future)
                if outcome is None:
                    broken.append((job, future))
                else:
                    result.outcomes.append(outcome)
                    self.end(outcome)
            begun = {path.name for path in marks.iterdir()}
        for job, future in sorted(broken, key=lambda pair: pair[0].shard.shard_id):
            if job.shard.shard_id in begun:
                _mark_crashed(future)
                result.suspects.append(job)
            else:
                result.untouched.append(job)
        return result

    def _outcome(self, job: J, future: PrefectConcurrentFuture[R]) -> R | None:
        """Return what became of an ended job; None when its pool broke."""
        try:
            return future.result()
        except BrokenProcessPool:
            return None
        except WorkInterrupted as error:
            raise KeyboardInterrupt from error
        except RequestError:
            raise
        except Exception as error:  # noqa: BLE001 - one shard fails alone, whatever it met
            return self.give_up(job, f"{type(error).__name__}: {error}")

    def _submit_all(
        self, pool: ProcessPoolTaskRunner, jobs: Sequence[J], marks: Path
    ) -> Iterator[tuple[J, PrefectConcurrentFuture[R]]]:
        """Submit every job, then yield each with its future as it ends, in whatever way."""
        ended: SimpleQueue[tuple[J, PrefectConcurrentFuture[R]]] = SimpleQueue()
        for job in jobs:
            parameters = {"shard_id": job.shard.shard_id, "job": job, "marks": str(marks)}
            future: PrefectConcurrentFuture[R] = pool.submit(self.task, parameters)

            def put(_: object, pair: tuple[J, PrefectConcurrentFuture[R]] = (job, future)) -> None:
                ended.put(pair)

            future.add_done_callback(put)
        for _ in jobs:
            yield ended.get()


@dataclass(slots=True)
class Round(Generic[J, R]):
    """What one pool did: outcomes, jobs under way when it broke, jobs that it never began."""

    outcomes: list[R] = field(default_factory=list)
    suspects: list[J] = field(default_factory=list)
    untouched: list[J] = field(default_factory=list)


@contextmanager
def _pool(
    workers: int, opened: tuple[int | None, int, bool], marks: Path
) -> Iterator[ProcessPoolTaskRunner]:
    """Open a pool whose workers report to this process's server.

    Without the address each worker would start a temporary server of its own. When the block is
    left by an error or Ctrl-C, workers stop at once and leave nothing half-written.
    """
    with get_client(sync_client=True) as client:
        address = str(client.api_url)
    with (
        temporary_settings({PREFECT_API_URL: address}),
        ProcessPoolTaskRunner(
            max_workers=workers, initializer=open_worker, initargs=opened
        ) as pool,
    ):
        try:
            yield pool
        except BaseException:
            (marks / STOP).touch()
            interrupt_workers()
            raise


@contextmanager
def _marks_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="scanmill-round-") as folder:
        yield Path(folder)


def _mark_crashed(future: PrefectConcurrentFuture[Any]) -> None:
    """Tell the server what the dead worker can't tell: its task run is over.

    One that died before it could say that it had begun is not known there.
    """
    crashed: State[None] = Crashed(message="The worker process died.")
    with get_client(sync_client=True) as client, suppress(PrefectHTTPStatusError):
        client.set_task_run_state(future.task_run_id, crashed, force=True)


def _refuse_to_go_on(count: int) -> MachineError:
    return MachineError(
        "the worker processes",
        found=f"they died before they began any of {count} shards",
        expected="processes that start and open a drawing device",
        hint="Run `scanmill doctor`; with little memory use fewer --workers.",
    )
