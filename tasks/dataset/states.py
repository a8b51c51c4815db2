"""What each shard of a data set is, decided from the files alone.

Quick: size and modification time against a local cache; what differs or is unknown is hashed.
Deep: every byte is read. Imports neither Prefect nor torch.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.dataset_folder import DatasetFolder
from schemas.errors import ScanmillError
from schemas.manifest import (
    DatasetDescription,
    Failure,
    Manifest,
    PlannedShard,
    ShardState,
)
from schemas.scan import DatasetName, InputFile, ScanRef
from tasks.dataset.code_digest import code_digest
from tasks.dataset.fingerprints import FingerprintCache
from tasks.dataset.planning import read_plan
from tasks.dataset.preparation import read_backgrounds
from tasks.dataset.roots import data_root_of, find_roots, roots_of
from tasks.dataset.shards import count_rows
from tasks.scans.input_files import Roots, is_scan_gone, locate_input

REDONE_ALWAYS: frozenset[ShardState] = frozenset({"failed", "missing", "corrupt", "stale"})
"""What `rerun` redoes unasked. Source: docs/dataset-folder.md."""

Progress = Callable[[int, int], None]
"""Called with shards looked at, and shards in all."""


class ShardStatus(BaseModel):
    """One shard: its state, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard_id: str
    scans: tuple[str, ...] = Field(description="<dataset>/<item>")
    state: ShardState
    reasons: tuple[str, ...] = Field(default=(), description="why it is not simply done")
    older_code: bool = Field(default=False, description="made by other pixel-deciding code")
    source_gone: bool = Field(default=False, description="a scan of it is gone: it can't be redone")
    rows: int = 0
    bytes: int = 0
    attempt: int = Field(default=0, description="of the last commit; 0: never committed")
    failures: tuple[Failure, ...] = ()


class DatasetStatus(BaseModel):
    """All shards of a data set, in the order of the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    deep: bool
    inputs_checked: bool = Field(description="False: the data root is not known or not there")
    samples_planned: int
    shards: tuple[ShardStatus, ...]
    videos: tuple[ShardStatus, ...] = Field(
        default=(), description="shards of frames and pairs, as tasks.video.states decides them"
    )

    @property
    def counts(self) -> dict[str, int]:
        """Count the shards of each state, and those made by older code."""
        counts = Counter[str](shard.state for shard in self.shards)
        counts["older code"] = sum(shard.older_code for shard in self.shards)
        return {name: count for name, count in counts.items() if count}

    @property
    def samples(self) -> int:
        """Count the samples of the committed shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def failures(self) -> tuple[Failure, ...]:
        """List the samples that could not be made."""
        return tuple(failure for shard in self.shards for failure in shard.failures)

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left to do: all shards done, or orphaned and kept."""
        return all(one.state in {"done", "orphaned"} for one in (*self.shards, *self.videos))


def dataset_status(
    folder: DatasetFolder,
    *,
    given: Mapping[str, Path] | None = None,
    deep: bool = False,
    progress: Progress | None = None,
) -> DatasetStatus:
    """Decide the state of every shard of a data set.

    given: roots by their names in tasks.dataset.roots; others are those of the last run. Raises
    RequestError when the folder is no data set, InputError when its description or plan can't be
    read.
    """
    description = folder.read_description()
    plan = read_plan(folder)
    roots = find_roots(folder, given or {})
    inspector = _Inspector(
        folder, description, roots, FingerprintCache(folder.root, deep=deep),
        backgrounds_version=read_backgrounds(folder).version,
    )  # fmt: skip
    unplanned = sorted(set(folder.committed_shards()) - {shard.shard_id for shard in plan})
    shards = []
    for shard in plan:
        shards.append(inspector.look_at(shard))
        if progress is not None:
            progress(len(shards), len(plan))
    return DatasetStatus(
        uri=str(folder.root),
        deep=deep,
        inputs_checked=all(roots.get(data_root_of(name)) for name in _datasets(plan)),
        samples_planned=sum(len(shard.scans) for shard in plan) * len(description.settings.views),
        shards=(*shards, *(inspector.look_at_unplanned(shard_id) for shard_id in unplanned)),
    )


def shards_to_redo(
    status: DatasetStatus, *, rejects: bool = False, older_code: bool = False
) -> tuple[str, ...]:
    """List the shards that a rerun redoes, in the order of the plan.

    Failed, missing, corrupt and stale ones always; rejects when the code changed since, or when
    asked; what older code made when asked. What lost its scan is kept as it is.
    """
    return tuple(
        shard.shard_id
        for shard in status.shards
        if not shard.source_gone and _is_redone(shard, rejects=rejects, older_code=older_code)
    )


def _is_redone(shard: ShardStatus, *, rejects: bool, older_code: bool) -> bool:
    if shard.state in REDONE_ALWAYS:
        return True
    if shard.state == "rejects":
        return rejects or shard.older_code
    return older_code and shard.older_code


@dataclass(slots=True)
class _Inspector:
    """What all shards of one look share. Owns: the memory of what was hashed."""

    folder: DatasetFolder
    description: DatasetDescription
    roots: Roots
    cache: FingerprintCache
    backgrounds_version: int
    gone: dict[str, bool] = field(default_factory=dict)

    def look_at(self, shard: PlannedShard) -> ShardStatus:
        """Decide the state of one planned shard."""
        scans = tuple(ref.scan_id for ref in shard.scans)
        roots = roots_of(shard.scans[0].dataset, self.roots)
        gone = [ref.scan_id for ref in shard.scans if _is_gone(ref, roots)]
        reasons = [f"{scan_id}: the scan is gone" for scan_id in gone]
        try:
            manifest = self._read_manifest(shard.shard_id)
        except ScanmillError as error:
            return ShardStatus(
                shard_id=shard.shard_id, scans=scans, state="corrupt",
                reasons=(*reasons, f"manifest: {error.found}"), source_gone=bool(gone),
            )  # fmt: skip
        if manifest is None:
            return ShardStatus(
                shard_id=shard.shard_id, scans=scans, state="orphaned" if gone else "missing",
                reasons=(*reasons, "no commit record"), source_gone=bool(gone),
            )  # fmt: skip
        state, more = self._decide(manifest, roots, is_gone=bool(gone))
        return ShardStatus(
            shard_id=shard.shard_id, scans=scans, state=state, reasons=(*reasons, *more),
            older_code=manifest.code_digest != code_digest(), source_gone=bool(gone),
            rows=manifest.rows, bytes=manifest.bytes, attempt=manifest.attempt,
            failures=manifest.failures,
        )  # fmt: skip

    def look_at_unplanned(self, shard_id: str) -> ShardStatus:
        """Report a shard that is committed but in no plan segment: kept, not redone."""
        return ShardStatus(
            shard_id=shard_id, scans=(), state="orphaned", source_gone=True,
            reasons=("no plan segment names it",),
        )  # fmt: skip

    def _decide(
        self, manifest: Manifest, roots: Roots, *, is_gone: bool
    ) -> tuple[ShardState, tuple[str, ...]]:
        self.cache.recall(manifest.shard_id)
        damage = self._find_damage(manifest)
        if damage:
            return "corrupt", damage
        changes = () if is_gone else self._find_changes(manifest, roots)
        self._remember(manifest, roots)
        if is_gone:
            return "orphaned", ()
        if changes:
            return "stale", changes
        reasons = [f"{one.sample_id}: {one.error}: {one.message}" for one in manifest.failures]
        return manifest.state, tuple(reasons)

    def _find_damage(self, manifest: Manifest) -> tuple[str, ...]:
        """Compare the file with its commit record; rows are counted, bytes as deep as asked."""
        path = self.folder.shard_path(manifest.shard_id)
        try:
            found = self.cache.digest(path)
            if found is None:
                return (f"{path.name} is not there",)
            if found.size != manifest.bytes:
                return (f"{path.name}: {found.size} bytes, {manifest.bytes} committed",)
            if found.sha256 != manifest.sha256:
                return (f"{path.name}: its sha256 is not the committed one",)
            rows = count_rows(path)
        except (OSError, ScanmillError) as error:
            return (f"{path.name}: {error}",)
        agrees = rows == manifest.rows == len(manifest.sample_ids)
        return () if agrees else (f"{path.name}: {rows} rows, {manifest.rows} committed",)

    def _find_changes(self, manifest: Manifest, roots: Roots) -> tuple[str, ...]:
        changes = [self._compare(one, roots) for one in manifest.inputs]
        if manifest.settings_digest != self.description.settings_digest:
            changes.insert(0, "made with other settings than the data set's")
        if manifest.backgrounds_version != self.backgrounds_version:
            changes.insert(
                0,
                f"drawn over version {manifest.backgrounds_version} of the backgrounds, "
                f"{self.backgrounds_version} is in use",
            )
        return tuple(change for change in changes if change)

    def _compare(self, recorded: InputFile, roots: Roots) -> str:
        """Say how an input differs from its record; empty: not at all, or not to be known."""
        path = locate_input(recorded, roots)
        if path is None:
            return ""
        return self.cache.compare(path, recorded)

    def _remember(self, manifest: Manifest, roots: Roots) -> None:
        inputs = (locate_input(one, roots) for one in manifest.inputs)
        paths = (self.folder.shard_path(manifest.shard_id), *filter(None, inputs))
        self.cache.remember(manifest.shard_id, paths)

    def _read_manifest(self, shard_id: str) -> Manifest | None:
        try:
            return self.folder.read_manifest(shard_id)
        except FileNotFoundError:
            return None


def _is_gone(ref: ScanRef, roots: Roots) -> bool:
    data_root = roots["data"]
    return data_root is not None and is_scan_gone(data_root, ref)


def _datasets(plan: Iterable[PlannedShard]) -> set[DatasetName]:
    return {ref.dataset for shard in plan for ref in shard.scans}
