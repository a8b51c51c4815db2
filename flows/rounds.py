"""Shards rendered in processes, in rounds: each round has a fresh pool of workers.

A worker that dies (killed for memory, crashed in a driver) breaks its whole pool. What was under
way then is suspected: each suspect is tried once more, alone; what dies again is given up, what
lives was innocent. The rest goes on in a fresh pool. So no shard is tried more than twice for
this reason, and a shard that kills its worker takes no other with it.

Owns: the pools. Workers open one GL context each, for their lifetime (flows.workers).
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.futures import PrefectConcurrentFuture
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Crashed
from prefect.task_runners import ProcessPoolTaskRunner

from flows.shard_tasks import STOP, render_shard_task
from flows.workers import WorkInterrupted, interrupt_workers, open_worker
from schemas.errors import MachineError, RequestError
from tasks.render_shard import ShardOutcome
from tasks.shard_work import ShardJob

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

ShardFuture = PrefectConcurrentFuture[ShardOutcome]
GiveUp = Callable[[ShardJob, str], ShardOutcome]


@dataclass(frozen=True, slots=True)
class Rounds:
    """How jobs are worked on.

    workers: processes. device: EGL device, None chooses. give_up: makes the outcome of a job whose
    worker died twice, or that raised. end: called in this process as each shard ends.
    """

    workers: int
    device: int | None
    give_up: GiveUp
    end: Callable[[ShardOutcome], None]

    def render(self, jobs: Sequence[ShardJob]) -> list[ShardOutcome]:
        """Render all jobs; must run inside a flow.

        Raises MachineError when workers die before they begin anything.
        """
        waiting, outcomes = list(jobs), list[ShardOutcome]()
        while waiting:
            done = self._run_round(waiting, min(self.workers, len(waiting)))
            if len(done.untouched) == len(waiting):
                raise _refuse_to_go_on(len(waiting))
            outcomes += done.outcomes
            outcomes += [self._try_alone(suspect) for suspect in done.suspects]
            waiting = done.untouched
        return outcomes

    def _try_alone(self, suspect: ShardJob) -> ShardOutcome:
        again = suspect.model_copy(update={"attempt": suspect.attempt + 1})
        outcomes = self._run_round([again], 1).outcomes
        if outcomes:
            return outcomes[0]
        outcome = self.give_up(again, "its worker process died twice while at work on it")
        self.end(outcome)
        return outcome

    def _run_round(self, jobs: Sequence[ShardJob], workers: int) -> "Round":
        """Run jobs in one pool until all are done or the pool breaks."""
        result, broken = Round(), list[tuple[ShardJob, ShardFuture]]()
        with _marks_folder() as marks, _pool(workers, self.device, marks) as pool:
            for job, future in _submit_all(pool, jobs, marks):
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

    def _outcome(self, job: ShardJob, future: ShardFuture) -> ShardOutcome | None:
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


@dataclass(slots=True)
class Round:
    """What one pool did: outcomes, jobs under way when it broke, jobs that it never began."""

    outcomes: list[ShardOutcome] = field(default_factory=list)
    suspects: list[ShardJob] = field(default_factory=list)
    untouched: list[ShardJob] = field(default_factory=list)


def _submit_all(
    pool: ProcessPoolTaskRunner, jobs: Sequence[ShardJob], marks: Path
) -> Iterator[tuple[ShardJob, ShardFuture]]:
    """Submit every job, then yield each with its future as it ends, in whatever way."""
    ended: SimpleQueue[tuple[ShardJob, ShardFuture]] = SimpleQueue()
    for job in jobs:
        parameters = {"shard_id": job.shard.shard_id, "job": job, "marks": str(marks)}
        future: ShardFuture = pool.submit(render_shard_task, parameters)

        def put(_: object, pair: tuple[ShardJob, ShardFuture] = (job, future)) -> None:
            ended.put(pair)

        future.add_done_callback(put)
    for _ in jobs:
        yield ended.get()


@contextmanager
def _pool(workers: int, device: int | None, marks: Path) -> Iterator[ProcessPoolTaskRunner]:
    """Open a pool whose workers report to this process's server.

    Without the address each worker would start a temporary server of its own. When the block is
    left by an error or Ctrl-C, workers stop at once and leave nothing half-written.
    """
    with get_client(sync_client=True) as client:
        address = str(client.api_url)
    with (
        temporary_settings({PREFECT_API_URL: address}),
        ProcessPoolTaskRunner(
            max_workers=workers, initializer=open_worker, initargs=(device, workers)
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


def _mark_crashed(future: ShardFuture) -> None:
    """Tell the server what the dead worker can't tell: its task run is over.

    One that died before it could say that it had begun is not known there.
    """
    crashed: State[None] = Crashed(message="The worker process died.")
    with get_client(sync_client=True) as client, suppress(PrefectHTTPStatusError):
        client.set_task_run_state(future.task_run_id, crashed, force=True)


def _refuse_to_go_on(count: int) -> MachineError:
    return MachineError(
        "the worker processes",
        met=f"they died before they began any of {count} shards",
        wanted="processes that start and open a drawing device",
        way_out="Run `scanmill doctor`; with little memory use fewer --workers.",
    )
