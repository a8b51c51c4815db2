"""What an import reads from a published folder, whatever the format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import ScanmillError
from schemas.manifest import PlannedShard
from schemas.pairing import PairSettings
from schemas.sample import Sample
from schemas.scan import InputFile, ScanRef, VideoRef
from schemas.settings import RenderSettings
from schemas.views import View
from schemas.work import Progress, map_in_threads
from tasks.dataset.imported import Imported, ImportedRow, import_shards, unreadable
from tasks.formats.outcomes import ImportOutcome
from tasks.samples.encoding import encode_sample


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
    workers: int = 1,
    progress: Progress | None = None,
) -> ImportOutcome:
    """Make a data set of the samples of a folder; shards that are committed already are kept.

    A view that can't be read is recorded as a failure, the others go on. Raises RequestError when
    the data set has other settings.
    """
    settings = source.settings

    def read_one(pair: tuple[ScanRef, View]) -> Imported:
        ref, view = pair
        try:
            made = read_sample(root, ref, view, settings)
            row = encode_sample(made.sample, jpeg_quality=settings.jpeg_quality)
        except ScanmillError as error:
            return unreadable(view.sample_id(ref.scan_id), error)
        return ImportedRow(row, made.files)

    def read(shard: PlannedShard) -> Iterator[Imported]:
        pairs = ((ref, view) for ref in shard.scans for view in settings.views)
        return map_in_threads(read_one, pairs, threads=workers)

    made = import_shards(
        uri, source.refs, settings, read, scans_per_shard=source.scans_per_shard, progress=progress
    )
    return ImportOutcome(
        uri=uri, scans=made.scans, samples=made.samples, failures=made.failures
    )  # fmt: skip
