"""Prefect is local and quiet unless its user says otherwise."""

import pytest

from flows.prefect_settings import DEFAULTS, QUIET, apply_prefect_defaults


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DEFAULTS | QUIET:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_telemetry_is_off_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environment)
    apply_prefect_defaults()
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"


def test_what_the_user_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "7"}
    monkeypatch.setattr("os.environ", environment)
    apply_prefect_defaults()
    assert environment["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "7"


@pytest.mark.parametrize(("verbose", "quiet"), [(False, True), (True, False)])
def test_log_reaches_the_terminal_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, *, verbose: bool, quiet: bool
) -> None:
    environment: dict[str, str] = {}
    monkeypatch.setattr("os.environ", environment)
    apply_prefect_defaults(verbose=verbose)
    assert ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL" in environment) is quiet
