"""Processes of a pool that end with the process that owns it, however that one ends.

The queue of a pool never reports its owner's death: a worker would wait for its next job for ever.
"""

import multiprocessing
import multiprocessing.connection
import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from schemas.many_imports import end_imports


def spawned_pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of fresh interpreters (no fork), which end at once with this process."""
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin)


def _begin() -> None:
    end_imports()
    watch_owner()


def watch_owner(on_end: Callable[[], None] | None = None) -> None:
    """Call a function in a thread of its own when the process that spawned this one has ended.

    on_end: None ends this process. In a process that nobody spawned nothing is watched.
    """
    owner = multiprocessing.parent_process()
    if owner is None:
        return
    watch = threading.Thread(target=_wait, args=(owner.sentinel, on_end or _end), daemon=True)
    watch.start()


def _wait(sentinel: int, on_end: Callable[[], None]) -> None:
    multiprocessing.connection.wait([sentinel])
    on_end()


def _end() -> None:
    os._exit(1)
