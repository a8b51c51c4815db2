"""A Prefect server for this command alone, where its user has chosen none.

Prefect starts one too, but imports its whole server package into this process for that, and leaves
the server behind when this process is killed.
"""

import atexit
import os
import socket
import subprocess
import tempfile
from time import monotonic
from typing import IO, NamedTuple

import prefect.context
from prefect.settings import PREFECT_API_URL, Settings, get_current_settings

from flows.prefect_settings import API_URL, prefect_home
from flows.programs import LOOPBACK, end_program, last_line, start_program
from flows.server_api import ServerApi
from schemas.errors import MachineError

GRACE_S = 5.0
OF_A_TEMPORARY_SERVER = {
    "PREFECT_UI_ENABLED": "0",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
    "PREFECT_MEMOIZE_BLOCK_AUTO_REGISTRATION": "0",
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "0",
}
"""The first three as Prefect has them; we use no blocks, and to register them imports Dask."""


class TemporaryServer(NamedTuple):
    """A server that starts, or has started. log: what it says, which are errors only."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    address: str
    patience_s: float

    def wait(self) -> None:
        """Wait until it answers; raises MachineError when it does not."""
        deadline, api = monotonic() + self.patience_s, ServerApi(self.address)
        while self.process.poll() is None and monotonic() < deadline:
            try:
                return api.check_health()
            except (OSError, ValueError):
                continue
        has_ended = self.process.poll() is not None
        found = "it ended by itself" if has_ended else f"no answer within {self.patience_s:.0f} s"
        self.log.seek(0)
        said = last_line(self.log.read().decode(errors="replace"))
        raise MachineError(
            "the temporary Prefect server", found=f"{found} ({said})", expected="an answer",
            hint=f"Its database is in {prefect_home()}; set {API_URL} to use another server.",
        )  # fmt: skip


_ADDRESSES: set[str] = set()


def start_where_none_is_chosen() -> TemporaryServer | None:
    """Start a server in a process of its own, which ends with this one, and let Prefect use it.

    Returns at once: while the server starts, this process can import what it needs. None where a
    server is chosen, by the environment or a profile. Must be called in the main thread.
    """
    settings = get_current_settings()
    if settings.api.url or not settings.server.ephemeral.enabled:
        return None
    log = tempfile.TemporaryFile(dir=prefect_home())  # noqa: SIM115 - as long as the server
    with socket.create_server((LOOPBACK, 0)) as listener:
        address = f"http://{LOOPBACK}:{listener.getsockname()[1]}/api"
        chosen = settings.to_environment_variables(exclude_unset=True)
        process = start_program(
            "flows.server_program", [str(listener.fileno())],
            {**os.environ, **OF_A_TEMPORARY_SERVER, **chosen}, log, inherited=[listener.fileno()],
        )  # fmt: skip
    atexit.register(end_program, process, GRACE_S)
    _use(settings, address)
    patience_s = settings.server.ephemeral.startup_timeout_seconds
    return TemporaryServer(process, log, address, patience_s)


def lasting_server() -> str:
    """Return the address of the chosen server, which outlives this process; empty without one."""
    address = str(get_current_settings().api.url or "")
    return "" if address in _ADDRESSES else address


def _use(settings: Settings, address: str) -> None:
    """Let all threads of this process use a server."""
    _ADDRESSES.add(address)
    before = prefect.context.get_settings_context()
    prefect.context.GLOBAL_SETTINGS_CONTEXT = prefect.context.SettingsContext(
        profile=before.profile, settings=settings.copy_with_update({PREFECT_API_URL: address})
    )
