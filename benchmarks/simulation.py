"""Faults at every step of the shard life cycle: is anything lost, doubled or hidden.

    python -m benchmarks.simulation [--schedules 10000] [--seed 0] [--replay SEED]

The real code (planning, leases, claims, commits, run records, status) runs in simulated processes
on a simulated disk or bucket (simulated_*.py). A schedule is drawn from its seed:
one to three runs at once on one data set, each of which may be killed before any operation on the
disk, in the middle of a write too, or before and after a request to the bucket, and is started
again; power cuts; a full disk; requests and answers that are lost; clocks that jump.
After each schedule a run without faults ends the work. Compared with an undisturbed run:

    lost        a shard that was reported as committed is not done any more, or a scan is nowhere
    doubled     a scan is planned twice, or a row is there twice
    undetected  a shard counts as done whose bytes are not those of an undisturbed run
"""

import argparse
import gc
import hashlib
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal
from unittest.mock import patch
from uuid import UUID

import pyarrow as pa

from benchmarks.simulated_bucket import Bucket
from benchmarks.simulated_disk import Disk
from benchmarks.simulated_machine import Machine, Process, Stuck, Threading
from flows import runs
from schemas import s3_store, store_errors, work
from schemas.dataset_folder import DatasetFolder, Part
from schemas.dataset_reader import shard_name
from schemas.errors import ScanmillError
from schemas.manifest import DatasetDescription, PlannedShard
from schemas.samples import Column
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.dataset import claims, commit, lease, run_beats
from tasks.dataset.commit import ShardOutcome, ShardWork, commit_shard
from tasks.dataset.planning import plan_new, planned_scans, read_plan
from tasks.dataset.preparation import prepare_dataset
from tasks.dataset.shard_kinds import RunRoots, ShardJob, ShardKind
from tasks.dataset.shards import ShardFormat, ShardWriter, read_rows
from tasks.dataset.states import dataset_status, shards_to_redo
from tasks.scans.input_files import Roots

SETTINGS = RenderSettings(resolution=64, yaws=(0,))
COLUMNS = (
    Column("sample_id", pa.string(), "name of the row", nullable=False),
    Column("text", pa.string(), "something", nullable=False),
)
SCANS = tuple(
    ScanRef(dataset="RP", item=f"scan{number}", subject=f"s{number}", split="train")
    for number in range(2)
)
LIMIT_OF_RESTARTS = 4
SCHEDULES_BETWEEN_COLLECTIONS = 50
CHANGES = 90
"""About as many as one run makes on the disk: faults are drawn among so many."""

BUCKETS = 0.35
"""Share of schedules whose data set is in a bucket; the others are on a disk."""

LOOK_AGAIN_S = 1.0
"""Between two looks at a lease: simulated seconds cost nothing, looks do."""

READING = ("look", "list", "lock", "open r ", "open rb", "read", "head object", "answer of head")


class SimulatedShards(ShardKind[PlannedShard]):
    """Shards of two columns: the life cycle of all others."""

    unit = "scan"
    label = ""
    formats: ClassVar[Mapping[Part, ShardFormat]] = {
        "samples": ShardFormat(COLUMNS, "sample_id", ("sample_id",))
    }
    has_views = True

    def code_digest(self) -> str:
        """Return the same for ever."""
        return "code"

    def settings_digest(self, description: DatasetDescription) -> str | None:
        """Return the digest of the render settings."""
        return description.settings_digest

    def read_plan(self, folder: DatasetFolder) -> tuple[PlannedShard, ...]:
        """Read the planned shards."""
        return read_plan(folder)

    def roots_of(self, shard: PlannedShard, roots: RunRoots) -> Roots:
        """Know no data root."""
        del shard, roots
        return {"data": None}

    def list_gone(self, shard: PlannedShard, data_root: Path) -> tuple[str, ...]:
        """Name none."""
        del shard, data_root
        return ()

    def make_job(
        self,
        uri: str,
        shard: PlannedShard,
        roots: RunRoots,
        *,
        description: DatasetDescription,
        attempt: int,
    ) -> ShardJob | None:
        """Describe how a shard is made."""
        del roots
        return SimulatedJob(
            uri=uri, data_root=Path("/"), shard=shard, settings=description.settings,
            attempt=attempt,
        )  # fmt: skip


KIND = SimulatedShards()


class SimulatedJob(ShardJob):
    """One shard to make."""

    kind: ClassVar[SimulatedShards] = KIND

    shard: PlannedShard
    settings: RenderSettings

    @property
    def maker(self) -> Literal["render"]:
        """Return a maker, as others have one."""
        return "render"


class SimulatedWork(ShardWork):
    """Writes two rows a scan."""

    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Write the rows."""
        for name in self.job.shard.names:
            for number in range(2):
                sample_id = f"{name}/{number}"
                text = hashlib.sha256(sample_id.encode()).hexdigest()
                writers["samples"].write({"sample_id": sample_id, "text": text})


@dataclass(slots=True)
class Findings:
    """What schedules came to. points: operations before which a process was killed."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    undetected: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.undetected)


@dataclass(eq=False, slots=True)
class Schedule:
    """One schedule.

    whole: the names of the rows by the bytes of each shard of an undisturbed run. acknowledged:
    shards that a run was told are committed.
    """

    seed: int
    folder: Path
    whole: Mapping[bytes, list[str]]
    findings: Findings
    machine: Machine = field(init=False)
    disk: Disk = field(init=False)
    bucket: Bucket = field(init=False)
    uri: str = field(init=False)
    draw: random.Random = field(init=False)
    acknowledged: set[str] = field(default_factory=set)
    processes: list[Process] = field(default_factory=list)
    plan: dict[int, str] = field(default_factory=dict)
    operations: int = 0
    restarts: int = 0

    def __post_init__(self) -> None:
        """Draw the faults."""
        self.draw = random.Random(self.seed)  # noqa: S311 - a schedule, no secret
        self.machine = Machine(self.draw.randrange(1 << 30))
        (self.folder / "shadow").mkdir(parents=True)
        self.disk = Disk(self.machine, self.folder / "disk", self.folder / "shadow")
        self.bucket = Bucket(self.machine)
        in_bucket = self.whole and self.draw.random() < BUCKETS
        self.uri = "s3://bucket/set" if in_bucket else str(self.folder / "disk" / "set")
        known = ("kill", "lost", "clock") if in_bucket else ("kill", "power", "full", "clock")
        kinds = self.draw.sample(known, self.draw.randint(1, 3))
        for _ in range(self.draw.randint(1, 5)):
            self.plan[self.draw.randrange(CHANGES)] = self.draw.choice(kinds)

    def run(self) -> None:
        """Run it, then end the work without faults, and compare."""
        with simulated(self.machine, self.disk, self.bucket):
            for number in range(self.draw.choice((1, 1, 2, 2, 3))):
                self._start(f"host{number % 2}")
            self.machine.before = self._fault
            self._go_on()
            self.machine.before = lambda _name: None
            self.disk.full_for = self.bucket.lost = 0
            if self.draw.random() < 0.5:  # noqa: PLR2004 - as often as not
                self._cut_power()
            self._check("after the faults", self.acknowledged)
            self._start("host9")
            self._go_on()
            self._check("at the end", {f"shard-{number:05d}" for number in range(len(SCANS))})

    def _start(self, host: str) -> None:
        self.processes.append(self.machine.start(host, self.work))

    def _go_on(self) -> None:
        try:
            self.machine.run()
        except Stuck:
            self.findings.lost.append(self._say("the schedule does not end"))
        for one in self.processes:
            one.close()
            if one.error is not None and not isinstance(one.error, ScanmillError | OSError):
                raise one.error

    def work(self) -> None:
        """Do what `scanmill render` does, with the same code."""
        run = runs.begin_run(KIND, "render", self.uri, roots={}, workers=1)
        prepare_dataset(run.folder, SETTINGS)
        plan_new(run.folder, SCANS, scans_per_shard=1)
        with runs.going_on(run):
            status = run.status()
            jobs = runs.make_jobs(run, status, shards_to_redo(status))
            outcomes = [self._commit(job) for job in jobs]
            left = [job for job, one in zip(jobs, outcomes, strict=True) if one.made_by]
            outcomes += [self._commit(job.model_copy(update={"waits": True})) for job in left]
            runs.close_run(run, [one for one in outcomes if not one.made_by])

    def _commit(self, job: ShardJob) -> ShardOutcome:
        outcome = commit_shard(SimulatedWork(job=job))
        if outcome.committed and outcome.state == "done":
            self.acknowledged.add(job.shard.shard_id)
        return outcome

    def _fault(self, name: str) -> None:
        if name.startswith(READING):
            return  # a kill there is one before the next change
        self.operations += 1
        kind = self.plan.pop(self.operations, None)
        process = self.machine.current
        if kind is None or process is None:
            return
        self.findings.faults[kind] += 1
        if kind == "kill":
            self.findings.points[name] += 1
            self._end([process])
        elif kind == "power":
            self._cut_power()
        elif kind == "full":
            self.disk.full_for = self.draw.randint(1, 12)
        elif kind == "lost":
            self.bucket.lost = self.draw.randint(1, 7)
        else:
            self.machine.wall_offset_s += self.draw.choice((-7200, -1, 1, 7200))

    def _cut_power(self) -> None:
        alive = [one for one in self.processes if one.is_alive and any(one.routines)]
        self._end(alive)
        self.disk.power_cut()

    def _end(self, processes: list[Process]) -> None:
        for one in processes:
            self.machine.kill(one)
            if self.restarts < LIMIT_OF_RESTARTS:
                self.restarts += 1
                self._start(one.host)

    def _check(self, when: str, expected: set[str]) -> None:
        """Compare what status says, and what is there, with an undisturbed run."""
        folder = DatasetFolder.at(self.uri)
        try:
            states = self._look(folder)
            names = [ref.scan_id for ref in planned_scans(read_plan(folder))]
        except ScanmillError as error:
            self.findings.lost.append(self._say(f"all {when}: {error}"))
            return
        lost = sorted(one for one in expected if states.get(one) != "done")
        self.findings.lost += [self._say(f"{one} {when}: {states.get(one)}") for one in lost]
        rows = list[str]()
        for shard_id in sorted(one for one, state in states.items() if state == "done"):
            data = folder.store.read(shard_name(shard_id))
            if data not in self.whole:
                self.findings.undetected.append(self._say(f"{shard_id} {when}"))
            else:
                rows += self.whole[data]
        twice = [one for one, count in Counter([*names, *rows]).items() if count > 1]
        self.findings.doubled += [self._say(f"{one} {when}") for one in twice]

    def _look(self, folder: DatasetFolder) -> dict[str, str]:
        """Return the state of each shard, quickly or by every byte; none before there is a plan."""
        if not folder.has_description:
            return {}
        status = dataset_status(folder, KIND, deep=bool(self.draw.getrandbits(1)))
        return {one.shard_id: one.state for one in status.shards}

    def _say(self, what: str) -> str:
        return f"seed {self.seed}: {what}"


@contextmanager
def simulated(machine: Machine, disk: Disk, bucket: Bucket) -> Iterator[None]:
    """Let the code under test run on a simulated machine and disk for the length of a block."""
    threads, uuids = Threading(machine), random.Random(7)  # noqa: S311 - names of files

    class SimulatedLease(lease.Lease):
        def __post_init__(self) -> None:
            self._changing = threads.Lock()  # type: ignore[assignment]

    def start_of(pid: int) -> str:
        found = [one for one in started if one.pid == pid]
        return f"{pid}" if found and found[0].is_alive else ""

    def getpid() -> int:
        process = machine.current
        if process is None:
            return 1
        started.add(process)
        return process.pid

    def here() -> str:
        process = machine.current
        return process.host if process else "outside"

    started = set[Process]()
    changes: list[tuple[Any, str, Any]] = [
        (s3_store, "open_system", lambda uri: (bucket, uri.partition("://")[2])),
        (store_errors, "sleep", lambda seconds: machine.wait(seconds, lambda: False)),
        (tempfile, "tempdir", str(disk.shadow)),
        (runs, "say", lambda _line: None),
        (commit, "deciding_versions", lambda **_: {}),  # it asks the real disk
        (lease, "_LOOK_AGAIN_S", LOOK_AGAIN_S),
        (lease, "Lease", SimulatedLease),
        (claims, "Lease", SimulatedLease),
        (lease, "threading", threads),
        (work, "threading", threads),
        (lease, "monotonic", machine.monotonic),
        (claims, "monotonic", machine.monotonic),
        (lease, "_machine", here),
        (lease, "_start_of", start_of),
        (os, "getpid", getpid),
        (time, "time_ns", machine.wall_ns),
    ]
    changes += [(module, "utc_now", partial(_utc, machine)) for module in (commit, runs, run_beats)]
    with ExitStack() as patches:
        patches.enter_context(disk.mounted())
        patches.enter_context(
            patch("uuid.uuid4", lambda: UUID(int=uuids.getrandbits(128), version=4))
        )
        for where, name, value in changes:
            patches.enter_context(patch.object(where, name, value))
        yield


def _utc(machine: Machine) -> str:
    seconds = machine.wall_ns() // 1_000_000_000
    return time.strftime("%Y-%m-%dT%H:%M:%S.000+00:00", time.gmtime(seconds))


def undisturbed(folder: Path) -> dict[bytes, list[str]]:
    """Return the names of the rows by the bytes of each shard of a run in no simulation."""
    schedule = Schedule(0, folder, {}, Findings())
    schedule.work()
    paths = sorted(Path(schedule.uri, "samples").glob("*.parquet"))
    return {path.read_bytes(): [str(row["sample_id"]) for row in read_rows(path)] for path in paths}


def run_schedules(seeds: range) -> Findings:
    """Run a schedule for each seed."""
    findings = Findings()
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - memory, not shared
    with (
        tempfile.TemporaryDirectory(prefix="scanmill-simulation-", dir=base) as name,
        patch.dict(os.environ, {"XDG_CACHE_HOME": f"{name}/cache"}),
    ):
        whole = undisturbed(Path(name, "whole"))
        gc.disable()  # dead coroutines hold files, which are to be closed by their own unwinding
        for number, seed in enumerate(seeds):
            folder = Path(name, "schedule")
            Schedule(seed, folder, whole, findings).run()
            shutil.rmtree(folder)
            shutil.rmtree(f"{name}/cache", ignore_errors=True)
            if number % SCHEDULES_BETWEEN_COLLECTIONS == 0:
                gc.collect()
        gc.enable()
    return findings


def main() -> None:
    """Run the schedules that the command line asks for; ends with 1 when anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first schedule")
    parser.add_argument("--replay", type=int, help="run the schedule of this seed alone")
    given = parser.parse_args()
    first, count = (given.seed, given.schedules) if given.replay is None else (given.replay, 1)
    began_s = time.process_time()
    found = run_schedules(range(first, first + count))
    seconds = time.process_time() - began_s
    for line in (*found.lost, *found.doubled, *found.undetected):
        print(line)
    faults = ", ".join(f"{count} {kind}" for kind, count in sorted(found.faults.items()))
    print(f"{count} schedules from seed {first}, {seconds:.0f} s of CPU; faults: {faults}")
    print(f"killed before {len(found.points)} kinds of operation, {found.points.total()} times")
    for name, times in found.points.most_common():
        print(f"    {name}: {times}")
    print(
        f"{len(found.lost)} lost, {len(found.doubled)} doubled, {len(found.undetected)} undetected"
    )
    raise SystemExit(0 if found.is_clean else 1)


if __name__ == "__main__":
    main()
