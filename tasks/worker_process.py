"""A worker process of a pool: what it opens when it starts, how it is interrupted, its end.

Invariant: Ctrl-C reaches a worker's job and nothing else of it. A KeyboardInterrupt that came
back through the pool would end the thread that manages the pool, and the run would hang.
"""

import multiprocessing
import multiprocessing.connection
import multiprocessing.process
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from types import FrameType
from urllib.parse import quote

from renderers.gpu_places import pin_device
from renderers.session import open_session
from schemas.atomic_files import storage_errors
from schemas.many_imports import end_imports, keep_pandas_out
from schemas.spawned_pool import watch_owner
from tasks.machine.kept_memory import keep_freed_memory
from tasks.machine.memory_limit import limit_memory
from tasks.machine.meter import Meter
from tasks.worker_beats import begin_job, start_beating

GRACE_S = 10.0
"""How long a worker may clean up after its parent died, before it ends anyway."""
_POLL_S = 0.05

STOP = "stop"
"""Name of the mark that makes workers begin nothing more."""

SOFTWARE_DRAWING_THREADS = "LP_NUM_THREADS"
"""Mesa's software renderer reads it when a context is opened; the pixels don't depend on it."""

BLAS_SPINNING = "OPENBLAS_THREAD_TIMEOUT"
"""OpenBLAS reads it when NumPy is imported: behind a product of large arrays its threads spin for
so many cycles, as a power of two; by default, 26, a tenth of a scan of a million triangles."""

_MIN_SPINNING = "4"


class WorkInterrupted(Exception):  # noqa: N818 - nothing is wrong: it was asked for
    """The job of this process was interrupted from outside."""


@dataclass(slots=True)
class _Worker:
    """This process. marks: folder shared with the pool's owner; None: no process of a pool."""

    marks: Path | None = None
    at_work: bool = False


_WORKER = _Worker()


def open_worker(marks: str, workers: int, draws: bool, device: int | None, memory: int = 0) -> None:
    """Prepare this worker process: what its jobs need, for its lifetime, and a watch on its parent.

    Parameters as open_for_jobs.
    """
    keep_pandas_out()
    signal.signal(signal.SIGINT, _interrupt_job)
    watch_owner(_end_after_job)
    open_for_jobs(marks, workers, draws, device, memory)


def open_for_jobs(
    marks: str, workers: int, draws: bool, device: int | None, memory: int = 0
) -> None:
    """Open what the jobs of this process need; call it in the thread that will run them.

    marks: folder in which it marks the jobs that it begins; "": nowhere. workers: processes that
    share the machine's cores; software drawing takes its share of them; 0: not known. draws: the
    jobs need a GL context. device: EGL device; None chooses, and workers that share marks take
    turns on several GPUs. memory: bytes that it may take for its jobs; 0: no limit.
    """
    end_imports()
    if marks:
        _WORKER.marks = Path(marks)
        start_beating(_WORKER.marks)
    if workers:
        share = max(1, (os.cpu_count() or 1) // workers)
        os.environ.setdefault(SOFTWARE_DRAWING_THREADS, str(share))
    if draws:
        keep_freed_memory()
        open_session(pin_device(device, Path(marks), workers) if marks else device)
    limit_memory(memory)


def let_blas_sleep() -> None:
    """Let threads of OpenBLAS sleep at once in processes that this one starts from now on."""
    os.environ.setdefault(BLAS_SPINNING, _MIN_SPINNING)


@contextmanager
def at_work(name: str, *, units: int = 1) -> Iterator[Meter]:
    """Do one job: mark that this process began it, and let SIGINT end the block.

    units: scans or videos that the job holds. Yields what measures the job.

    The mark holds this process's pid: when a worker dies, marks say which jobs were running.
    Outside of a pool's processes the block runs as it is. Raises WorkInterrupted when the pool
    is stopped before the job or during it; what the block opened is cleaned up.
    """
    if _WORKER.marks is None:
        yield Meter()
        return
    if (_WORKER.marks / STOP).exists():
        raise WorkInterrupted
    _WORKER.at_work = True
    try:
        mark = _WORKER.marks / mark_of(name)
        with storage_errors(mark):
            mark.write_text(str(os.getpid()), encoding="ascii")
        begin_job(name, units=units)
        yield Meter()
    except KeyboardInterrupt as error:
        raise WorkInterrupted from error
    finally:
        _WORKER.at_work = False
        begin_job("")


def mark_of(name: str) -> str:
    """Return the file name of a job's mark."""
    return quote(name, safe="")


def end_workers() -> None:
    """Interrupt the jobs of this process's children; kill what has not ended after a while.

    An interrupted job cleans up. A child that is stopped, or hangs in a driver, hears nothing.
    """
    children = [one for one in multiprocessing.active_children() if one.pid is not None]
    for child in children:
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGINT)
    watch = threading.Thread(target=_kill_later, args=(children,), daemon=True)
    watch.start()


def _kill_later(children: list[multiprocessing.process.BaseProcess]) -> None:
    deadline = monotonic() + GRACE_S
    for child in children:
        if not multiprocessing.connection.wait([child.sentinel], max(0.0, deadline - monotonic())):
            child.kill()


def _interrupt_job(_signal: int, _frame: FrameType | None) -> None:
    if _WORKER.at_work:
        raise KeyboardInterrupt


def _end_after_job() -> None:
    """Interrupt the job, let it clean up for a while, and end."""
    os.kill(os.getpid(), signal.SIGINT)
    waited = threading.Event()
    for _ in range(round(GRACE_S / _POLL_S)):
        if not _WORKER.at_work:
            break
        waited.wait(_POLL_S)
    os._exit(1)
