"""A folder of the published 2K2K layout as a data set: one shard for each scan."""

import socket
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from pydantic import BaseModel, ConfigDict

from schemas.dataset_folder import DatasetFolder, write_atomically
from schemas.errors import ScanmillError
from schemas.manifest import Failure, Manifest, PlannedShard
from schemas.scan import InputFile, ScanRef
from schemas.settings import (
    RenderSettings,
    digest_of,
)
from schemas.views import View
from tasks.dataset.card import write_card
from tasks.dataset.code_digest import code_digest
from tasks.dataset.planning import plan_new, read_plan
from tasks.dataset.preparation import prepare_dataset, settle_backgrounds
from tasks.dataset.shards import Row, write_shard
from tasks.dataset.versions import deciding_versions
from tasks.published.folder_settings import settle_settings
from tasks.published.folder_views import list_folder
from tasks.published.import_sample import assume_size, import_view
from tasks.samples.encoding import encode_sample

Progress = Callable[[int, int], None]
"""Called with scans done, and scans in all."""

RENDERER = "none: imported from pictures"


@dataclass(frozen=True, slots=True)
class EncodedView:
    """The row of a view, and the files that it was read from."""

    row: Row
    files: tuple[InputFile, ...]


class ImportSummary(BaseModel):
    """What an import made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    scans: int
    samples: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Tell whether every view became a sample."""
        return not self.failures


def import_2k2k(
    source: Path, uri: str, *, workers: int = 1, progress: Progress | None = None
) -> ImportSummary:
    """Make a data set of a rendered folder; shards that are committed already are kept.

    A view that can't be read is recorded as a failure, the others go on. Raises RequestError when
    the folder holds no view, or the data set has other settings; InputError for a broken list.
    """
    found = list_folder(source, split_seed=RenderSettings().split_seed)
    settings = settle_settings(source, found)
    folder = DatasetFolder.at(uri)
    prepare_dataset(folder, settings)
    settle_backgrounds(folder, None)
    plan_new(folder, found.scans, scans_per_shard=1)
    plan = read_plan(folder)
    done = set(folder.committed_shards())
    manifests: list[Manifest] = []
    for shard in (one for one in plan if one.shard_id not in done):
        manifests.append(_import_shard(source, folder, shard, settings, workers))
        if progress is not None:
            progress(len(manifests), len(plan) - len(done))
    write_card(folder)
    return ImportSummary(
        uri=uri,
        scans=len(manifests),
        samples=sum(one.rows for one in manifests),
        failures=tuple(failure for one in manifests for failure in one.failures),
    )


def _import_shard(
    source: Path,
    folder: DatasetFolder,
    shard: PlannedShard,
    settings: RenderSettings,
    workers: int,
) -> Manifest:
    started, began = _now(), perf_counter()
    inputs: dict[str, InputFile] = {}
    failures: list[Failure] = []
    with write_shard(folder.shard_path(shard.shard_id)) as writer:
        for made in _import_views(source, shard, settings, workers):
            if isinstance(made, Failure):
                failures.append(made)
            else:
                inputs.update((one.path, one) for one in made.files)
                writer.write(made.row)
        written = writer.finish()
    manifest = Manifest(
        shard_id=shard.shard_id, rows=len(written.sample_ids), bytes=written.bytes,
        sha256=written.sha256, settings_digest=digest_of(settings), code_digest=code_digest(),
        renderer=RENDERER, versions=deciding_versions(),
        inputs=tuple(inputs[name] for name in sorted(inputs)), sample_ids=written.sample_ids,
        failures=tuple(failures), started=started, ended=_now(),
        seconds={"read": round(perf_counter() - began, 4)}, host=socket.gethostname(),
    )  # fmt: skip
    write_atomically(folder.manifest_path(shard.shard_id), manifest.model_dump_json(indent=1))
    return manifest


def _import_views(
    source: Path, shard: PlannedShard, settings: RenderSettings, workers: int
) -> Iterator[EncodedView | Failure]:
    """Read and encode the views of a shard in threads, in the order of the settings."""
    under_way: deque[Future[EncodedView | Failure]] = deque()
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
) -> EncodedView | Failure:
    try:
        made = import_view(source, ref, view, settings, metres_per_unit=metres_per_unit)
    except ScanmillError as error:
        return Failure(
            sample_id=view.sample_id(ref.scan_id), stage="read", kind=error.kind,
            error=type(error).__name__, message=str(error),
        )  # fmt: skip
    return EncodedView(encode_sample(made.sample, jpeg_quality=settings.jpeg_quality), made.files)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
