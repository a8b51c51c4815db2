"""How every export runs, whatever the format: planned, one piece a shard, put in place whole.

    to/.tmp-export-...   what is being made; gone at the end, whatever happens

A format's plan names the pieces and closes the export with its lists.
"""

import shutil
import uuid
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from schemas.atomic_files import TEMPORARY_PREFIX
from schemas.dataset_folder import DatasetFolder
from schemas.work import MapUnits, map_units
from tasks.dataset.shard_kinds import ShardKind
from tasks.formats.outcomes import ExportOutcome, SampleReason


@dataclass(frozen=True, slots=True)
class ExportTarget:
    """Where an export goes, and what is asked of it."""

    to: Path
    allow_other_resolution: bool = False
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def staging(self) -> Path:
        """Folder that the export is put together in."""
        return self.to / f"{TEMPORARY_PREFIX}export-{self.token}"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Make the staging folder; at the end of the block its content is moved to `to`.

        After an error or an interruption nothing is left of it.
        """
        self.staging.mkdir(parents=True)
        try:
            yield
            for path in sorted(self.staging.iterdir()):
                path.replace(self.to / path.name)
        finally:
            shutil.rmtree(self.staging, ignore_errors=True)


class WrittenShard(BaseModel):
    """What was written of one shard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failures: tuple[SampleReason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPiece(ABC):
    """One shard that is to be written below a staging folder; crosses process borders."""

    folder: DatasetFolder
    shard_id: str
    staging: Path

    @abstractmethod
    def write(self) -> WrittenShard:
        """Write the files of this shard."""


@dataclass(frozen=True, slots=True)
class ExportPlan(ABC):
    """All that an export has to write: folders is what it reads, in the order given."""

    folders: tuple[DatasetFolder, ...]
    pieces: tuple[ExportPiece, ...]

    @abstractmethod
    def finish(self, written: Sequence[WrittenShard], target: ExportTarget) -> ExportOutcome:
        """Write the lists into the staging folder and sum up; written: in the order of pieces."""

    def run(self, target: ExportTarget, *, run: MapUnits = map_units) -> ExportOutcome:
        """Write all pieces and put them in place; run: maps over the pieces.

        Raises InputError when a shard can't be read; then nothing is left of the export.
        """
        names = [f"{one.folder.name}/{one.shard_id}" for one in self.pieces]
        with target.open():
            written = run(_write, self.pieces, _number_repeated(names))
            return self.finish(written, target)


def _write(piece: ExportPiece) -> WrittenShard:
    return piece.write()


def _number_repeated(names: Sequence[str]) -> list[str]:
    """Make names unique: data sets may have the same name."""
    repeated = {name for name, count in Counter(names).items() if count > 1}
    return [f"{name} ({k})" if name in repeated else name for k, name in enumerate(names)]


def list_missing(folders: Sequence[DatasetFolder], *kinds: ShardKind[Any]) -> tuple[str, ...]:
    """Name the planned shards of some kinds that are not committed: <data set>: <shard>."""
    return tuple(
        f"{folder.address}: {kind.record_name(shard.shard_id)}"
        for folder in folders
        for kind in kinds
        for shard in kind.read_plan(folder)
        if not all(folder.is_committed(shard.shard_id, part) for part in kind.parts)
    )
