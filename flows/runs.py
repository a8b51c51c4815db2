"""One run on one data set, from its beginning to its record: without Prefect.

What runs on scans and on videos share; `flows.scan_runs` and `flows.video_runs` say what is
particular to each.
"""

import os
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from schemas.dataset_folder import PARTS, DatasetFolder, remove_leftovers
from schemas.manifest import Failure, RunRecord, ShardState, utc_now
from tasks.dataset.card import write_card
from tasks.dataset.run_records import last_roots, write_run
from tasks.dataset.states import DatasetStatus, ShardStatus

ENDED = frozenset({"done", "rejects", "orphaned"})
"""States of shards at which nothing is left to do."""


class Outcome(Protocol):
    """What became of a shard; committed is False when nothing could be written."""

    @property
    def shard_id(self) -> str:
        """As in shard-00000."""

    @property
    def state(self) -> ShardState:
        """Done, done with rejects, or failed."""

    @property
    def rows(self) -> int:
        """Rows written."""

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What is not there, and why."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know."""

    @property
    def bytes(self) -> int:
        """Size of what was written."""

    @property
    def seconds(self) -> dict[str, float]:
        """Time spent, by stage."""

    @property
    def committed(self) -> bool:
        """Whether its commit record was written."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run on one data set: where it works, with what, since when.

    roots: folders that inputs come from, by the names that records know them by.
    """

    command: str
    folder: DatasetFolder
    roots: Mapping[str, Path]
    workers: int
    device: int | None
    accept_rejects: str
    started: str
    began_s: float

    def root(self, name: str) -> Path | None:
        """Return an input folder as an absolute path, None where the run has none."""
        path = self.roots.get(name)
        return path.absolute() if path else None


def begin_run(
    command: str,
    uri: str,
    *,
    roots: Mapping[str, Path | None],
    workers: int | None,
    device: int | None = None,
    accept_rejects: str = "0",
) -> Run:
    """Start the clock of a run, and clear away what killed runs left half-written."""
    folder = DatasetFolder.at(uri)
    for place in _places(folder):
        remove_leftovers(place)
    return Run(
        command=command,
        folder=folder,
        roots={name: path for name, path in roots.items() if path},
        workers=workers or os.cpu_count() or 1,
        device=device,
        accept_rejects=accept_rejects,
        started=utc_now(),
        began_s=monotonic(),
    )


def note_roots(run: Run) -> None:
    """Put new roots on record before the work: a run that is killed can be redone without them."""
    recorded = last_roots(run.folder)
    if any(recorded.get(name) != path.absolute() for name, path in run.roots.items()):
        write_run(run.folder, _describe(run, {}))


def record_run(run: Run, outcomes: Mapping[str, Outcome]) -> None:
    """Put a run that did something on record, by names of shards; renew card and totals."""
    if outcomes:
        write_run(run.folder, _describe(run, outcomes))
    write_card(run.folder)


def add_up(
    run: Run,
    status: DatasetStatus,
    outcomes: Sequence[Outcome],
    *,
    name: Callable[[ShardStatus], str],
) -> dict[str, Any]:
    """Return the fields of flows.summary.RunSummary: what the run did, what the data set is now.

    name: how people know a shard.
    """
    lost = [failure for one in outcomes if not one.committed for failure in one.failures]
    failures = (*status.failures, *lost)
    left = (one for one in status.shards if one.state not in ENDED)
    stages = Counter[str]()
    for one in outcomes:
        stages.update(one.seconds)
    return {
        "command": run.command,
        "uri": status.uri,
        "worked_on": len(outcomes),
        "states": status.counts,
        "samples": status.samples,
        "rejected": sum(failure.kind == "input" for failure in failures),
        "accept_rejects": run.accept_rejects,
        "failures": failures,
        "warnings": tuple(warning for one in outcomes for warning in one.warnings),
        "unfinished": tuple(f"{name(one)} {_why_left(one)}" for one in left),
        "bytes": sum(one.bytes for one in outcomes),
        "seconds": monotonic() - run.began_s,
        "stages": {stage: round(spent, 3) for stage, spent in sorted(stages.items())},
    }


def describe_failures(outcome: Outcome) -> str:
    """Say which samples of a shard failed, and why the first did; empty: none."""
    if not outcome.failures:
        return ""
    first = outcome.failures[0]
    more = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
    return f"{outcome.shard_id}: {first.sample_id}{more} failed: {first.message}"


def _why_left(shard: ShardStatus) -> str:
    """Say why a shard is left: its state and the first of its reasons."""
    reasons = shard.reasons
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return f"is {shard.state}: {reasons[0] if reasons else 'no reason is known'}{more}"


def _describe(run: Run, outcomes: Mapping[str, Outcome]) -> RunRecord:
    return RunRecord(
        command=run.command,
        started=run.started,
        ended=utc_now(),
        seconds=round(monotonic() - run.began_s, 3),
        workers=run.workers,
        host=socket.gethostname(),
        roots={name: str(path.absolute()) for name, path in run.roots.items()},
        shards={name: one.state for name, one in outcomes.items()},
        samples=sum(one.rows for one in outcomes.values()),
        failures=sum(len(one.failures) for one in outcomes.values()),
    )


def _places(folder: DatasetFolder) -> tuple[Path, ...]:
    shard = "shard-00000"  # any one: only the folders count
    files = [folder.shard_path(shard, part) for part in PARTS]
    files += [folder.manifest_path(shard, part) for part in PARTS]
    return (folder.root, folder.plan_folder, folder.runs_folder, *(path.parent for path in files))
