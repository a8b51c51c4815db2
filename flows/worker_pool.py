"""Jobs worked on by workers that may die: suspicion, one more try alone, giving up.

A worker that dies (killed for memory, crashed in a driver) breaks its whole pool. Each job that
was running then is suspected: it is tried once more, alone; what dies again is given up, what lives
was innocent. The rest goes on in fresh workers. So no job is tried more than twice for this reason,
and a job that kills its worker takes no other with it.

Knows neither Prefect nor processes: an implementation of `Workers` is one module, as
flows/prefect_workers.py (processes and threads) or flows/cluster_workers.py (Dask, Ray).
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from schemas.errors import MachineError, RequestError, ScanmillError
from schemas.work import Job
from tasks.worker_process import WorkInterrupted

J = TypeVar("J", bound=Job)
R = TypeVar("R")


class WorkerDied(Exception):  # noqa: N818 - the end of a job, not an error of ours
    """The job was running when the workers broke."""


class NotStarted(Exception):  # noqa: N818 - the end of a job, not an error of ours
    """The workers broke before the job began."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[R]):
    """The job ended with an outcome."""

    outcome: R


class Workers(Protocol):
    """Workers of one kind: how many there are, and what they open, is up to the implementation."""

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Start fresh workers and run the jobs until all ended or the workers broke.

        Yields each job once, as it ends: with its outcome, with what it raised, or with WorkerDied
        or NotStarted. When the generator is closed early, jobs that are running are interrupted
        and leave nothing half-written.
        """


@dataclass(frozen=True, slots=True)
class ResilientPool(Generic[J, R]):
    """Runs jobs to an outcome each. give_up: makes that of a job that could not end, or raises."""

    workers: Workers
    give_up: Callable[[J, ScanmillError], R]

    def run(
        self, jobs: Sequence[J], task: Callable[[J], R], on_end: Callable[[R], None]
    ) -> list[R]:
        """Run all jobs; returns their outcomes in the order of the jobs.

        on_end: called in this process as each job ends. A job that raises is given up. Raises
        RequestError of a job at once, MachineError when workers die before they begin anything,
        KeyboardInterrupt when a job was interrupted.
        """
        waiting, outcomes = list(jobs), dict[str, R]()

        def end(job: J, outcome: R) -> None:
            outcomes[job.name] = outcome
            on_end(outcome)

        while waiting:
            suspects, not_started = self._run_round(waiting, task, end)
            if len(not_started) == len(waiting):
                raise _no_worker_starts(len(waiting))
            for suspect in suspects:
                retry = suspect.model_copy(update={"attempt": suspect.attempt + 1})
                self._run_round([retry], task, end)
                if retry.name not in outcomes:
                    end(retry, self.give_up(retry, _lost(retry, "its worker process died twice")))
            waiting = not_started
        return [outcomes[job.name] for job in jobs]

    def _run_round(
        self, jobs: Sequence[J], task: Callable[[J], R], on_end: Callable[[J, R], None]
    ) -> tuple[list[J], list[J]]:
        """Run jobs once; returns those that were running when the workers broke, and the rest."""
        suspects, not_started = list[J](), list[J]()
        with closing(self.workers.run_round(jobs, task)) as ends:
            for job, end in ends:
                match end:
                    case WorkerDied():
                        suspects.append(job)
                    case NotStarted():
                        not_started.append(job)
                    case Returned(outcome):
                        on_end(job, outcome)
                    case WorkInterrupted():
                        raise KeyboardInterrupt from end
                    case RequestError():
                        raise end
                    case ScanmillError():
                        on_end(job, self.give_up(job, end))
                    case _:
                        lost = _lost(job, f"{type(end).__name__}: {end}")
                        lost.__cause__ = end
                        on_end(job, self.give_up(job, lost))
        return suspects, not_started


def _lost(job: Job, why: str) -> MachineError:
    return MachineError(
        job.name, found=why, expected="a worker that lives to its end",
        hint="Run the command again; with little memory use fewer --workers.",
    )  # fmt: skip


def _no_worker_starts(count: int) -> MachineError:
    return MachineError(
        "the worker processes",
        found=f"they died before they began any of {count} jobs",
        expected="processes that start and open a drawing device",
        hint="Run `scanmill doctor`; with little memory use fewer --workers.",
    )
