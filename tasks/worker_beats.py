"""Heartbeats of a worker: which scan it is at, since when, and how far its job is.

    <marks>/beats/<pid>.json   replaced every second by a thread, and when a scan begins

The pool's owner reads them: progress is shown by them, and a scan that takes too long is ended by
them, even where the worker itself can't move. Times are CLOCK_MONOTONIC, which all processes of a
machine share and which does not run while the machine sleeps.
"""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.machine.meter import look_at_gpus, resident

BEAT_S = 1.0
FOLDER = "beats"


class Beat(BaseModel):
    """One look at a worker.

    job: its name; empty between jobs. unit: the scan or video; empty while the job opens its
    inputs or commits. units: how many the job holds. since_s, stage: of the unit; since_s is
    infinite before the first one, when a job may wait for another run. rows, bytes: written for the
    job so far. resident: bytes of memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pid: int
    job: str
    unit: str
    units: int
    stage: str
    since_s: float
    beat_s: float
    rows: int
    bytes: int
    resident: int


@dataclass(slots=True)
class _Heart:
    """What this process is at. folder: None: no worker whose heartbeats anyone reads."""

    folder: Path | None = None
    job: str = ""
    unit: str = ""
    units: int = 1
    stage: Callable[[], str] = str
    since_s: float = inf
    rows: int = 0
    bytes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, job: str, units: int = 1) -> None:
        self.job, self.units, self.rows, self.bytes = job, units, 0, 0
        self.unit, self.stage, self.since_s = "", str, inf
        self.write()

    def turn_to(self, unit: str, stage: Callable[[], str] = str) -> None:
        self.unit, self.stage, self.since_s = unit, stage, monotonic()
        self.write()

    def write(self) -> None:
        """Replace the file; one that can't be written on a full disk is left out.

        It is not flushed to the disk as `schemas.atomic_files` does: nobody reads it after a crash.
        """
        if self.folder is None:
            return
        path = self.folder / f"{os.getpid()}.json"
        with self.lock, suppress(OSError):
            temporary = path.with_suffix(".new")
            temporary.write_text(json.dumps(self.look().model_dump()), encoding="utf-8")
            temporary.replace(path)

    def look(self) -> Beat:
        return Beat(
            pid=os.getpid(), job=self.job, unit=self.unit, units=self.units, stage=self.stage(),
            since_s=self.since_s, beat_s=monotonic(), rows=self.rows, bytes=self.bytes,
            resident=resident(),
        )  # fmt: skip


_HEART = _Heart()


def start_beating(marks: Path) -> None:
    """Let a thread of this process write its heartbeats below a folder, until the process ends."""
    is_first = _HEART.folder is None
    _HEART.folder = marks / FOLDER
    _HEART.folder.mkdir(exist_ok=True)
    if is_first:
        threading.Thread(target=_beat, daemon=True).start()


def begin_job(name: str, *, units: int = 1) -> None:
    """Say that a job begins; an empty name: that it has ended."""
    _HEART.begin(name, units)


@contextmanager
def at_unit(name: str, stage: Callable[[], str] = str) -> Iterator[None]:
    """Say that the block works on one scan or video of the job. stage: what it is doing now."""
    _HEART.turn_to(name, stage)
    try:
        yield
    finally:
        _HEART.turn_to("")


def count_row(size: int) -> None:
    """Say that the job wrote one more row of so many bytes."""
    _HEART.rows += 1
    _HEART.bytes += size


def read_beats(marks: Path) -> dict[str, Beat]:
    """Return the last heartbeat of each worker that is at a job, by the job's name."""
    found = {}
    for path in (marks / FOLDER).glob("*.json"):
        with suppress(OSError, ValidationError):
            beat = Beat.model_validate_json(path.read_bytes())
            if beat.job:
                found[beat.job] = beat
    return found


def _beat() -> None:
    over = threading.Event()
    while not over.wait(BEAT_S):
        look_at_gpus()
        _HEART.write()
