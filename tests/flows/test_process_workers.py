"""Worker processes of this machine: when one is replaced, when it is kept."""

import mmap
import os

import pytest

from flows.process_workers import ProcessWorkers
from flows.worker_pool import Returned
from schemas.size_limits import GIB
from schemas.work import Job
from schemas.worker_limits import WorkerLimits
from tasks.worker_process import at_work

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("prefect-server")]

LIMIT_GIB = 0.75
HELD: list[mmap.mmap] = []


class Hold(Job):
    """A job that leaves shared memory behind, as a driver may: no limit of the system counts it."""

    title: str
    gib: float

    @property
    def name(self) -> str:
        """The title."""
        return self.title


def hold(job: Hold) -> int:
    """Touch each page of what the job holds; returns the pid."""
    with at_work(job.name):
        if size := round(job.gib * GIB):
            HELD.append(mmap.mmap(-1, size))
            HELD[-1][:: mmap.PAGESIZE] = b"x" * len(range(0, size, mmap.PAGESIZE))
    return os.getpid()


def pids(*sizes_gib: float, limits: WorkerLimits) -> list[int]:
    """Run a job for each size, one after the other; returns who did them."""
    jobs = [Hold(title=f"job-{number}", gib=size) for number, size in enumerate(sizes_gib)]
    ended = [end for _, end in ProcessWorkers(1, limits=limits).run_round(jobs, hold)]
    assert all(isinstance(end, Returned) for end in ended), ended
    return [end.outcome for end in ended if isinstance(end, Returned)]


def test_worker_that_holds_too_much_is_replaced_and_no_other() -> None:
    first, second, third = pids(0, 1, 0, limits=WorkerLimits(worker_memory_gib=LIMIT_GIB))
    assert first == second != third


def test_worker_without_a_limit_is_kept() -> None:
    assert len(set(pids(0, 1, 0, limits=WorkerLimits(worker_memory_gib=0)))) == 1
