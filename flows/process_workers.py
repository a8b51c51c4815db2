"""Worker processes of this machine, each in a runner of its own: the end of one is no other's.

A process does one job after the other and keeps its GL context. It is replaced when it has died,
when it was stopped because a scan took too long, and when it has done its share of scans or holds
too much memory. Jobs are submitted as processes become free, so that a long run's memory is flat.
"""

import os
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Generic, TypeVar

from prefect.futures import PrefectConcurrentFuture
from prefect.task_runners import ProcessPoolTaskRunner
from prefect.tasks import Task

from flows.prefect_workers import end_of, mark_crashed, reporting_here
from flows.worker_pool import NotStarted, Returned, TookTooLong, WorkerDied
from schemas.work import Job
from schemas.worker_limits import WorkerLimits
from tasks.machine.memory_limit import memory_budget
from tasks.worker_beats import Beat, read_beats
from tasks.worker_process import STOP, end_workers, let_blas_sleep, mark_of, open_worker

J = TypeVar("J", bound=Job)
R = TypeVar("R")
LOOK_S = 0.5
"""Between two looks at the heartbeats."""

Beats = Mapping[str, Beat]


def _ignore(_beats: Beats) -> None:
    pass


@dataclass(frozen=True, slots=True)
class ProcessWorkers:
    """Processes of this machine.

    draws: each opens a GL context on device; None chooses one. on_beats: called with the heartbeats
    of all jobs that run, by the names of the jobs.
    """

    count: int
    draws: bool = False
    device: int | None = None
    limits: WorkerLimits = field(default_factory=WorkerLimits)
    on_beats: Callable[[Beats], None] = _ignore

    def run_round(
        self, jobs: Sequence[J], task: Callable[[J], R]
    ) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Run jobs in fresh processes; a job whose process died ends alone, the others go on."""
        with tempfile.TemporaryDirectory(prefix="scanmill-round-") as folder, reporting_here():
            work = task if isinstance(task, Task) else Task(task)
            turn: _Round[J, R] = _Round(self, Path(folder), work, min(self.count, len(jobs)))
            try:
                yield from turn.run(deque(jobs))
            except BaseException:
                (turn.marks / STOP).touch()
                raise
            finally:
                turn.close()


@dataclass(slots=True)
class _Process(Generic[J, R]):
    """One worker process, and the job that it was given last."""

    runner: ProcessPoolTaskRunner
    job: J
    future: PrefectConcurrentFuture[R]
    jobs_done: int = 0
    units_done: int = 0
    too_long: TookTooLong | None = None


@dataclass(slots=True)
class _Round(Generic[J, R]):
    """One round of jobs. places: processes that may run at a time. Owns: the processes."""

    workers: ProcessWorkers
    marks: Path
    task: Task[..., R]
    places: int
    busy: list[_Process[J, R]] = field(default_factory=list)
    idle: list[_Process[J, R]] = field(default_factory=list)
    ended: SimpleQueue[_Process[J, R]] = field(default_factory=SimpleQueue)

    def run(self, waiting: deque[J]) -> Generator[tuple[J, Returned[R] | Exception], None, None]:
        """Yield each job as it ends; those that no process could begin come last."""
        while True:
            while waiting and len(self.busy) < self.places:
                self._start(waiting.popleft())
            if not self.busy:
                break
            try:
                process = self.ended.get(timeout=LOOK_S)
            except Empty:
                self._look()
                continue
            self.busy.remove(process)
            end = self._take(process)
            if isinstance(end, NotStarted):
                waiting.appendleft(process.job)
            else:
                yield process.job, end
        for job in waiting:
            yield job, NotStarted()

    def close(self) -> None:
        """End all processes; those that work are interrupted, and killed when that is no use."""
        if self.busy:
            end_workers()
        while self.busy or self.idle:
            _close((self.busy or self.idle).pop())

    def _start(self, job: J) -> None:
        """Give a job to a process that is idle, or to a fresh one."""
        process = self.idle.pop() if self.idle else None
        runner = process.runner if process else self._open()
        future = runner.submit(self.task, {"job": job})
        if process is None:
            process = _Process(runner, job, future)
        process.job, process.future = job, future
        self.busy.append(process)
        future.add_done_callback(lambda _: self.ended.put(process))

    def _open(self) -> ProcessPoolTaskRunner:
        workers = self.workers
        memory = memory_budget(self.places, workers.limits.worker_memory_gib)
        opened = (str(self.marks), self.places, workers.draws, workers.device, memory)
        let_blas_sleep()
        return ProcessPoolTaskRunner(1, initializer=open_worker, initargs=opened).__enter__()

    def _take(self, process: _Process[J, R]) -> Returned[R] | Exception:
        """Say how a job ended, and keep its process, or replace it."""
        end = end_of(process.future)
        if isinstance(end, BrokenProcessPool):
            _close(process)
            return self._end_of_dead(process, read_beats(self.marks).get(process.job.name))
        process.jobs_done += 1
        process.units_done += process.job.units
        if self._is_worn(process):
            _close(process)
        else:
            self.idle.append(process)
        return end

    def _end_of_dead(self, process: _Process[J, R], beat: Beat | None) -> Exception:
        """Return the end of a job whose process died; one that never worked is not replaced."""
        if not (self.marks / mark_of(process.job.name)).exists():
            self.places -= process.jobs_done == 0
            return NotStarted()
        mark_crashed(process.future.task_run_id)
        if process.too_long is not None:
            return process.too_long
        return WorkerDied(beat.unit, beat.stage) if beat else WorkerDied()

    def _is_worn(self, process: _Process[J, R]) -> bool:
        limits = self.workers.limits
        if process.too_long is not None:  # it was stopped just as its job ended
            return True
        if limits.scans_per_worker is not None and process.units_done >= limits.scans_per_worker:
            return True
        budget = memory_budget(self.places, limits.worker_memory_gib)
        return 0 < budget < _resident(self.marks / mark_of(process.job.name))

    def _look(self) -> None:
        """Look at the heartbeats: show how far jobs are, stop what takes too long."""
        found = read_beats(self.marks)
        names = {process.job.name for process in self.busy}
        beats = {name: beat for name, beat in found.items() if name in names}
        self.workers.on_beats(beats)
        limit_s = self.workers.limits.scan_seconds
        for process in self.busy:
            beat = beats.get(process.job.name)
            if beat is None or limit_s is None or process.too_long is not None:
                continue
            units = 1 if beat.unit else beat.units  # opening and committing grow with them
            if monotonic() - beat.since_s > limit_s * units:
                process.too_long = TookTooLong(beat.unit, beat.stage, limit_s * units)
                with suppress(ProcessLookupError):
                    os.kill(beat.pid, signal.SIGKILL)


def _close(process: _Process[Any, Any]) -> None:
    process.runner.__exit__(None, None, None)


def _resident(mark: Path) -> int:
    """Return the bytes that are resident for the process that wrote a mark; 0 when it is gone."""
    with suppress(OSError, IndexError, ValueError):
        pages = Path("/proc", mark.read_text(encoding="ascii"), "statm").read_text(encoding="ascii")
        return int(pages.split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return 0
