"""Workers that can be told to break: in this process, one job after the other, without Prefect."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from flows.worker_pool import NotStarted, Returned, TookTooLong, WorkerDied
from schemas.errors import ScanmillError
from schemas.work import Job

J = TypeVar("J", bound=Job)
R = TypeVar("R")


class Letter(Job):
    """A job that is known by a letter."""

    letter: str

    @property
    def name(self) -> str:
        """The letter."""
        return self.letter


class Word(Letter):
    """A job of several letters, which can go on without one of them. left_out: those."""

    left_out: str = ""

    def without(self, unit: str, error: ScanmillError, stage: str) -> "Word | None":
        """Leave a letter out."""
        del error, stage
        left_out = self.left_out + unit
        is_rest = bool(unit) and not set(self.letter) <= set(left_out)
        return self.model_copy(update={"left_out": left_out}) if is_rest else None


@dataclass
class BreakingWorkers:
    """Breaks when it comes to a job that kills.

    kills: how often each of these jobs kills its worker. together: jobs under way at a time, all
    of them suspected. rounds: the names of the jobs that each round was given. closed: rounds
    that were left early. at: the letter that a job's worker was at when it broke. hangs: letters
    that take too long.
    """

    kills: dict[str, int] = field(default_factory=dict)
    together: int = 1
    never_starts: bool = False
    rounds: list[str] = field(default_factory=list)
    closed: int = 0
    at: str = ""
    hangs: str = ""

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Run jobs in order, a few at a time, until one kills its worker."""
        self.rounds.append("".join(job.name for job in jobs))
        waiting = list(jobs)
        try:
            while waiting and not self.never_starts and not self._breaks(waiting):
                yield from ((job, _end(job, task)) for job in waiting[: self.together])
                del waiting[: self.together]
        except GeneratorExit:
            self.closed += 1
            raise
        for place, job in enumerate(waiting):
            began = place < self.together and not self.never_starts
            yield job, self._death() if began else NotStarted()

    def _death(self) -> WorkerDied:
        is_slow = bool(self.at) and self.at in self.hangs
        return TookTooLong(self.at, "read", 8) if is_slow else WorkerDied(self.at, "read")

    def _breaks(self, waiting: Sequence[J]) -> bool:
        names = [job.name for job in waiting[: self.together] if self.kills.get(job.name, 0)]
        for name in names:
            self.kills[name] -= 1
        return bool(names)


def _end(job: J, task: Callable[[J], R]) -> Returned[R] | Exception:
    try:
        return Returned(task(job))
    except Exception as error:  # noqa: BLE001 - what a job raises is its end
        return error
