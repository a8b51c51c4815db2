"""Prefect is local and quiet unless its user says otherwise, and has a folder that it can write."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flows.prefect_settings import API_URL, HOME, PROFILES, apply_prefect_defaults
from schemas.errors import MachineError
from tests.flows.conftest import SMALL, plain_environment
from tests.flows.live_server import ROOT

UNWRITABLE = "/proc/nowhere"
"""Nobody can make a folder there, root neither."""


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Replace the environment by a bare one with a home; returns it."""
    bare = {"HOME": str(tmp_path)}
    monkeypatch.setattr("os.environ", bare)
    return bare


def test_telemetry_is_off_by_default(environment: dict[str, str]) -> None:
    apply_prefect_defaults()
    assert environment["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"


def test_what_the_user_set_wins(environment: dict[str, str]) -> None:
    environment["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "7"
    apply_prefect_defaults()
    assert environment["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] == "7"


@pytest.mark.parametrize(("verbose", "quiet"), [(False, True), (True, False)])
def test_log_reaches_the_terminal_only_when_asked(
    environment: dict[str, str], *, verbose: bool, quiet: bool
) -> None:
    apply_prefect_defaults(verbose=verbose)
    assert ("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL" in environment) is quiet


def test_a_home_that_can_be_written_is_used(environment: dict[str, str], tmp_path: Path) -> None:
    apply_prefect_defaults()
    assert HOME not in environment
    assert (tmp_path / ".prefect").is_dir()


def test_a_home_that_cannot_be_written_is_replaced_by_a_private_temporary_one(
    environment: dict[str, str],
) -> None:
    environment["HOME"] = UNWRITABLE
    apply_prefect_defaults()
    assert stat.S_IMODE(Path(environment[HOME]).stat().st_mode) == 0o700


def test_profiles_of_a_home_that_cannot_be_written_are_kept(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = tmp_path / ".prefect/profiles.toml"
    profiles.parent.mkdir()
    profiles.touch()
    refused = OSError(30, "Read-only file system")
    monkeypatch.setattr("flows.prefect_settings._try_to_write", lambda _: refused)
    apply_prefect_defaults()
    assert environment[PROFILES] == str(profiles)


def test_a_given_folder_that_cannot_be_written_is_named(environment: dict[str, str]) -> None:
    environment[HOME] = UNWRITABLE
    with pytest.raises(MachineError, match=f"PREFECT_HOME: {UNWRITABLE}: No such file"):
        apply_prefect_defaults()


def test_without_any_folder_one_sentence_says_what_is_missing(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment["HOME"] = UNWRITABLE
    monkeypatch.setattr("tempfile.tempdir", UNWRITABLE)
    with pytest.raises(MachineError, match="database of a temporary Prefect server"):
        apply_prefect_defaults()


def test_with_a_server_no_folder_is_needed(environment: dict[str, str]) -> None:
    environment |= {HOME: UNWRITABLE, API_URL: "http://127.0.0.1:4200/api"}
    apply_prefect_defaults()
    assert environment[HOME] == UNWRITABLE


@pytest.mark.long
def test_command_runs_to_its_end_with_a_home_that_cannot_be_written(
    people: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    environment = {**plain_environment(tmp_path), "HOME": UNWRITABLE}
    del environment[HOME], environment["XDG_CACHE_HOME"]
    command = ("render", "--data", people, "--dataset", "RP", "--out", tmp_path / "out", *SMALL)
    done = subprocess.run(
        [sys.executable, "-m", "flows.cli", *map(str, command)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not any((tmp_path / "tmp").iterdir())
