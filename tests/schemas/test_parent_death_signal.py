"""Real processes: a parent that starts a child, and what becomes of the child."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from schemas.parent_death_signal import PARENT_VARIABLE

ROOT = Path(__file__).parents[2]
CHILD = """
import signal, time
from schemas.parent_death_signal import end_with_parent
end_with_parent(signal.{told})
print('at work', flush=True)
time.sleep(300)
"""
PARENT = """
import subprocess, sys
from schemas.parent_death_signal import become_parent
become_parent()
child = subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def start(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name != PARENT_VARIABLE}
    return subprocess.Popen(
        [sys.executable, "-c", *arguments], cwd=ROOT, env=kept | variables,
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("told", ["SIGTERM", "SIGKILL"])
def test_child_in_a_session_of_its_own_ends_with_its_killed_parent(told: str) -> None:
    with start(PARENT, CHILD.format(told=told)) as parent:
        assert parent.stdout is not None
        said = {parent.stdout.readline().strip() for _ in range(2)}
        assert "at work" in said
        (pid,) = said - {"at work"}
        child = psutil.Process(int(pid))
        parent.kill()
        child.wait(timeout=20)
    assert not child.is_running()


def test_child_whose_parent_is_gone_already_ends_at_once() -> None:
    nobody = {PARENT_VARIABLE: "1"}
    with start(CHILD.format(told="SIGTERM"), **nobody) as child:
        assert child.wait(20) == -signal.SIGTERM


def test_program_started_by_hand_has_no_parent_to_end_with() -> None:
    code = (
        "import signal; from schemas.parent_death_signal import end_with_parent; "
        "end_with_parent(signal.SIGKILL)"
    )
    with start(code) as child:
        assert child.wait(20) == 0
