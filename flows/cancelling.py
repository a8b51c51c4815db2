"""A flow run that was started from the command line ends when it is cancelled on Prefect's page.

A worker ends the runs that it started by itself; of a run in a terminal only its process knows, so
it asks the server now and then.
"""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from httpx import HTTPError
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run

from flows.artifacts import has_server
from flows.progress import say

SECONDS_BETWEEN_QUESTIONS = 5.0
STOPPED = frozenset({"CANCELLING", "CANCELLED"})
STARTED_BY_WORKER = "PREFECT__FLOW_RUN_ID"
"""Set where a worker started this process, and therefore ends it. Source: Prefect's runner."""


@contextmanager
def ending_when_cancelled() -> Iterator[None]:
    """Interrupt the block, as Ctrl-C would, when this run or the one around it is cancelled.

    Only in the main thread of a program that shows its run on a server.
    """
    names = {UUID(str(one)) for one in (flow_run.id, flow_run.root_flow_run_id) if one}
    is_main = threading.current_thread() is threading.main_thread()
    is_ours = is_main and STARTED_BY_WORKER not in os.environ
    if not (names and is_ours and has_server()):
        yield
        return
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(names, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(names: set[UUID], over: threading.Event) -> None:
    while not over.wait(SECONDS_BETWEEN_QUESTIONS):
        if any(_is_stopped(name) for name in names) and not over.is_set():
            say("cancelled: ending all processes of this run")
            os.kill(os.getpid(), signal.SIGINT)
            return


def _is_stopped(name: UUID) -> bool:
    """Ask the server; one that does not answer has not cancelled anything."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(name).state
    except (HTTPError, OSError, PrefectException):
        return False
    return state is not None and state.type.value in STOPPED
