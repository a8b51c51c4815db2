"""How Prefect behaves here unless its user says otherwise: local, quiet, patient.

Must be applied before Prefect is imported: it reads its settings then. Only defaults: a variable
that the environment sets already is left as it is.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from schemas.errors import MachineError

PATIENCE_S = 120
"""A temporary server takes 8 to 11 s to start, more on a busy machine."""

DEFAULTS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(PATIENCE_S),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # seconds; prefect.yaml's automation counts on it
}

QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
"""The terminal shows our progress and summary; a server still receives every log line."""

HOME, API_URL, PROFILES = "PREFECT_HOME", "PREFECT_API_URL", "PREFECT_PROFILES_PATH"


def apply_prefect_defaults(*, verbose: bool = False) -> None:
    """Set what the environment does not set yet; verbose lets Prefect's log reach the terminal.

    Raises MachineError when no folder can be written in which a temporary server keeps its
    database: it would wait for that until its patience ends.
    """
    for name, value in (DEFAULTS if verbose else DEFAULTS | QUIET).items():
        os.environ.setdefault(name, value)
    if API_URL not in os.environ:
        _ensure_home()


def prefect_home() -> Path:
    """Return the folder in which Prefect keeps its database and profiles."""
    given = os.environ.get(HOME)
    return Path(given) if given else Path.home() / ".prefect"


def _ensure_home() -> None:
    """Give Prefect a temporary folder where ~/.prefect can't be written; raises MachineError."""
    given, home = os.environ.get(HOME), prefect_home()
    error = _try_to_write(home)
    if error is None:
        return
    if given:
        raise MachineError(
            HOME, found=f"{home}: {error.strerror}", expected="a folder that can be written",
            hint=f"Set {HOME} to another folder, or {API_URL} to a server.",
        ) from error  # fmt: skip
    try:
        temporary = tempfile.mkdtemp(prefix="scanmill-prefect-")
    except OSError as unwritable:
        raise MachineError(
            str(home), found=f"{error.strerror}, and no temporary folder: {unwritable.strerror}",
            expected="a folder that can be written, for the database of a temporary Prefect server",
            hint=f"Set {HOME} or TMPDIR to such a folder, or {API_URL} to a server.",
        ) from unwritable  # fmt: skip
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    os.environ[HOME] = temporary
    if (home / "profiles.toml").is_file():
        os.environ.setdefault(PROFILES, str(home / "profiles.toml"))


def _try_to_write(folder: Path) -> OSError | None:
    """Make the folder and a file in it; returns why that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error
