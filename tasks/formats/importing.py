"""What an import reads from a published folder, whatever the format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import ScanmillError, StorageError
from schemas.manifest import Failure
from schemas.pairing import PairSettings
from schemas.sample import Sample
from schemas.scan import InputFile, ScanRef, VideoRef
from schemas.settings import RenderSettings
from schemas.views import View
from schemas.work import MapUnits, map_units
from tasks.dataset.card import write_card
from tasks.dataset.commit import ShardOutcome, ShardWork, commit_shard
from tasks.dataset.planning import plan_new, read_plan
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds
from tasks.dataset.shards import ShardWriter
from tasks.dataset.states import dataset_status, shards_to_redo
from tasks.formats.outcomes import ImportOutcome
from tasks.samples.encoding import encode_sample
from tasks.samples.sample_shards import SAMPLES, RenderJob

RENDERER = "none: imported from images"


@dataclass(frozen=True, slots=True)
class SampleWithFiles:
    """A sample that others made, and the files that it was read from."""

    sample: Sample
    files: tuple[InputFile, ...]


@dataclass(frozen=True, slots=True)
class SampleSource:
    """The samples of a folder. refs: of scans or labelled frames; settings: their views."""

    refs: tuple[ScanRef, ...]
    settings: RenderSettings
    scans_per_shard: int


@dataclass(frozen=True, slots=True)
class VideoSource:
    """The videos of a folder, frames and pairs."""

    videos: tuple[VideoRef, ...]
    settings: PairSettings


@dataclass(frozen=True, slots=True)
class ImportSource:
    """All that a folder holds; None: nothing of that kind."""

    samples: SampleSource | None = None
    videos: VideoSource | None = None


ReadSample = Callable[[Path, ScanRef, View, RenderSettings], SampleWithFiles]
"""Reads one view below a root; raises InputError naming the file at fault."""


def import_samples(
    root: Path,
    uri: str,
    source: SampleSource,
    read_sample: ReadSample,
    *,
    run: MapUnits = map_units,
) -> ImportOutcome:
    """Make a data set of the samples of a folder; shards that are done already are kept.

    run: maps over shards. A view that can't be read is recorded as a failure, the others go on.
    Raises RequestError when the data set has other settings, StorageError when not even the plan
    can be written.
    """
    folder = DatasetFolder.at(uri)
    prepare_dataset(folder, source.settings)
    resolve_backgrounds(folder, None)
    plan_new(folder, source.refs, scans_per_shard=source.scans_per_shard)
    jobs = _list_jobs(folder, root, source.settings)
    outcomes = run(partial(_import_shard, read_sample), jobs, [job.name for job in jobs])
    failures = tuple(failure for one in outcomes for failure in one.failures)
    _renew_card(folder, has_failed=bool(failures))
    return ImportOutcome(
        uri=uri,
        scans=sum(len(one.names) for one in outcomes),
        samples=sum(one.rows for one in outcomes),
        failures=failures,
    )


def _import_shard(read_sample: ReadSample, job: RenderJob) -> ShardOutcome:
    return commit_shard(_ImportWork(job=job, read=read_sample))


def _list_jobs(folder: DatasetFolder, root: Path, settings: RenderSettings) -> list[RenderJob]:
    """Describe the shards that are not done; paths of their files count from root."""
    status = dataset_status(folder, SAMPLES)
    left = set(shards_to_redo(status))
    attempts = {one.shard_id: one.attempt + 1 for one in status.shards}
    return [
        RenderJob(
            uri=folder.uri, data_root=root, shard=shard, settings=settings,
            attempt=attempts[shard.shard_id],
        )
        for shard in read_plan(folder)
        if shard.shard_id in left
    ]  # fmt: skip


def _renew_card(folder: DatasetFolder, *, has_failed: bool) -> None:
    """Renew card and totals; on a full disk that failures already report, they stay old."""
    try:
        write_card(folder)
    except StorageError:
        if not has_failed:
            raise


@dataclass(slots=True, kw_only=True)
class _ImportWork(ShardWork):
    """One shard of samples that others made."""

    job: RenderJob
    read: ReadSample
    renderer: str = RENDERER

    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Write the samples that can be read; keep why the others can't."""
        began, settings = perf_counter(), self.job.settings
        for ref in self.job.shard.scans:
            for view in settings.views:
                try:
                    made = self.read(self.job.data_root, ref, view, settings)
                    row = encode_sample(made.sample, settings)
                except ScanmillError as error:
                    failure = Failure.of(view.sample_id(ref.scan_id), error)
                    self.failures["samples"].append(failure)
                    continue
                writers["samples"].write(row)
                self.keep_inputs(made.files)
        self.seconds["read"] = round(perf_counter() - began, 4)
