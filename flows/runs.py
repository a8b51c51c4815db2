"""One run on one data set, from its beginning to its record: without Prefect.

What the flows and the command line share: which shards are left, what came out.
"""

import os
import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from flows.summary import RunSummary
from schemas.dataset_folder import DatasetFolder, remove_leftovers
from schemas.manifest import RunRecord
from schemas.settings import RenderSettings
from tasks.dataset.card import write_card
from tasks.dataset.run_records import last_roots, write_run
from tasks.dataset.states import DatasetStatus, dataset_status
from tasks.machine.device_probe import refuse_resolution, start_probe

if TYPE_CHECKING:
    from tasks.samples.render_shard import ShardOutcome  # draws: the command line does without


@dataclass(frozen=True, slots=True)
class Run:
    """One run on one data set: where it works, with what, since when."""

    command: str
    folder: DatasetFolder
    data_root: Path
    background_root: Path | None
    model_root: Path | None
    workers: int
    device: int | None
    accept_rejects: str
    started: str
    began_s: float

    @property
    def roots(self) -> dict[str, str]:
        """Return the roots as the next run finds them by default."""
        roots = {
            "data": self.data_root, "backgrounds": self.background_root, "models": self.model_root
        }  # fmt: skip
        return {name: str(path.absolute()) for name, path in roots.items() if path}


def begin_run(
    command: str,
    uri: str,
    *,
    data: Path,
    backgrounds: Path | None,
    models: Path | None,
    workers: int | None,
    device: int | None,
    accept_rejects: str,
) -> Run:
    """Start the clock of a run, and clear away what killed runs left half-written."""
    folder = DatasetFolder.at(uri)
    for place in _places(folder):
        remove_leftovers(place)
    return Run(
        command=command,
        folder=folder,
        data_root=data,
        background_root=backgrounds,
        model_root=models,
        workers=workers or os.cpu_count() or 1,
        device=device,
        accept_rejects=accept_rejects,
        started=_now(),
        began_s=monotonic(),
    )


def check_device(device: int | None, settings: RenderSettings) -> None:
    """Open the device in a process of its own, and refuse pictures that it can't draw."""
    refuse_resolution(settings.resolution, start_probe(device).finish())


def look_at_shards(run: Run, *, deep: bool = False) -> DatasetStatus:
    """Decide the state of every shard from the files."""
    return dataset_status(
        run.folder, data_root=run.data_root, background_root=run.background_root, deep=deep
    )


def note_roots(run: Run) -> None:
    """Put new roots on record before the work: a run that is killed can be redone without them."""
    recorded = {name: str(path) for name, path in last_roots(run.folder).items()}
    if recorded != run.roots:
        write_run(run.folder, _describe(run, ()))


def close_run(run: Run, outcomes: Sequence["ShardOutcome"]) -> RunSummary:
    """Put a run that did something on record, renew card and totals, and sum up."""
    if outcomes:
        write_run(run.folder, _describe(run, outcomes))
    write_card(run.folder)
    return sum_up(run, look_at_shards(run), outcomes)


def is_described(run: Run, status: DatasetStatus) -> bool:
    """Tell whether card and totals say what is there: a run that was killed leaves older ones."""
    totals = run.folder.read_description().totals
    return run.folder.card_path.is_file() and totals.get("samples") == status.samples


def sum_up(run: Run, status: DatasetStatus, outcomes: Sequence["ShardOutcome"]) -> RunSummary:
    """Add up what a run did (outcomes) and what the data set is now (status)."""
    lost = [failure for one in outcomes if not one.committed for failure in one.failures]
    failures = (*status.failures, *lost)
    left = [one for one in status.shards if one.state not in {"done", "rejects", "orphaned"}]
    return RunSummary(
        command=run.command,
        uri=status.uri,
        worked_on=len(outcomes),
        states=status.counts,
        samples=status.samples,
        rejected=sum(failure.kind == "input" for failure in failures),
        accept_rejects=run.accept_rejects,
        failures=failures,
        warnings=tuple(warning for one in outcomes for warning in one.warnings),
        unfinished=tuple(f"{one.shard_id} is {one.state}: {_why(one.reasons)}" for one in left),
        bytes=sum(one.bytes for one in outcomes),
        seconds=monotonic() - run.began_s,
        stages=_add_stages(one.seconds for one in outcomes),
    )


def _why(reasons: Sequence[str]) -> str:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return (reasons[0] if reasons else "no reason is known") + more


def _add_stages(all_seconds: Iterable[dict[str, float]]) -> dict[str, float]:
    total = Counter[str]()
    for seconds in all_seconds:
        total.update(seconds)
    return {stage: round(spent, 3) for stage, spent in sorted(total.items())}


def _describe(run: Run, outcomes: Sequence["ShardOutcome"]) -> RunRecord:
    return RunRecord(
        command=run.command,
        started=run.started,
        ended=_now(),
        seconds=round(monotonic() - run.began_s, 3),
        workers=run.workers,
        host=socket.gethostname(),
        roots=run.roots,
        shards={one.shard_id: one.state for one in outcomes},
        samples=sum(one.rows for one in outcomes),
        failures=sum(len(one.failures) for one in outcomes),
    )


def _places(folder: DatasetFolder) -> tuple[Path, ...]:
    shard = "shard-00000"  # any one: only the folders count
    files = (folder.shard_path(shard), folder.manifest_path(shard))
    return (folder.root, folder.plan_folder, folder.runs_folder, *(path.parent for path in files))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
