"""Prefect's server for one command: `python -m flows.server_program DESCRIPTOR [TRIES]`.

DESCRIPTOR: of a socket that listens already, so that no port is chosen twice and nobody is turned
away while the server starts. Ends with the process that started it, whatever ends that. One that
can't start begins again: when two make the same database at once, one fails and finds it made then.
"""

import os
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from time import sleep

import uvicorn

from schemas.many_imports import many_imports
from schemas.parent_death_signal import end_with_parent

TRIES = 3
BETWEEN_S = 0.5


def main() -> None:
    """Serve until a signal comes; exits with 1 when it can't start."""
    end_with_parent(signal.SIGKILL)
    descriptor, tries = map(int, (*sys.argv[1:], str(TRIES))[:2])
    listener = socket.socket(fileno=os.dup(descriptor))
    with many_imports():
        app = import_module("prefect.server.api.server").create_app()
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    with suppress(SystemExit):  # so it says that it could not start
        server.run(sockets=[listener])
    if not server.started:
        _begin_again(descriptor, tries - 1)


def _begin_again(descriptor: int, tries: int) -> None:
    if tries == 0:
        sys.exit(1)
    sleep(BETWEEN_S)
    words = ("-m", "flows.server_program", str(descriptor), str(tries))
    os.execv(sys.executable, (sys.executable, *words))  # noqa: S606 - this program


if __name__ == "__main__":
    main()
