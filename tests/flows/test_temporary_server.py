"""A command without a server has one of its own, which ends with it however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest

from flows.server_api import ServerApi
from tests.flows.conftest import plain_environment
from tests.flows.live_server import PATIENCE_S, ROOT

START = """
import sys
from flows.prefect_settings import apply_prefect_defaults
from flows.temporary_server import lasting_server, start_where_none_is_chosen
from prefect.client.orchestration import get_client
apply_prefect_defaults()
server = start_where_none_is_chosen()
server.wait()
client = get_client(sync_client=True)
print(server.process.pid, server.address, client.api_url, repr(lasting_server()), flush=True)
sys.stdin.read()
"""
CHOOSE = """
from flows.temporary_server import lasting_server, start_where_none_is_chosen
print(start_where_none_is_chosen(), lasting_server())
"""


@contextmanager
def command_with_server(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that starts a server and says its pid and addresses."""
    process = subprocess.Popen(
        [sys.executable, "-c", START], cwd=ROOT, env=plain_environment(folder), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def said_by(process: subprocess.Popen[str]) -> list[str]:
    """Return the words of the next line."""
    assert process.stdout is not None
    return process.stdout.readline().split()


def test_server_of_a_killed_command_ends_and_leaves_nothing(tmp_path: Path) -> None:
    with command_with_server(tmp_path) as command:
        pid, address, used, lasting = said_by(command)
        assert (used.rstrip("/"), lasting) == (address, "''")
        ServerApi(address).check_health()
        assert b"flows.server_program" in Path("/proc", pid, "cmdline").read_bytes()
        os.kill(command.pid, signal.SIGKILL)
        assert ends(int(pid))
    assert not any((tmp_path / "tmp").iterdir())


@pytest.mark.long
def test_server_ends_with_a_command_that_ends_by_itself(tmp_path: Path) -> None:
    with command_with_server(tmp_path) as command:
        pid = said_by(command)[0]
        command.communicate(timeout=PATIENCE_S)
        assert command.returncode == 0
        assert not Path("/proc", pid).exists()


@pytest.mark.long
def test_commands_that_make_the_database_at_once_all_have_a_server(tmp_path: Path) -> None:
    with ExitStack() as commands:
        started = [commands.enter_context(command_with_server(tmp_path)) for _ in range(3)]
        assert len({said_by(command)[1] for command in started}) == len(started)


def test_server_that_a_profile_chooses_is_used(tmp_path: Path) -> None:
    profiles = tmp_path / "prefect" / "profiles.toml"
    profiles.parent.mkdir()
    profiles.write_text(
        'active = "ours"\n[profiles.ours]\nPREFECT_API_URL = "http://127.0.0.1:4299/api"\n'
    )
    done = run_python(CHOOSE, plain_environment(tmp_path))
    assert done.stdout.split() == ["None", "http://127.0.0.1:4299/api"]


@pytest.mark.long
def test_server_that_cannot_start_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "prefect" / "prefect.db").mkdir(parents=True)
    done = run_python(START, plain_environment(tmp_path))
    assert "the temporary Prefect server: it ended by itself (" in done.stderr
    assert done.stdout == ""


def run_python(program: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True,
        text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip


def ends(pid: int) -> bool:
    """Return whether a process is gone soon."""
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        if not Path("/proc", str(pid)).exists():
            return True
        sleep(0.05)
    return False
