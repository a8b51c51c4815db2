"""Data sets into the published 2K2K layout, one sample at a time.

Memory holds as many samples as there are workers, however big the data set is.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError, ScanmillError
from schemas.manifest import Background
from schemas.settings import RenderSettings
from tasks.dataset.planning import read_plan
from tasks.dataset.preparation import read_backgrounds
from tasks.dataset.shards import read_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.twok2k.depth16 import refuse_resolution
from tasks.formats.twok2k.export_view import ExportedView, export_sample, is_exported
from tasks.formats.twok2k.view_lists import ListWriter, write_background_list

Progress = Callable[[int, int], None]
"""Called with samples done, and samples in all."""

MAX_FAILURES_LISTED = 1000


class ExportFailure(BaseModel):
    """One sample that could not be exported, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_id: str
    message: str


class ExportSummary(BaseModel):
    """What an export wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: str
    views: int = Field(description="samples written")
    skipped: int = Field(description="samples of cameras that the layout has no place for")
    backgrounds: int = Field(description="lines of the background list")
    failures: tuple[ExportFailure, ...] = Field(description="the first thousand")
    missing: tuple[str, ...] = Field(
        default=(), description="planned shards that are not there: <data set>: <shard>"
    )

    @property
    def passed(self) -> bool:
        """Tell whether every sample with a place in the layout was written."""
        return not self.failures and not self.missing


def export_2k2k(
    uris: Iterable[str],
    target: Path,
    *,
    allow_other_resolution: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> ExportSummary:
    """Write data sets in the published layout; target: a new or empty folder.

    The lists come last and commit the export. A sample that can't be written is listed, the
    others go on. Raises RequestError when a data set is none, has a resolution that the
    published code can't read, or target holds something already.
    """
    folders = [_open(uri, allow_other_resolution=allow_other_resolution) for uri in uris]
    _refuse_used(target)
    total = count_samples(str(folder.root) for folder in folders)
    counts = {"views": 0, "skipped": 0}
    failures: list[ExportFailure] = []
    with ListWriter(target) as lists:
        for done, outcome in enumerate(_export_all(folders, target, workers), start=1):
            if isinstance(outcome, ExportedView):
                counts["views"] += 1
                lists.add(outcome)
            elif outcome is None:
                counts["skipped"] += 1
            elif len(failures) < MAX_FAILURES_LISTED:
                failures.append(outcome)
            if progress is not None:
                progress(done, total)
        backgrounds = write_background_list(target, _list_backgrounds(folders))
    return ExportSummary(
        to=str(target),
        backgrounds=backgrounds,
        failures=tuple(failures),
        missing=tuple(_list_missing(folders)),
        **counts,
    )


Outcome = ExportedView | ExportFailure | None
"""None: a sample of a camera without a place in the layout."""


def _export_all(folders: list[DatasetFolder], target: Path, workers: int) -> Iterator[Outcome]:
    """Export in threads, in the order of the samples, with a few of them under way."""
    under_way: deque[Future[Outcome]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for sample in _read_samples(folders):
            under_way.append(pool.submit(_export_one, sample, target))
            if len(under_way) > workers:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _export_one(sample: StoredSample, target: Path) -> Outcome:
    try:
        return export_sample(sample, target) if is_exported(sample) else None
    except ScanmillError as error:
        return ExportFailure(sample_id=sample.sample_id, message=str(error))


def _read_samples(folders: list[DatasetFolder]) -> Iterator[StoredSample]:
    for folder in folders:
        settings = _settings(folder)
        for shard_id in folder.committed_shards():
            for row in read_rows(folder.shard_path(shard_id)):
                yield StoredSample(row, settings)


def _open(uri: str, *, allow_other_resolution: bool) -> DatasetFolder:
    folder = DatasetFolder.at(uri)
    refuse_resolution(_settings(folder).resolution, allow_other=allow_other_resolution)
    return folder


def _settings(folder: DatasetFolder) -> RenderSettings:
    return folder.read_description().settings


def count_samples(uris: Iterable[str]) -> int:
    """Count the samples of data sets by their commit records."""
    folders = (DatasetFolder.at(uri) for uri in uris)
    return sum(
        folder.read_manifest(shard_id).rows
        for folder in folders
        for shard_id in folder.committed_shards()
    )


def _list_missing(folders: list[DatasetFolder]) -> Iterator[str]:
    for folder in folders:
        there = set(folder.committed_shards())
        planned = (shard.shard_id for shard in read_plan(folder))
        yield from (f"{folder.root}: {name}" for name in planned if name not in there)


def _list_backgrounds(folders: list[DatasetFolder]) -> Iterator[Background]:
    for folder in folders:
        yield from read_backgrounds(folder).images


def _refuse_used(target: Path) -> None:
    found = "a file" if target.is_file() else next((p.name for p in _inside(target)), None)
    if found is not None:
        raise RequestError(
            str(target), found=f"{found!r} is there", expected="a new or empty folder",
            hint="Give another --to, or remove what an earlier export left.",
        )  # fmt: skip


def _inside(target: Path) -> Iterable[Path]:
    return sorted(target.iterdir()) if target.is_dir() else ()
