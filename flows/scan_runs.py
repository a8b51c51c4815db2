"""One run on the scans of a data set: which shards are left, what came out. Without Prefect."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flows.runs import Run, add_up, record_run
from flows.summary import RunSummary
from schemas.settings import RenderSettings
from tasks.dataset.states import DatasetStatus, dataset_status
from tasks.machine.device_probe import refuse_resolution, start_probe

if TYPE_CHECKING:
    from tasks.samples.render_shard import ShardOutcome  # draws: the command line does without


def check_device(device: int | None, settings: RenderSettings) -> None:
    """Open the device in a process of its own, and refuse images that it can't draw."""
    refuse_resolution(settings.resolution, start_probe(device).finish())


def look_at_shards(run: Run, *, deep: bool = False) -> DatasetStatus:
    """Decide the state of every shard from the files."""
    return dataset_status(run.folder, given=run.roots, deep=deep)


def is_described(run: Run, status: DatasetStatus) -> bool:
    """Tell whether card and totals say what is there: a run that was killed leaves older ones."""
    totals = run.folder.read_description().totals
    return run.folder.card_path.is_file() and totals.get("samples") == status.samples


def close_run(run: Run, outcomes: Sequence["ShardOutcome"]) -> RunSummary:
    """Put a run that did something on record, renew card and totals, and sum up."""
    record_run(run, {one.shard_id: one for one in outcomes})
    return sum_up(run, look_at_shards(run), outcomes)


def sum_up(run: Run, status: DatasetStatus, outcomes: Sequence["ShardOutcome"]) -> RunSummary:
    """Add up what a run did (outcomes) and what the data set is now (status)."""
    return RunSummary(**add_up(run, status, outcomes, name=lambda one: one.shard_id))
