"""Samples that others made, committed as shards of a data set: what every import shares."""

import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

from pydantic import BaseModel, ConfigDict

from schemas.dataset_folder import DatasetFolder, write_atomically
from schemas.errors import ScanmillError
from schemas.manifest import Failure, Manifest, PlannedShard, utc_now
from schemas.scan import InputFile, ScanRef
from schemas.settings import RenderSettings, digest_of
from tasks.dataset.card import write_card
from tasks.dataset.code_digest import code_digest
from tasks.dataset.planning import plan_new, read_plan
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds
from tasks.dataset.shards import Row, write_shard
from tasks.dataset.versions import deciding_versions

Progress = Callable[[int, int], None]
"""Called with shards done, from 0 on, and shards in all."""

RENDERER = "none: imported from images"


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """The row of a sample, and the files that it was read from."""

    row: Row
    files: tuple[InputFile, ...]


Imported = ImportedRow | Failure


class ImportSummary(BaseModel):
    """What an import made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    scans: int
    samples: int
    failures: tuple[Failure, ...]

    @property
    def passed(self) -> bool:
        """Tell whether all that was there became samples."""
        return not self.failures


def import_shards(
    uri: str,
    refs: Sequence[ScanRef],
    settings: RenderSettings,
    read: Callable[[PlannedShard], Iterable[Imported]],
    *,
    scans_per_shard: int,
    progress: Progress | None,
) -> ImportSummary:
    """Plan what is new and commit what is not committed yet; read: makes the rows of a shard.

    Raises RequestError when the data set has other settings.
    """
    folder = DatasetFolder.at(uri)
    prepare_dataset(folder, settings)
    resolve_backgrounds(folder, None)
    plan_new(folder, refs, scans_per_shard=scans_per_shard)
    done = set(folder.committed_shards())
    left = [shard for shard in read_plan(folder) if shard.shard_id not in done]
    manifests: list[Manifest] = []
    if progress is not None:
        progress(0, len(left))
    for shard in left:
        manifests.append(_commit(folder, shard, settings, read(shard)))
        if progress is not None:
            progress(len(manifests), len(left))
    write_card(folder)
    return ImportSummary(
        uri=uri,
        scans=sum(len(shard.scans) for shard in left),
        samples=sum(one.rows for one in manifests),
        failures=tuple(failure for one in manifests for failure in one.failures),
    )


def unreadable(sample_id: str, error: ScanmillError) -> Failure:
    """Record a sample that could not be read."""
    return Failure(
        sample_id=sample_id, stage="read", kind=error.kind, error=type(error).__name__,
        message=str(error),
    )  # fmt: skip


def _commit(
    folder: DatasetFolder,
    shard: PlannedShard,
    settings: RenderSettings,
    found: Iterable[Imported],
) -> Manifest:
    started, began = utc_now(), perf_counter()
    inputs: dict[str, InputFile] = {}
    failures: list[Failure] = []
    with write_shard(folder.shard_path(shard.shard_id)) as writer:
        for one in found:
            if isinstance(one, Failure):
                failures.append(one)
                continue
            writer.write(one.row)
            inputs.update((file.path, file) for file in one.files)
        written = writer.finish()
    manifest = Manifest(
        shard_id=shard.shard_id, rows=len(written.sample_ids), bytes=written.bytes,
        sha256=written.sha256, settings_digest=digest_of(settings), code_digest=code_digest(),
        renderer=RENDERER, versions=deciding_versions(),
        inputs=tuple(inputs[name] for name in sorted(inputs)), sample_ids=written.sample_ids,
        failures=tuple(failures), started=started, ended=utc_now(),
        seconds={"read": round(perf_counter() - began, 4)}, host=socket.gethostname(),
    )  # fmt: skip
    write_atomically(folder.manifest_path(shard.shard_id), manifest.model_dump_json(indent=1))
    return manifest
