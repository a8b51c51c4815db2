"""Data sets into the published 2K2K layout: a piece a shard, then the lists.

Memory holds one sample a worker, however big the data set is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError, ScanmillError
from schemas.settings import RenderSettings
from tasks.dataset.stored_rows import read_stored_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.exporting import (
    ExportPiece,
    ExportPlan,
    ExportTarget,
    WrittenShard,
    list_missing,
)
from tasks.formats.outcomes import ExportOutcome, SampleReason
from tasks.formats.twok2k.depth16 import refuse_resolution
from tasks.formats.twok2k.export_view import ExportedView, export_view
from tasks.formats.twok2k.twok2k_layout import BRANCHES
from tasks.formats.twok2k.view_lists import write_background_list, write_lists
from tasks.samples.sample_shards import SAMPLES


class ViewsExport(ExportOutcome):
    """What an export in the 2K2K layout wrote."""

    views: int = Field(description="samples written")
    skipped: int = Field(description="samples of cameras that the layout has no place for")
    unlisted: tuple[SampleReason, ...] = Field(
        description="written and in no list: their joints don't suffice for the published loader"
    )
    backgrounds: int = Field(description="lines of the background list")

    @property
    def reasons(self) -> dict[str, tuple[SampleReason, ...]]:
        """The samples that were not written, and those that are in no list."""
        return {
            "samples could not be exported": self.failures,
            "samples are in no list": self.unlisted,
        }

    @property
    def sentence(self) -> str:
        """What was written, in one line."""
        skipped = f", {self.skipped} of other cameras left out" if self.skipped else ""
        unlisted = f", {len(self.unlisted)} of them in no list" if self.unlisted else ""
        return f"export: {self.views} views in {self.to}{unlisted}{skipped}."


class ExportedViews(WrittenShard):
    """What was written of one shard."""

    views: tuple[ExportedView, ...]
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewsPiece(ExportPiece):
    """The samples of one shard. repeated: those that an earlier piece writes already."""

    settings: RenderSettings
    repeated: frozenset[str]

    def write(self) -> ExportedViews:
        """Write every sample with a place in the layout; one that can't be written is named."""
        views, failures, skipped = list[ExportedView](), list[SampleReason](), 0
        for row in read_stored_rows(self.folder, self.shard_id):
            sample = StoredSample(row, self.settings)
            if sample.camera.name not in BRANCHES:
                skipped += 1
                continue
            try:
                self._refuse_repeated(sample)
                views.append(export_view(sample, self.staging))
            except ScanmillError as error:
                failures.append(SampleReason(sample_id=sample.sample_id, message=str(error)))
        return ExportedViews(views=tuple(views), skipped=skipped, failures=tuple(failures))

    def _refuse_repeated(self, sample: StoredSample) -> None:
        if sample.sample_id in self.repeated:
            raise InputError(
                sample.sample_id, found="a sample of this name in a data set before this one",
                expected="one sample for each view of a scan",
                hint="Export data sets that hold the same scan into separate folders.",
            )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ViewsPlan(ExportPlan):
    """The pieces of all shards of some data sets."""

    def finish(self, written: Sequence[WrittenShard], target: ExportTarget) -> ViewsExport:
        """Write the lists, which commit the export: readers of the layout begin there."""
        shards = [one for one in written if isinstance(one, ExportedViews)]
        views = [view for shard in shards for view in shard.views]
        images = (image for one in self.folders for image in one.read_backgrounds().images)
        write_lists(target.staging, views)
        return ViewsExport(
            to=str(target.to),
            views=len(views),
            skipped=sum(shard.skipped for shard in shards),
            unlisted=tuple(
                SampleReason(sample_id=view.sample_id, message=view.unlisted_because)
                for view in views
                if view.unlisted_because
            ),
            backgrounds=write_background_list(target.staging, images),
            failures=tuple(failure for one in written for failure in one.failures),
            missing=list_missing(self.folders, SAMPLES),
        )


def plan_export(folders: Sequence[DatasetFolder], target: ExportTarget) -> ViewsPlan:
    """Plan a piece for every committed shard; reads records only.

    Raises RequestError when a data set is none, has a resolution that the published code can't
    read, or the folder to write holds something already.
    """
    for folder in folders:
        resolution = folder.read_description().settings.resolution
        refuse_resolution(resolution, allow_other=target.allow_other_resolution)
    _refuse_used(target.to)
    return ViewsPlan(tuple(folders), tuple(_plan_pieces(folders, target.staging)))


def _plan_pieces(folders: Sequence[DatasetFolder], staging: Path) -> Iterator[ViewsPiece]:
    seen: set[str] = set()
    for folder in folders:
        settings = folder.read_description().settings
        for shard_id in folder.committed_shards():
            names = folder.read_manifest(shard_id).sample_ids
            yield ViewsPiece(
                folder=folder, shard_id=shard_id, staging=staging, settings=settings,
                repeated=frozenset(seen.intersection(names)),
            )  # fmt: skip
            seen.update(names)


def _refuse_used(to: Path) -> None:
    inside = sorted(to.iterdir()) if to.is_dir() else [to] * to.exists()
    if inside:
        raise RequestError(
            str(to), found=f"{inside[0].name!r} is there", expected="a new or empty folder",
            hint="Give another --to, or remove what an earlier export left.",
        )  # fmt: skip
