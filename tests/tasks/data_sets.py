"""Data sets to test on: one of hand-made rows, drawn by nothing; one that was really rendered."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from schemas.atomic_files import write_atomically
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Failure, Manifest, PlannedShard, PlanSegment
from schemas.scan import DATASET_NAMES, InputFile, ScanRef
from schemas.settings import RenderSettings, digest_of
from tasks.dataset.code_digest import code_digest
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.planning import plan_new
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds
from tasks.dataset.shards import write_shard
from tasks.dataset.splits import ScanName, assign_splits
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tasks.scans.layouts import list_scans
from tests.tasks.sample_rows import RESOLUTION, ball_row

Row = Mapping[str, object]
SETTINGS = RenderSettings(resolution=RESOLUTION, yaws=(0, 10))


def ball_rows(item: str = "rp_ball_posed_001") -> list[dict[str, object]]:
    """Make the rows of all views of one ball."""
    return [ball_row(view.sample_id(f"RP/{item}")) for view in SETTINGS.views]


def commit_rows(root: Path, shards: Sequence[Sequence[Row]]) -> DatasetFolder:
    """Make a data set of these rows, one shard after the other, and commit it."""
    folder = DatasetFolder.at(root)
    prepare_dataset(folder, SETTINGS)
    planned = tuple(
        PlannedShard(shard_id=f"shard-{number:05d}", scans=_scans_of(rows))
        for number, rows in enumerate(shards)
    )
    segment = PlanSegment(segment=0, shards=planned)
    write_atomically(folder.root / "plan" / "00000.json", segment.model_dump_json())
    for shard, rows in zip(planned, shards, strict=True):
        commit_shard(folder, shard.shard_id, rows)
    return folder


def commit_shard(
    folder: DatasetFolder,
    shard_id: str,
    rows: Sequence[Row],
    *,
    inputs: tuple[InputFile, ...] = (),
    failures: tuple[Failure, ...] = (),
) -> Manifest:
    """Write one shard and its commit record."""
    with write_shard(folder.shard_path(shard_id)) as writer:
        for row in rows:
            writer.write(row)
        written = writer.finish()
    manifest = Manifest(
        shard_id=shard_id, rows=len(written.sample_ids), bytes=written.bytes,
        sha256=written.sha256, settings_digest=digest_of(SETTINGS), code_digest=code_digest(),
        renderer="none", versions={}, inputs=inputs, sample_ids=written.sample_ids,
        failures=failures, started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:00:01+00:00",
        seconds={}, host="here",
    )  # fmt: skip
    write_atomically(folder.manifest_path(shard_id), manifest.model_dump_json())
    return manifest


def plan_jobs(
    root: Path, data_root: Path, *, scans_per_shard: int = 1, settings: RenderSettings = SETTINGS
) -> list[RenderJob]:
    """Begin a data set of all scans of a data root; returns one job a new shard."""
    folder = DatasetFolder.at(root)
    prepare_dataset(folder, settings)
    resolve_backgrounds(folder, None)
    found = [ScanName(one.dataset, one.item, one.subject) for one in list_scans(data_root, "RP")]
    refs = assign_splits(found, split_seed=settings.split_seed)
    shards = plan_new(folder, refs, scans_per_shard=scans_per_shard)
    return [
        RenderJob(uri=str(root), data_root=data_root, shard=shard, settings=settings)
        for shard in shards
    ]


def render_jobs(jobs: Sequence[RenderJob]) -> list[ShardOutcome]:
    """Render shards one after the other; runs in a worker process."""
    return [render_shard(job) for job in jobs]


def _scans_of(rows: Sequence[Row]) -> tuple[ScanRef, ...]:
    found = {
        str(row["item"]): ScanRef(
            dataset=next(name for name in DATASET_NAMES if name == row["dataset"]),
            item=str(row["item"]),
            subject=str(row["subject"]),
            split="train",
        )
        for row in rows
    }
    return tuple(found.values())
