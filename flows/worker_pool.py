"""Jobs worked on by workers that may die: suspicion, one more try alone, giving up.

A worker that dies (killed for memory, crashed in a driver) breaks its whole pool. The jobs under
way then are suspected: each is tried once more, alone; what dies again is given up, what lives was
innocent. The rest goes on in fresh workers. So no job is tried more than twice for this reason,
and a job that kills its worker takes no other with it.

Knows neither Prefect nor processes: an implementation of `Workers` is one module, as
flows/prefect_workers.py (processes and threads). Dask would be four files: its module, its row of
WORKERS in flows/run_jobs.py (the parameters of the flow run hold the option), the option in
schemas/requests.py, and the dependency.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from schemas.errors import MachineError, RequestError, ScanmillError
from schemas.work import Job
from tasks.worker_process import WorkInterrupted

J = TypeVar("J", bound=Job)
R = TypeVar("R")

DIED_TWICE = "its worker process died twice while at work on it"


@dataclass(frozen=True, slots=True)
class Returned(Generic[R]):
    """The job ended with an outcome."""

    outcome: R


@dataclass(frozen=True, slots=True)
class Raised:
    """The job ended with an exception; its worker lives."""

    error: Exception


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """The job was under way when the workers broke."""


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The workers broke before the job began."""


JobEnd = Returned[R] | Raised | WorkerDied | NotStarted


class Workers(Protocol):
    """Workers of one kind: how many there are, and what they open, is up to the implementation."""

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, JobEnd[R]], None, None]:
        """Start fresh workers and run the jobs until all ended or the workers broke.

        Yields each job once, as it ends. When the generator is closed early, jobs under way are
        interrupted and leave nothing half-written.
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
        while waiting:
            done = self._run_round(waiting, task, on_end)
            if len(done.not_started) == len(waiting):
                raise _no_worker_starts(len(waiting))
            outcomes |= done.outcomes
            for suspect in done.suspects:
                outcomes[suspect.name] = self._retry_alone(suspect, task, on_end)
            waiting = done.not_started
        return [outcomes[job.name] for job in jobs]

    def _retry_alone(self, suspect: J, task: Callable[[J], R], on_end: Callable[[R], None]) -> R:
        retry = suspect.model_copy(update={"attempt": suspect.attempt + 1})
        done = self._run_round([retry], task, on_end)
        if retry.name not in done.outcomes:
            outcome = self.give_up(retry, _lost(retry, DIED_TWICE))
            on_end(outcome)
            return outcome
        return done.outcomes[retry.name]

    def _run_round(
        self, jobs: Sequence[J], task: Callable[[J], R], on_end: Callable[[R], None]
    ) -> "_Round[J, R]":
        done = _Round[J, R]()
        with closing(self.workers.run_round(jobs, task)) as ends:
            for job, end in ends:
                match end:
                    case WorkerDied():
                        done.suspects.append(job)
                    case NotStarted():
                        done.not_started.append(job)
                    case _:
                        outcome = done.outcomes[job.name] = self._outcome(job, end)
                        on_end(outcome)
        return done

    def _outcome(self, job: J, end: Returned[R] | Raised) -> R:
        match end:
            case Returned(outcome):
                return outcome
            case Raised(WorkInterrupted() as error):
                raise KeyboardInterrupt from error
            case Raised(RequestError() as error):
                raise error
            case Raised(ScanmillError() as error):
                return self.give_up(job, error)
            case Raised(error):
                return self.give_up(job, _lost(job, f"{type(error).__name__}: {error}", error))


@dataclass(slots=True)
class _Round(Generic[J, R]):
    """What one set of workers did. outcomes: by names of jobs."""

    outcomes: dict[str, R] = field(default_factory=dict)
    suspects: list[J] = field(default_factory=list)
    not_started: list[J] = field(default_factory=list)


def _lost(job: Job, why: str, cause: Exception | None = None) -> MachineError:
    error = MachineError(
        job.name, found=why, expected="a worker that lives to its end",
        hint="Run the command again; with little memory use fewer --workers.",
    )  # fmt: skip
    error.__cause__ = cause
    return error


def _no_worker_starts(count: int) -> MachineError:
    return MachineError(
        "the worker processes",
        found=f"they died before they began any of {count} jobs",
        expected="processes that start and open a drawing device",
        hint="Run `scanmill doctor`; with little memory use fewer --workers.",
    )
