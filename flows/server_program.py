"""Prefect's server for one command: `python -m flows.server_program DESCRIPTOR`.

DESCRIPTOR: of a socket that listens already, so that no port is chosen twice and nobody is turned
away while the server starts. Ends with the process that started it, whatever ends that.
"""

import signal
import socket
import sys
from importlib import import_module

import uvicorn

from schemas.many_imports import many_imports
from schemas.parent_death_signal import end_with_parent


def main() -> None:
    """Serve until a signal comes."""
    end_with_parent(signal.SIGKILL)
    listener = socket.socket(fileno=int(sys.argv[1]))
    with many_imports():
        app = import_module("prefect.server.api.server").create_app()
    uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on")).run(sockets=[listener])


if __name__ == "__main__":
    main()
