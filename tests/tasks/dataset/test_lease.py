import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.errors import MachineError
from schemas.local_store import LocalStore
from tasks.dataset.lease import (
    PLAN_LEASE,
    Lease,
    LeaseRecord,
    Watch,
    hold_lease,
    new_record,
    read_lease,
    try_lease,
)

HOLDER = """
import sys, time
from pathlib import Path
from schemas.local_store import LocalStore
from tasks.dataset.lease import hold_lease

with hold_lease(LocalStore(Path(sys.argv[1])), beat_s=0.1):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


def elsewhere(owner: str = "other", beats: int = 0) -> LeaseRecord:
    """Describe a holder on another host, which beats every 10 s."""
    return LeaseRecord(owner=owner, host="elsewhere", pid=1, beat_s=10, beats=beats)


def write(store: LocalStore, record: LeaseRecord) -> None:
    store.write(PLAN_LEASE, record.model_dump_json(), seen=store.stamp(PLAN_LEASE))


def look(store: LocalStore, watch: Watch, now_s: float) -> Lease | LeaseRecord:
    return try_lease(store, PLAN_LEASE, elsewhere("mine"), watch, now_s=now_s)


def test_a_lease_is_gone_after_its_block(store: LocalStore) -> None:
    with hold_lease(store):
        assert read_lease(store, PLAN_LEASE)[0] is not None
    assert read_lease(store, PLAN_LEASE) == (None, None)


def test_a_lease_is_given_back_after_an_error(store: LocalStore) -> None:
    with pytest.raises(KeyError), hold_lease(store):
        raise KeyError
    assert read_lease(store, PLAN_LEASE) == (None, None)


def test_a_second_holder_waits_and_is_told_who_holds_it(store: LocalStore) -> None:
    with (
        hold_lease(store),
        pytest.raises(
            MachineError, match=f"process {os.getpid()} on .*expected the lease within 0.2"
        ),
        hold_lease(store, wait_s=0.2),
    ):
        pass


@pytest.mark.parametrize(("silent_s", "is_taken"), [(29, False), (31, True)])
def test_after_three_missed_beats_a_lease_is_taken_over(
    store: LocalStore, silent_s: float, is_taken: bool
) -> None:
    write(store, elsewhere())
    watch = Watch()
    assert look(store, watch, 100) == elsewhere()
    assert isinstance(look(store, watch, 100 + silent_s), Lease) is is_taken


def test_a_beat_begins_the_watch_again(store: LocalStore) -> None:
    write(store, elsewhere())
    watch = Watch()
    look(store, watch, 100)
    write(store, elsewhere(beats=1))
    assert look(store, watch, 131) == elsewhere(beats=1)
    assert isinstance(look(store, watch, 162), Lease)


def test_an_owner_takes_its_own_lease_at_once(store: LocalStore) -> None:
    write(store, elsewhere("mine"))
    assert isinstance(look(store, Watch(), 0), Lease)


def test_who_lost_a_lease_is_told_before_it_writes(store: LocalStore) -> None:
    with hold_lease(store, beat_s=10) as first:
        write(store, elsewhere())
        with pytest.raises(MachineError, match="was taken over by process 1 on elsewhere"):
            first.check()


def test_who_lost_a_lease_does_not_remove_the_new_holders(store: LocalStore) -> None:
    with hold_lease(store, beat_s=10):
        write(store, elsewhere())
    assert read_lease(store, PLAN_LEASE)[0] == elsewhere()


def test_who_lost_a_lease_beats_no_more(store: LocalStore) -> None:
    with hold_lease(store, beat_s=10) as first:
        write(store, elsewhere())
        first.beat()
        assert read_lease(store, PLAN_LEASE)[0] == elsewhere()


def test_a_beat_renews_the_lease(store: LocalStore) -> None:
    with hold_lease(store, beat_s=10) as lease:
        before = lease.stamp
        lease.beat()
        assert store.stamp(PLAN_LEASE) == lease.stamp != before
        lease.check()


def test_a_lease_that_cannot_be_read_is_nobodys(store: LocalStore) -> None:
    store.write(PLAN_LEASE, "{", seen=None)
    with hold_lease(store, wait_s=0) as lease:
        lease.check()


def test_a_process_of_this_machine_that_lives_is_not_ended() -> None:
    assert not new_record(1).is_ended


def test_a_process_of_another_machine_is_never_known_to_have_ended() -> None:
    assert not elsewhere().is_ended


def test_the_lease_of_a_killed_process_is_taken_over_at_once(
    store: LocalStore, tmp_path: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        os.kill(holder.pid, signal.SIGKILL)
    with hold_lease(store, wait_s=0) as lease:
        lease.check()


def test_the_heart_of_a_living_process_keeps_its_lease(store: LocalStore, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(MachineError, match="is alive"), hold_lease(store, wait_s=1):
            pass
        os.kill(holder.pid, signal.SIGKILL)
