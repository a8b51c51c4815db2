"""A worker process of the pools: what it opens when it starts, how it is interrupted, its end.

Invariant: Ctrl-C reaches a worker's work and nothing else of it. A KeyboardInterrupt that came
back through the pool would end the thread that manages the pool, and the run would hang.
"""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from renderers.session import open_session

GRACE_S = 10.0
"""How long a worker may clean up after its parent died, before it ends anyway."""
_LOOK_AGAIN_S = 0.05


class WorkInterrupted(Exception):  # noqa: N818 - nothing is wrong: it was asked for
    """The work of this process was interrupted from outside."""


@dataclass(slots=True)
class _Worker:
    at_work: bool = False


_WORKER = _Worker()

SOFTWARE_DRAWING_THREADS = "LP_NUM_THREADS"
"""Mesa's software renderer reads it when a context is opened; the pixels don't depend on it."""


def open_worker(device: int | None, workers: int, draws: bool) -> None:
    """Prepare this worker process: its GL context, for its lifetime, and a watch on its parent.

    workers: processes that share the machine's cores; software drawing takes its share of them.
    draws: whether the work needs a context at all.
    """
    share = max(1, (os.cpu_count() or 1) // workers)
    os.environ.setdefault(SOFTWARE_DRAWING_THREADS, str(share))
    signal.signal(signal.SIGINT, _interrupt_work)
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True)
        watch.start()
    if draws:
        open_session(device)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let SIGINT end this block, as WorkInterrupted; what the block opened is cleaned up."""
    _WORKER.at_work = True
    try:
        yield
    except KeyboardInterrupt as error:
        raise WorkInterrupted from error
    finally:
        _WORKER.at_work = False


def interrupt_workers() -> None:
    """Interrupt the work of this process's children, so that they clean up at once."""
    for child in multiprocessing.active_children():
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGINT)


def _interrupt_work(_signal: int, _frame: FrameType | None) -> None:
    if _WORKER.at_work:
        raise KeyboardInterrupt


def _end_with(parent_sentinel: int) -> None:
    """Wait for the parent's end, then end too: the pool's queue alone would never tell."""
    multiprocessing.connection.wait([parent_sentinel])
    os.kill(os.getpid(), signal.SIGINT)
    waited = threading.Event()
    for _ in range(round(GRACE_S / _LOOK_AGAIN_S)):
        if not _WORKER.at_work:
            break
        waited.wait(_LOOK_AGAIN_S)
    os._exit(1)
