import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import MachineError
from tasks.dataset.lease import hold_lease

HOLDER = """
import sys, time
from pathlib import Path
from tasks.dataset.lease import hold_lease

with hold_lease(Path(sys.argv[1]), beat_s=0.1):
    print("held", flush=True)
    time.sleep(600)
"""


def beat_of(folder: Path) -> Path:
    return folder / ".lease.json"


def let_pass(folder: Path, seconds: float) -> None:
    """Make the last heartbeat older."""
    status = beat_of(folder).stat()
    os.utime(beat_of(folder), (status.st_atime, status.st_mtime - seconds))


def test_a_lease_is_gone_after_its_block(tmp_path: Path) -> None:
    with hold_lease(tmp_path):
        assert beat_of(tmp_path).exists()
    assert not beat_of(tmp_path).exists()


def test_a_lease_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), hold_lease(tmp_path):
        raise KeyError
    assert not beat_of(tmp_path).exists()


def test_a_second_holder_waits_and_is_told_who_holds_it(tmp_path: Path) -> None:
    with (
        hold_lease(tmp_path),
        pytest.raises(
            MachineError, match=f"process {os.getpid()} on .*expected the lease within 0.2"
        ),
        hold_lease(tmp_path, wait_s=0.2),
    ):
        pass


def test_after_three_missed_beats_a_lease_is_taken_over(tmp_path: Path) -> None:
    with hold_lease(tmp_path, beat_s=10):
        let_pass(tmp_path, 31)
        with hold_lease(tmp_path, wait_s=0) as second:
            second.check()


def test_two_missed_beats_are_not_enough(tmp_path: Path) -> None:
    with hold_lease(tmp_path, beat_s=10):
        let_pass(tmp_path, 29)
        with pytest.raises(MachineError, match="is alive"), hold_lease(tmp_path, wait_s=0):
            pass


def test_who_lost_a_lease_is_told_before_it_writes(tmp_path: Path) -> None:
    with hold_lease(tmp_path, beat_s=10) as first:
        let_pass(tmp_path, 31)
        with hold_lease(tmp_path), pytest.raises(MachineError, match="was taken over by process"):
            first.check()


def test_who_lost_a_lease_does_not_remove_the_new_holders(tmp_path: Path) -> None:
    first = hold_lease(tmp_path, beat_s=10)
    first.__enter__()
    let_pass(tmp_path, 31)
    with hold_lease(tmp_path) as second:
        first.__exit__(None, None, None)
        second.check()


def test_a_beat_renews_the_lease(tmp_path: Path) -> None:
    with hold_lease(tmp_path, beat_s=10) as lease:
        let_pass(tmp_path, 31)
        lease.beat()
        with pytest.raises(MachineError, match="is alive"), hold_lease(tmp_path, wait_s=0):
            pass


def test_a_lease_that_cannot_be_read_is_nobodys(tmp_path: Path) -> None:
    beat_of(tmp_path).write_text("{")
    with hold_lease(tmp_path, wait_s=0) as lease:
        lease.check()


def test_the_lease_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, signal.SIGKILL)
    with hold_lease(tmp_path, wait_s=10) as lease:
        lease.check()


def test_the_heart_of_a_living_process_keeps_its_lease(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MachineError, match="is alive"), hold_lease(tmp_path, wait_s=1):
            pass
        os.kill(holder.pid, signal.SIGKILL)
