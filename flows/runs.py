"""One run on the shards of one kind, from its beginning to its record: without Prefect."""

import os
import socket
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from pathlib import Path
from time import monotonic
from typing import Any

from flows.progress import say
from flows.server_api import crash_run
from flows.summary import PairSummary, RunSummary
from schemas.dataset_folder import DatasetFolder
from schemas.errors import MachineError, StorageError
from schemas.manifest import RunRecord, utc_now
from schemas.profiling import ProfileTable
from tasks.dataset.card import write_card
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.lease import new_record
from tasks.dataset.preparation import sweep_leftovers
from tasks.dataset.run_beats import RUN_BEAT_S, RunBeat, beating_run, mark_crashed_runs
from tasks.dataset.run_records import last_roots, record_of_roots, write_run
from tasks.dataset.shard_kinds import ShardJob, ShardKind
from tasks.dataset.states import DatasetStatus, ShardStatus, dataset_status
from tasks.video.video_shards import VIDEOS

ENDED = frozenset({"done", "rejects", "orphaned"})
"""States of shards at which nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run on one data set: which shards it works on, with what, since when.

    roots: folders that inputs come from, absolute, by the names that records know them by. token:
    claims shards, so that runs at once on one data set share them. profiled: time is counted.
    """

    kind: ShardKind[Any]
    command: str
    folder: DatasetFolder
    roots: Mapping[str, Path]
    workers: int
    device: int | None
    accept_rejects: str
    profiled: bool
    started: str
    began_s: float
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    def status(self, *, deep: bool = False) -> DatasetStatus:
        """Decide the state of every shard from the files."""
        return dataset_status(self.folder, self.kind, given=self.roots, deep=deep)


def begin_run(
    kind: ShardKind[Any],
    command: str,
    uri: str,
    *,
    roots: Mapping[str, Path | str | None],
    workers: int | None,
    device: int | None = None,
    accept_rejects: str = "0",
    profiled: bool = False,
) -> Run:
    """Start the clock of a run; clear away what killed runs left, and mark them crashed."""
    folder = DatasetFolder.at(uri)
    sweep_leftovers(folder)
    for dead in mark_crashed_runs(folder):
        say(f"{command}: marked crashed, its process is gone: {dead.command} of {dead.started}")
        crash_run(dead.server, dead.flow_run)
    return Run(
        kind=kind,
        command=command,
        folder=folder,
        roots={name: Path(path).absolute() for name, path in roots.items() if path},
        workers=workers or os.cpu_count() or 1,
        device=device,
        accept_rejects=accept_rejects,
        profiled=profiled,
        started=utc_now(),
        began_s=monotonic(),
    )


@contextmanager
def going_on(run: Run, *, flow_run: str = "", server: str = "") -> Iterator[None]:
    """Show for the length of a block that a run is going on; one that raises is put on record.

    flow_run, server: its id on Prefect's server, and the address of that.
    """
    beat = RunBeat(
        run=run.token, command=run.command, started=run.started, beat=utc_now(),
        holder=new_record(RUN_BEAT_S, owner=run.token), workers=run.workers,
        roots=record_of_roots(run.roots),
        flow_run=flow_run, server=server,
    )  # fmt: skip
    with beating_run(run.folder.store, beat.model_dump_json()):
        try:
            yield
        except BaseException:
            stopped = _describe(run, ()).model_copy(update={"state": "stopped"})
            with suppress(OSError, MachineError):
                write_run(run.folder, stopped)
            raise


def record_roots(run: Run) -> None:
    """Put new roots on record before the work: a run that is killed can be redone without them."""
    recorded = last_roots(run.folder)
    if any(recorded.get(name) != path for name, path in run.roots.items()):
        write_run(run.folder, _describe(run, ()))


def make_jobs(run: Run, status: DatasetStatus, shard_ids: Sequence[str]) -> list[ShardJob]:
    """Describe the work on these shards for the processes that do it.

    What comes from a data root that is not known can't be worked on and is left.
    """
    description, chosen = run.folder.read_description(), set(shard_ids)
    attempts = {one.shard_id: one.attempt for one in status.shards}
    uri = run.folder.uri
    jobs = (
        run.kind.make_job(
            uri, shard, run.roots, description=description, attempt=attempts[shard.shard_id] + 1
        )
        for shard in run.kind.read_plan(run.folder)
        if shard.shard_id in chosen
    )
    added = {"run": run.token, "profiled": run.profiled}
    return [job.model_copy(update=added) for job in jobs if job is not None]


def close_run(run: Run, outcomes: Sequence[ShardOutcome]) -> RunSummary:
    """Put a run that did something on record, renew card and totals, and sum up.

    What can't be written on a full disk is named among what is left to do.
    """
    unrecorded = []
    try:
        if outcomes:
            write_run(run.folder, _describe(run, outcomes))
        write_card(run.folder)
    except StorageError as error:
        unrecorded.append(f"the record of this run: {error}")
    return sum_up(run, run.status(), outcomes, unrecorded=unrecorded)


def sum_up(
    run: Run,
    status: DatasetStatus,
    outcomes: Sequence[ShardOutcome],
    *,
    unrecorded: Sequence[str] = (),
) -> RunSummary:
    """Add up what a run did (outcomes) and what the data set is now (status)."""
    lost = (failure for one in outcomes if not one.committed for failure in one.failures)
    failures = tuple(dict.fromkeys((*status.failures, *lost)))
    left = [_describe_left(run.kind, one) for one in status.shards if one.state not in ENDED]
    stages = Counter[str]()
    for one in outcomes:
        stages.update(one.seconds)
    summary = RunSummary(
        command=run.command,
        uri=status.uri,
        worked_on=len(outcomes),
        states=status.counts,
        inputs=status.inputs,
        samples=status.samples,
        rejected=sum(failure.kind == "input" for failure in failures),
        accept_rejects=run.accept_rejects,
        failures=failures,
        warnings=tuple(warning for one in outcomes for warning in one.warnings),
        unfinished=(*left, *unrecorded),
        bytes=sum(one.bytes for one in outcomes),
        seconds=monotonic() - run.began_s,
        stages={stage: round(spent, 3) for stage, spent in sorted(stages.items())},
        workers=run.workers,
        profile=_add_profiles(outcomes),
    )
    if run.kind is not VIDEOS:
        return summary
    frames = sum(one.frames for one in outcomes)
    return PairSummary(**dict(summary), videos=len(status.shards), frames=frames)


def is_described(run: Run, status: DatasetStatus) -> bool:
    """Say whether card and totals say what is there: a run that was killed leaves older ones."""
    totals = run.folder.read_description().totals
    return run.folder.has_card and totals.get("samples") == status.samples


def describe_failures(outcome: ShardOutcome) -> str:
    """Say which samples of a shard failed, and why the first did; empty: none."""
    if not outcome.failures:
        return ""
    first = outcome.failures[0]
    more = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
    return f"{outcome.shard_id}: {first.sample_id}{more} failed: {first.message}"


def _describe_left(kind: ShardKind[Any], shard: ShardStatus) -> str:
    """Say why a shard is left: its state and the first of its reasons."""
    name, reasons = kind.title(shard.shard_id, shard.scans), shard.reasons
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"{name} is {shard.state}: {reasons[0] if reasons else 'no reason is known'}{more}"


def _describe(run: Run, outcomes: Sequence[ShardOutcome]) -> RunRecord:
    return RunRecord(
        run=run.token,
        command=run.command,
        started=run.started,
        ended=utc_now(),
        seconds=round(monotonic() - run.began_s, 3),
        workers=run.workers,
        host=socket.gethostname(),
        roots=record_of_roots(run.roots),
        shards={run.kind.record_name(one.shard_id): one.state for one in outcomes},
        samples=sum(one.rows for one in outcomes),
        failures=sum(len(one.failures) for one in outcomes),
        bytes=sum(one.bytes for one in outcomes),
        use=tuple(one.use for one in outcomes if one.use),
        profile=_add_profiles(outcomes),
    )


def _add_profiles(outcomes: Sequence[ShardOutcome]) -> ProfileTable | None:
    profiles = [one.profile for one in outcomes if one.profile]
    return reduce(add, profiles) if profiles else None
