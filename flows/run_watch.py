"""A run that is alive is shown as running: it takes back a mark that it had crashed.

An automation marks runs crashed whose heartbeats stopped. They stop too where a machine slept, a
process was stopped for a while, or the server was down: such a run asks the server now and then
what it is shown as, and sets that right.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from prefect.runtime import flow_run

from flows.server_api import ServerApi
from flows.temporary_server import lasting_server

SECONDS_BETWEEN_QUESTIONS = 10.0
CRASHED = "CRASHED"
ALIVE = "The run is alive: its heartbeats had not come through."


@contextmanager
def shown_as_running() -> Iterator[None]:
    """Keep the run of the block shown as running for as long as the block lasts.

    Only of a server that outlives the run.
    """
    address, run_id = lasting_server(), flow_run.id
    if not address or not run_id:
        yield
        return
    over = threading.Event()
    watch = threading.Thread(
        target=_watch, args=(ServerApi(address), str(run_id), over), daemon=True
    )
    watch.start()
    try:
        yield
    finally:
        over.set()


def _watch(api: ServerApi, run_id: str, over: threading.Event) -> None:
    while not over.wait(SECONDS_BETWEEN_QUESTIONS):
        with suppress(OSError, ValueError):  # one that does not answer has marked nothing
            if api.state_of(run_id) == CRASHED and not over.is_set():
                api.set_running(run_id, ALIVE)
