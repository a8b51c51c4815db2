"""A lease on a folder of a data set: one planner at a time, a dead one is replaced.

    plan/.lease.json   owner, host, process; its modification time is the last heartbeat
    plan/.lease.lock   locked for the microseconds in which the lease is read and changed

Both clocks are the file system's own, so that hosts with other clocks agree. What is written
under a lease must not trust it alone: plan segments are created, never replaced.
"""

import fcntl
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.atomic_files import storage_errors, write_atomically
from schemas.errors import MachineError

BEAT_S = 2.0
MISSED_BEATS = 3
"""A lease whose holder has missed so many beats is taken over. Source: docs/dataset-folder.md."""

WAIT_S = 120.0
_LOOK_AGAIN_S = 0.1
_LEASE_NAME, _LOCK_NAME = ".lease.json", ".lease.lock"


class LeaseRecord(BaseModel):
    """Who holds the lease, and how often it promises to beat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    host: str
    pid: int
    beat_s: float


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that is held, for the length of a hold_lease block."""

    folder: Path
    record: LeaseRecord

    def check(self) -> None:
        """Raise MachineError when another has taken the lease over meanwhile."""
        with _locked(self.folder):
            held = _read(self.folder)
        if held != self.record:
            raise MachineError(
                str(self.folder),
                found=f"the lease was taken over by {_describe(held)}",
                expected=f"a heartbeat every {self.record.beat_s:g} s from this process",
                hint="Run the command again; this machine stood still for too long.",
            )

    def beat(self) -> None:
        """Say that the holder is alive; does nothing when the lease is another's."""
        with _locked(self.folder):
            if _read(self.folder) == self.record:
                os.utime(self.folder / _LEASE_NAME)


@contextmanager
def hold_lease(folder: Path, *, beat_s: float = BEAT_S, wait_s: float = WAIT_S) -> Iterator[Lease]:
    """Hold the lease of a folder for the length of a block.

    Waits while another holds it; takes it over when three of the holder's beats are missed.
    Raises MachineError after wait_s seconds, naming the holder.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lease = Lease(folder, _new_record(beat_s))
    _acquire(lease, wait_s)
    try:
        with _beating(lease):
            yield lease
    finally:
        _release(lease)


@contextmanager
def _beating(lease: Lease) -> Iterator[None]:
    stop = threading.Event()

    def beat_until_stopped() -> None:
        while not stop.wait(lease.record.beat_s):
            lease.beat()

    heart = threading.Thread(target=beat_until_stopped, daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join()


def _acquire(lease: Lease, wait_s: float) -> None:
    deadline = monotonic() + wait_s
    while (holder := _try_to_take(lease)) is not None:
        if monotonic() > deadline:
            raise MachineError(
                str(lease.folder),
                found=f"planning is held by {_describe(holder)}, which is alive",
                expected=f"the lease within {wait_s:g} s",
                hint="Wait for the other run, or end it, and run the command again.",
            )
        threading.Event().wait(_LOOK_AGAIN_S)


def _try_to_take(lease: Lease) -> LeaseRecord | None:
    """Take the lease, or return who holds it."""
    path = lease.folder / _LEASE_NAME
    with _locked(lease.folder) as now_s:
        holder = _read(lease.folder)
        if holder is not None:
            silence_s = now_s - path.stat().st_mtime
            if silence_s <= MISSED_BEATS * holder.beat_s:
                return holder
        write_atomically(path, lease.record.model_dump_json())
    return None


def _release(lease: Lease) -> None:
    with _locked(lease.folder):
        if _read(lease.folder) == lease.record:
            (lease.folder / _LEASE_NAME).unlink()


@contextmanager
def _locked(folder: Path) -> Iterator[float]:
    """Hold the lock file; yields the time now by the file system's clock, in seconds."""
    path = folder / _LOCK_NAME
    with storage_errors(path), path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.utime(file.fileno())
        yield os.fstat(file.fileno()).st_mtime


def _read(folder: Path) -> LeaseRecord | None:
    """Read the lease; one that can't be read is nobody's."""
    try:
        return LeaseRecord.model_validate_json((folder / _LEASE_NAME).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _new_record(beat_s: float) -> LeaseRecord:
    return LeaseRecord(
        owner=uuid.uuid4().hex, host=socket.gethostname(), pid=os.getpid(), beat_s=beat_s
    )


def _describe(record: LeaseRecord | None) -> str:
    return f"process {record.pid} on {record.host}" if record else "nobody"
