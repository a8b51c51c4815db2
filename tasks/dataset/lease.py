"""Leases: one holder at a time of something in a data set, and a dead holder is replaced.

    plan/.lease.json                   who is planning
    claims/samples/shard-00000.json    who is making a shard

The holder writes its record again at every beat. Whoever waits takes the lease over when the
record has not changed for three beats, measured by its own steady clock: no two clocks are
compared, so none can be wrong. On the holder's own machine a process that has ended is known at
once. What is written under a lease must not trust it alone: plan segments are created, never
replaced, and a commit says what it saw before (`tasks.dataset.commit`).
"""

import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.dataset_store import ConflictError, DatasetStore, Stamp
from schemas.errors import MachineError
from schemas.work import repeating

BEAT_S = 2.0
MISSED_BEATS = 3
"""A lease whose holder has missed so many beats is taken over. Source: docs/dataset-folder.md."""

WAIT_S = 120.0
PLAN_LEASE = "plan/.lease.json"
_LOOK_AGAIN_S = 0.1
_STAT_STARTED, _ENDED = 19, {"Z", "X"}
"""Behind the command's name in /proc/PID/stat: place of the start time; states of a process that
has ended and waits for its parent. Source: proc_pid_stat(5)."""


class LeaseRecord(BaseModel):
    """Who holds a lease, and how often it promises to beat.

    process: machine, process namespace and start of the process, so that another process of its
    machine knows whether it has ended; empty where that can't be known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: str
    host: str
    pid: int
    beat_s: float
    process: str = ""
    beats: int = 0

    @property
    def is_ended(self) -> bool:
        """Whether the holder was a process of this machine, and has ended."""
        place, _, started = self.process.rpartition(":")
        return bool(place) and place == _machine() and started != _start_of(self.pid)

    @property
    def is_here(self) -> bool:
        """Whether the holder is, or was, a process of this machine."""
        place, _, _ = self.process.rpartition(":")
        return bool(place) and place == _machine()

    def __str__(self) -> str:
        """Name the holder for people."""
        return f"process {self.pid} on {self.host}"


@dataclass(slots=True)
class Lease:
    """A lease that is held, for the length of a hold_lease block."""

    store: DatasetStore
    name: str
    record: LeaseRecord
    stamp: Stamp
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def check(self) -> None:
        """Raise MachineError when another has taken the lease over meanwhile."""
        with self._changing:
            if self.store.stamp(self.name) == self.stamp:
                return
        held, _ = read_lease(self.store, self.name)
        raise MachineError(
            self.store.where(self.name),
            found=f"the lease was taken over by {held or 'nobody'}",
            expected=f"a heartbeat every {self.record.beat_s:g} s from this process",
            hint="Run the command again; this machine stood still for too long.",
        )

    def beat(self) -> None:
        """Say that the holder is alive; does nothing when the lease is another's."""
        with self._changing, suppress(OSError, MachineError):  # the next beat may be heard
            record = self.record.model_copy(update={"beats": self.record.beats + 1})
            text = record.model_dump_json()
            self.stamp = self.store.write(self.name, text, seen=self.stamp)
            self.record = record

    def release(self) -> None:
        """Give the lease back; does nothing when it is another's."""
        with self._changing, suppress(OSError, MachineError):
            self.store.remove(self.name, seen=self.stamp)


@dataclass(slots=True)
class Watch:
    """For how long a lease has not changed, by this process's own steady clock."""

    _stamp: Stamp | None = None
    _since_s: float = 0.0

    def is_silent(self, holder: LeaseRecord, stamp: Stamp | None, now_s: float) -> bool:
        """Note a look at the lease; returns whether the holder has missed its beats."""
        if stamp != self._stamp:
            self._stamp, self._since_s = stamp, now_s
        return now_s - self._since_s > MISSED_BEATS * holder.beat_s


@contextmanager
def hold_lease(
    store: DatasetStore, name: str = PLAN_LEASE, *, beat_s: float = BEAT_S, wait_s: float = WAIT_S
) -> Iterator[Lease]:
    """Hold a lease for the length of a block.

    Waits while another holds it; takes it over when its holder has ended, or missed three beats.
    Raises MachineError after wait_s seconds, naming the holder.
    """
    lease = wait_for_lease(store, name, new_record(beat_s), wait_s=wait_s)
    with beating(lease):
        yield lease


@contextmanager
def beating(lease: Lease) -> Iterator[None]:
    """Beat in a thread for the length of a block, and give the lease back at its end."""
    try:
        with repeating(lease.beat, every_s=lease.record.beat_s):
            yield
    finally:
        lease.release()


def wait_for_lease(
    store: DatasetStore, name: str, record: LeaseRecord, *, wait_s: float | None
) -> Lease:
    """Take a lease as soon as that can be; wait_s None: waits for as long as its holder lives."""
    began_s, watch = monotonic(), Watch()
    while True:
        taken = try_lease(store, name, record, watch, now_s=monotonic())
        if isinstance(taken, Lease):
            return taken
        if wait_s is not None and monotonic() - began_s > wait_s:
            raise MachineError(
                store.where(name),
                found=f"it is held by {taken}, which is alive",
                expected=f"the lease within {wait_s:g} s",
                hint="Wait for the other run, or end it, and run the command again.",
            )
        threading.Event().wait(_LOOK_AGAIN_S)


def try_lease(
    store: DatasetStore, name: str, record: LeaseRecord, watch: Watch, *, now_s: float
) -> Lease | LeaseRecord:
    """Take a lease, or return who holds it. now_s: of a steady clock."""
    holder, stamp = read_lease(store, name)
    is_free = holder is None or holder.owner == record.owner or holder.is_ended
    if holder is not None and not is_free and not watch.is_silent(holder, stamp, now_s):
        return holder
    try:
        return Lease(store, name, record, store.write(name, record.model_dump_json(), seen=stamp))
    except ConflictError:  # another was faster; who it is, the next look says
        return holder or record


def read_lease(store: DatasetStore, name: str) -> tuple[LeaseRecord | None, Stamp | None]:
    """Read a lease and its stamp; one that can't be read is nobody's."""
    stamp = store.stamp(name)
    if stamp is None:
        return None, None
    try:
        return LeaseRecord.model_validate_json(store.read(name)), stamp
    except (FileNotFoundError, ValidationError):
        return None, stamp


def new_record(beat_s: float, owner: str = "") -> LeaseRecord:
    """Describe this process as a holder; owner: by default this one lease's alone."""
    machine, started = _machine(), _start_of(os.getpid())
    return LeaseRecord(
        owner=owner or uuid.uuid4().hex, host=socket.gethostname(), pid=os.getpid(),
        beat_s=beat_s, process=f"{machine}:{started}" if machine and started else "",
    )  # fmt: skip


def _machine() -> str:
    """Name host, running system and process namespace; empty where there is no such thing."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}:{boot}:{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _start_of(pid: int) -> str:
    """Say when a process of this machine began, in clock ticks; empty when it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in _ENDED else fields[_STAT_STARTED]
