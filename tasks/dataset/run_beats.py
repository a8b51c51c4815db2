"""Heartbeats of runs: a run that is going on says so, and one whose process died is marked crashed.

    runs/<run>.running   who runs what; written again at every beat, gone when the run has ended

The next run on the data set marks what died as crashed: at once where its process was one of this
machine's, and elsewhere when its file has not changed for SILENT_S between two looks. A run that
was only asleep writes its file again when it wakes, and its own record replaces the mark.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.atomic_files import write_atomically
from schemas.cache_folder import cache_folder
from schemas.dataset_folder import DatasetFolder
from schemas.dataset_reader import RUNS_FOLDER
from schemas.dataset_store import WHATEVER, DatasetStore
from schemas.errors import MachineError
from schemas.manifest import RunRecord, utc_now
from schemas.work import repeating
from tasks.dataset.lease import LeaseRecord
from tasks.dataset.run_records import write_run

RUN_BEAT_S = 15.0
SILENT_S = 600.0
"""A run on another machine that has not beaten for so long is taken for dead."""

RUNNING = ".running"


class RunBeat(BaseModel):
    """A run that is going on. flow_run, server: where Prefect shows it; empty: nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str = Field(min_length=1, description="its token")
    command: str
    started: str = Field(description="UTC, ISO 8601")
    beat: str = Field(description="UTC, ISO 8601, by the clock of its machine")
    holder: LeaseRecord
    workers: int
    roots: dict[str, str] = Field(default_factory=dict)
    flow_run: str = ""
    server: str = ""

    def crashed(self) -> RunRecord:
        """Return the record of a run that died."""
        return RunRecord(
            run=self.run, state="crashed", command=self.command, started=self.started,
            ended=utc_now(), seconds=0, workers=self.workers, host=self.holder.host,
            roots=self.roots, shards={}, samples=0, failures=0,
        )  # fmt: skip


@contextmanager
def beating_run(store: DatasetStore, first: str, *, every_s: float = RUN_BEAT_S) -> Iterator[None]:
    """Beat for the length of a block; a beat that can't be written is left out.

    first: a RunBeat as JSON.
    """
    beat = RunBeat.model_validate_json(first)
    name = _name_of(beat.run)

    def write() -> None:
        now = beat.model_copy(update={"beat": utc_now()})
        with suppress(OSError, MachineError):
            store.write(name, now.model_dump_json(), seen=WHATEVER)

    write()
    try:
        with repeating(write, every_s=every_s):
            yield
    finally:
        with suppress(OSError, MachineError):
            store.remove(name, seen=WHATEVER)


def read_run_beats(folder: DatasetFolder) -> tuple[RunBeat, ...]:
    """Read who says to be running, by the times of their starts."""
    found = []
    for name in folder.store.list_names(RUNS_FOLDER):
        if name.endswith(RUNNING) and not name.startswith("."):
            with suppress(OSError, ValidationError):
                text = folder.store.read(f"{RUNS_FOLDER}/{name}")
                found.append(RunBeat.model_validate_json(text))
    return tuple(sorted(found, key=lambda one: one.started))


def mark_crashed_runs(folder: DatasetFolder, *, now_s: float | None = None) -> tuple[RunBeat, ...]:
    """Put runs that died on record as crashed; returns them. Healthy ones stay as they are.

    now_s: seconds by this machine's clock; None: now.
    """
    beats = read_run_beats(folder)
    silent = _find_silent(
        folder,
        [one for one in beats if not one.holder.is_ended],
        time.time() if now_s is None else now_s,
    )
    dead = tuple(one for one in beats if one.holder.is_ended or one.run in silent)
    for one in dead:
        with suppress(OSError, MachineError):  # the next run tries again
            write_run(folder, one.crashed())
            folder.store.remove(_name_of(one.run), seen=WHATEVER)
    return dead


def _find_silent(folder: DatasetFolder, beats: list[RunBeat], now_s: float) -> set[str]:
    """Return the runs of other machines that have not changed since an earlier look.

    Looks are remembered in this user's cache, with the time of this machine alone: no two clocks
    are compared. A process of this machine that exists is alive, be it stopped.
    """
    elsewhere = [one for one in beats if not one.holder.is_here]
    path = _memory_of(folder)
    if not elsewhere and not path.exists():
        return set()
    known, seen = _read_looks(path), dict[str, tuple[str, float]]()
    for one in elsewhere:
        before = known.get(one.run)
        same = before is not None and before[0] == one.beat
        seen[one.run] = before if same and before else (one.beat, now_s)
    with suppress(OSError, MachineError):
        write_atomically(path, json.dumps(seen))
    return {run for run, (_, since_s) in seen.items() if now_s - since_s > SILENT_S}


def _read_looks(path: Path) -> dict[str, tuple[str, float]]:
    try:
        looks = json.loads(path.read_bytes())
        return {run: (str(beat), float(since_s)) for run, (beat, since_s) in looks.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _memory_of(folder: DatasetFolder) -> Path:
    key = sha256(folder.uri.encode()).hexdigest()[:24]
    return cache_folder() / "runs" / f"{key}.json"


def _name_of(run: str) -> str:
    return f"{RUNS_FOLDER}/{run}{RUNNING}"
