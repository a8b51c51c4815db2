"""A worker process of the pools: what it opens when it starts, and when it ends."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading

from renderers.session import open_session

GRACE_S = 10.0
"""How long a worker may clean up after its parent died, before it ends anyway."""


def open_worker(device: int | None) -> None:
    """Prepare this worker process: its GL context, for its lifetime, and a watch on its parent."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        watch = threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True)
        watch.start()
    open_session(device)


def interrupt_workers() -> None:
    """Interrupt the work of this process's children, so that they clean up at once."""
    for child in multiprocessing.active_children():
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGINT)


def _end_with(parent_sentinel: int) -> None:
    """Wait for the parent's end, then end too: the pool's queue alone would never tell."""
    multiprocessing.connection.wait([parent_sentinel])
    os.kill(os.getpid(), signal.SIGINT)
    threading.Event().wait(GRACE_S)
    os._exit(1)
