"""Jobs worked on by workers that may die or hang: suspicion, one more try alone, giving up.

Each job whose worker died (killed for memory, crashed in a driver) is suspected: it is tried once
more, alone; what dies again is given up, what lives was innocent. A job that was stopped because
it took too long is not tried again. Where the worker's heartbeats name the scan at fault, only
that one is given up and the job goes on without it. So no scan is tried more than twice for these
reasons, and a job that kills its worker takes no other with it.

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
    """The job was running when its worker died. unit, stage: what it was at, where it is known."""

    def __init__(self, unit: str = "", stage: str = "") -> None:
        """Keep both."""
        super().__init__(unit)
        self.unit, self.stage = unit, stage


class TookTooLong(WorkerDied):
    """The job was stopped because its unit took more than so many seconds."""

    def __init__(self, unit: str, stage: str, limit_s: float) -> None:
        """Keep them."""
        super().__init__(unit, stage)
        self.limit_s = limit_s


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
            waiting = not_started
            for suspect, died in suspects:
                rest = self._try_again(suspect, died, task, end)
                waiting += [] if rest is None else [rest]
        return [outcomes[job.name] for job in jobs]

    def _try_again(
        self, suspect: J, died: WorkerDied, task: Callable[[J], R], on_end: Callable[[J, R], None]
    ) -> J | None:
        """Run a suspect alone; returns what is left to do of it without the unit at fault."""
        if isinstance(died, TookTooLong):
            return self._leave_out(suspect, died, _too_long(suspect, died), on_end)
        retry = suspect.model_copy(update={"attempt": suspect.attempt + 1})
        again, not_started = self._run_round([retry], task, on_end)
        for _, end in again:
            why = (
                _too_long(retry, end)
                if isinstance(end, TookTooLong)
                else _lost(end.unit or retry.name, "its worker process died twice")
            )
            return self._leave_out(retry, end, why, on_end)
        return next(iter(not_started), None)

    def _leave_out(
        self, job: J, died: WorkerDied, why: MachineError, on_end: Callable[[J, R], None]
    ) -> J | None:
        """Give up the unit at fault, or all of the job where none is named or none is left."""
        rest = job.without(died.unit, why, died.stage)
        if rest is None:
            on_end(job, self.give_up(job, why))
        return rest

    def _run_round(
        self, jobs: Sequence[J], task: Callable[[J], R], on_end: Callable[[J, R], None]
    ) -> tuple[list[tuple[J, WorkerDied]], list[J]]:
        """Run jobs once; returns those whose worker died, with its end, and those not begun."""
        suspects, not_started = list[tuple[J, WorkerDied]](), list[J]()
        with closing(self.workers.run_round(jobs, task)) as ends:
            for job, end in ends:
                match end:
                    case WorkerDied():
                        suspects.append((job, end))
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
                        lost = _lost(job.name, f"{type(end).__name__}: {end}")
                        lost.__cause__ = end
                        on_end(job, self.give_up(job, lost))
        return suspects, not_started


def _lost(thing: str, why: str) -> MachineError:
    return MachineError(
        thing, found=why, expected="a worker that lives to its end",
        hint="Run the command again; with little memory use fewer --workers.",
    )  # fmt: skip


def _too_long(job: Job, died: TookTooLong) -> MachineError:
    at = f" (the last stage was {died.stage})" if died.stage else ""
    return MachineError(
        died.unit or job.name, found=f"it took more than {died.limit_s:g} s{at}",
        expected="an end within the limit, else its worker process is stopped",
        hint="Allow more with --scan-seconds, or look at the files and the disk they are on.",
    )  # fmt: skip


def _no_worker_starts(count: int) -> MachineError:
    return MachineError(
        "the worker processes",
        found=f"they died before they began any of {count} jobs",
        expected="processes that start and open a drawing device",
        hint="Run `scanmill doctor`; with little memory use fewer --workers.",
    )
