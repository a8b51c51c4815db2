"""How Prefect behaves here unless its user says otherwise: local, quiet, patient.

Must be applied before Prefect is imported: it reads its settings then. Only defaults: whatever
stands in the environment wins.
"""

import os

PATIENCE_S = 120
"""A temporary server takes 8 to 11 s to start, more on a busy machine."""

DEFAULTS = {
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(PATIENCE_S),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
}

QUIET = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
"""The terminal shows our progress and summary; a server still receives every log line."""


def apply_prefect_defaults(*, verbose: bool = False) -> None:
    """Set what the environment does not set yet; verbose lets Prefect's log reach the terminal."""
    for name, value in (DEFAULTS if verbose else DEFAULTS | QUIET).items():
        os.environ.setdefault(name, value)
