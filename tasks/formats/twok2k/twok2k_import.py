"""A folder of the published 2K2K layout as a data set: one shard for each scan."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from schemas.errors import ScanmillError
from schemas.manifest import PlannedShard
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.views import View
from tasks.dataset.imported import (
    Imported,
    ImportedRow,
    ImportSummary,
    Progress,
    import_shards,
    unreadable,
)
from tasks.formats.twok2k.folder_settings import resolve_settings
from tasks.formats.twok2k.folder_views import list_folder
from tasks.formats.twok2k.import_view import assume_size, import_view
from tasks.samples.encoding import encode_sample


def import_2k2k(
    source: Path, uri: str, *, workers: int = 1, progress: Progress | None = None
) -> ImportSummary:
    """Make a data set of a rendered folder; shards that are committed already are kept.

    A view that can't be read is recorded as a failure, the others go on. Raises RequestError when
    the folder holds no view, or the data set has other settings; InputError for a broken list.
    """
    found = list_folder(source, split_seed=RenderSettings().split_seed)
    settings = resolve_settings(source, found)

    def read(shard: PlannedShard) -> Iterator[Imported]:
        return _import_views(source, shard, settings, workers)

    return import_shards(uri, found.scans, settings, read, scans_per_shard=1, progress=progress)


def _import_views(
    source: Path, shard: PlannedShard, settings: RenderSettings, workers: int
) -> Iterator[Imported]:
    """Read and encode the views of a shard in threads, in the order of the settings."""
    under_way: deque[Future[Imported]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for ref in shard.scans:
            metres = assume_size(source, ref, settings)
            for view in settings.views:
                under_way.append(pool.submit(_import_one, source, ref, view, settings, metres))
                if len(under_way) > workers:
                    yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()


def _import_one(
    source: Path, ref: ScanRef, view: View, settings: RenderSettings, metres_per_unit: float
) -> Imported:
    try:
        made = import_view(source, ref, view, settings, metres_per_unit=metres_per_unit)
    except ScanmillError as error:
        return unreadable(view.sample_id(ref.scan_id), error)
    return ImportedRow(encode_sample(made.sample, jpeg_quality=settings.jpeg_quality), made.files)
