"""How jobs are handed out: no more in flight than a few for each worker, and each once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from prefect.futures import PrefectConcurrentFuture
from prefect.task_runners import TaskRunner
from prefect.tasks import Task

from flows.prefect_workers import JOBS_AHEAD, MIN_IN_FLIGHT, submit_all
from tests.flows.breaking_workers import Letter


def work(job: Letter) -> str:
    return job.letter


@dataclass
class Threads(TaskRunner[PrefectConcurrentFuture[str]]):
    """Runs what is submitted in two threads, and counts what is submitted and not yet done."""

    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2))
    lock: threading.Lock = field(default_factory=threading.Lock)
    in_flight: int = 0
    most: int = 0

    def submit(  # type: ignore[override]  # tasks here depend on no others
        self, task: Task[..., str], parameters: dict[str, object]
    ) -> PrefectConcurrentFuture[str]:
        """Count one more."""
        with self.lock:
            self.in_flight += 1
            self.most = max(self.most, self.in_flight)
        return PrefectConcurrentFuture(uuid4(), self.pool.submit(self.run, task, parameters))

    def run(self, task: Task[..., str], parameters: dict[str, object]) -> str:
        """Do one, and count it off."""
        ended = task.fn(**parameters)
        with self.lock:
            self.in_flight -= 1
        return ended

    def duplicate(self) -> "Threads":
        """Make others, with a count of their own."""
        return Threads()


@pytest.mark.parametrize(("workers", "most"), [(1, MIN_IN_FLIGHT), (40, 40 * JOBS_AHEAD)])
def test_few_jobs_are_in_flight_and_each_ends_once(workers: int, most: int) -> None:
    runner, jobs = Threads(), [Letter(letter=str(number)) for number in range(1000)]
    ended = [job for job, _ in submit_all(runner, iter(jobs), work, workers=workers)]
    assert sorted(map(work, ended)) == sorted(map(work, jobs))
    assert runner.most <= most


def test_no_job_is_drawn_before_there_is_room_for_it() -> None:
    drawn: list[int] = []

    def draw() -> Iterator[Letter]:
        for number in range(1000):
            drawn.append(number)
            yield Letter(letter=str(number))

    taken = submit_all(Threads(), draw(), work, workers=1)
    for _ in range(10):
        next(taken)
    assert len(drawn) == MIN_IN_FLIGHT + 10


def test_who_empties_the_jobs_gets_what_is_in_flight_and_no_more() -> None:
    waiting = iter([Letter(letter=str(number)) for number in range(1000)])
    ended, rest = 0, list[Letter]()
    for _ in submit_all(Threads(), waiting, work, workers=1):
        ended += 1
        rest += waiting
    assert ended == MIN_IN_FLIGHT + 1
    assert ended + len(rest) == 1000
