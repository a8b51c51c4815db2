"""What each shard of a data set is, decided from the files alone.

Quick: size and modification time against a local cache; what differs or is unknown is hashed.
Deep: every byte is read. Imports neither Prefect nor torch.
"""

from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.dataset_folder import DatasetFolder, Part
from schemas.dataset_reader import shard_name
from schemas.errors import InputError, MachineError
from schemas.local_store import LocalStore
from schemas.manifest import Failure, Manifest, Planned, ShardState, state_by_failures
from schemas.scan import InputFile
from schemas.work import Progress
from tasks.dataset.fingerprints import FingerprintCache
from tasks.dataset.input_notice import InputNotice
from tasks.dataset.known_states import KnownStates
from tasks.dataset.run_beats import RunBeat
from tasks.dataset.run_records import find_roots
from tasks.dataset.shard_kinds import RunRoots, ShardKind
from tasks.dataset.shards import count_rows
from tasks.scans.input_files import Roots, locate_input

REDONE_ALWAYS: frozenset[ShardState] = frozenset({"failed", "missing", "corrupt", "stale"})
"""What `rerun` redoes unasked. Source: docs/dataset-folder.md."""


LOOKS = 16
"""Shards in an object store that are looked at at a time: what waits is the store."""


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
    inputs_changed: bool = Field(default=False, description="stale because of its inputs")
    gone: tuple[str, ...] = Field(default=(), description="those of its scans that are gone")


class DatasetStatus(BaseModel):
    """All shards of a data set, in the order of the plan."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    deep: bool
    inputs_checked: bool = Field(description="False: the data root is not known or not there")
    samples_planned: int
    shards: tuple[ShardStatus, ...]
    videos: tuple[ShardStatus, ...] = Field(
        default=(), description="shards of frames and pairs, as this module decides them too"
    )
    runs: tuple[RunBeat, ...] = Field(default=(), description="that say that they are going on")

    new: tuple[str, ...] = Field(default=(), description="scans in the data roots, in no shard yet")

    @property
    def inputs(self) -> InputNotice:
        """Say which inputs are new, changed or removed."""
        all_shards = (*self.shards, *self.videos)
        return InputNotice(
            new=self.new,
            changed=tuple(name for one in all_shards if one.inputs_changed for name in one.scans),
            removed=tuple(name for one in all_shards for name in one.gone),
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
        """Return whether nothing is left to do: all shards done, or orphaned and kept."""
        return all(one.state in {"done", "orphaned"} for one in (*self.shards, *self.videos))


def dataset_status(
    folder: DatasetFolder,
    kind: ShardKind[Any],
    *,
    given: Mapping[str, Path] | None = None,
    deep: bool = False,
    progress: Progress | None = None,
) -> DatasetStatus:
    """Decide the state of every shard of one kind.

    given: roots by their names in tasks.dataset.run_records; others are those of the last run.
    Raises RequestError when the folder is no data set, InputError when its description or plan
    can't be read.
    """
    description = folder.read_description()
    plan = kind.read_plan(folder)
    roots = find_roots(folder, given or {})
    settings = kind.settings_digest(description)
    backgrounds = folder.read_backgrounds().version if kind.has_views else None
    key = repr((kind.code_digest(), settings, backgrounds, sorted(map(str, roots.items()))))
    remembers = kind.has_views and isinstance(folder.store, LocalStore) and not deep
    inspector = _Inspector(
        folder, kind, roots, FingerprintCache(folder, deep=deep),
        settings_digest=settings, backgrounds_version=backgrounds,
        known=KnownStates.load(folder.root, kind.label, key) if remembers else None,
    )  # fmt: skip
    shards, look = list[ShardStatus](), inspector.recall_or_look_at
    is_local = isinstance(folder.store, LocalStore)
    with ThreadPoolExecutor(LOOKS) as pool:
        for one in map(look, plan) if is_local else pool.map(look, plan):
            shards.append(one)
            if progress is not None:
                progress(len(shards), len(plan))
    if inspector.known is not None:
        inspector.known.flush()
    committed = {name for part in kind.parts for name in folder.committed_shards(part)}
    unplanned = sorted(committed - {shard.shard_id for shard in plan})
    views = len(description.settings.views)
    return DatasetStatus(
        uri=folder.address,
        deep=deep,
        inputs_checked=all(kind.roots_of(shard, roots)["data"] for shard in plan),
        samples_planned=sum(
            len(shard.names) * views if kind.has_views else known.rows
            for shard, known in zip(plan, shards, strict=True)
        ),
        new=kind.list_unplanned(plan, roots),
        shards=(*shards, *(_report_unplanned(shard_id) for shard_id in unplanned)),
    )


def _report_unplanned(shard_id: str) -> ShardStatus:
    """Report a shard that is committed but in no plan segment: kept, not redone."""
    return ShardStatus(
        shard_id=shard_id, scans=(), state="orphaned", source_gone=True,
        reasons=("no plan segment names it",),
    )  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class _Inspector:
    """What all shards of one look share. Owns: the memory of what was hashed."""

    folder: DatasetFolder
    kind: ShardKind[Any]
    roots: RunRoots
    cache: FingerprintCache
    settings_digest: str | None
    backgrounds_version: int | None
    known: KnownStates | None = None

    def recall_or_look_at(self, shard: Planned) -> ShardStatus:
        """Decide the state of one planned shard, without reading what did not change."""
        kept = self.known.recall(shard.shard_id) if self.known is not None else None
        if kept is not None:
            with suppress(ValidationError):
                return ShardStatus.model_validate(kept)
        return self.look_at(shard)

    def look_at(self, shard: Planned) -> ShardStatus:
        """Decide the state of one planned shard."""
        roots = self.kind.roots_of(shard, self.roots)
        data_root = roots["data"]
        gone = self.kind.list_gone(shard, data_root) if data_root is not None else ()
        status = ShardStatus(
            shard_id=shard.shard_id, scans=shard.names, state="missing", source_gone=bool(gone),
            gone=gone,
            reasons=tuple(f"{name}: the {self.kind.unit} is gone" for name in gone),
        )  # fmt: skip
        try:
            manifests = self._read_manifests(shard.shard_id)
        except InputError as error:
            return _update(status, "corrupt", f"manifest: {error.found}")
        if len(manifests) < len(self.kind.parts):
            return self._look_at_uncommitted(status)
        known = status.model_copy(
            update={
                "older_code": any(
                    one.code_digest != self.kind.code_digest() for one in manifests.values()
                ),
                "rows": list(manifests.values())[-1].rows,
                "bytes": sum(one.bytes for one in manifests.values()),
                "attempt": max(one.attempt for one in manifests.values()),
                "failures": tuple(f for one in manifests.values() for f in one.failures),
            }
        )
        return self._decide(known, shard, manifests, roots)

    def _look_at_uncommitted(self, status: ShardStatus) -> ShardStatus:
        """Distinguish a shard that could not be written from one that nobody tried."""
        if status.source_gone:
            return _update(status, "orphaned", "no commit record")
        try:
            failed = self.folder.read_failure(status.shard_id, self.kind.parts[0])
        except (FileNotFoundError, InputError):
            return _update(status, "missing", "no commit record")
        known = status.model_copy(update={"failures": failed.failures, "attempt": failed.attempt})
        return _update(known, "failed", *map(_explain, failed.failures))

    def _decide(
        self,
        status: ShardStatus,
        shard: Planned,
        manifests: Mapping[Part, Manifest],
        roots: Roots,
    ) -> ShardStatus:
        self.cache.recall(self.kind.cache_name(shard.shard_id))
        damage = self._find_damage(manifests)
        if damage:
            return _update(status, "corrupt", *damage)
        first = manifests[self.kind.parts[0]]
        changed = () if status.source_gone else self._find_changed_inputs(shard, first, roots)
        decisions = () if status.source_gone else self._find_other_decisions(manifests)
        self._remember(manifests, roots)
        if status.source_gone:
            return _update(status, "orphaned")
        if decisions or changed:
            known = status.model_copy(update={"inputs_changed": bool(changed)})
            return _update(known, "stale", *decisions, *changed)
        decided = _update(
            status, state_by_failures(status.failures), *map(_explain, status.failures)
        )
        self._keep(decided, manifests, roots)
        return decided

    def _keep(self, decided: ShardStatus, manifests: Mapping[Part, Manifest], roots: Roots) -> None:
        """Remember a state together with the files that decided it."""
        if self.known is None:
            return
        name_of = (self.folder.manifest_path, self.folder.shard_path)
        files = [path(decided.shard_id, part) for part in manifests for path in name_of]
        inputs = (locate_input(one, roots) for one in manifests[self.kind.parts[0]].inputs)
        kept = decided.model_dump(mode="json", exclude_defaults=True)
        self.known.remember(decided.shard_id, (*files, *filter(None, inputs)), kept)

    def _find_damage(self, manifests: Mapping[Part, Manifest]) -> tuple[str, ...]:
        """Compare the files with their records; rows are counted, bytes as deep as asked."""
        found = []
        for part, manifest in manifests.items():
            name = shard_name(manifest.shard_id, part)
            try:
                damage = self._compare_file(name, manifest)
            except MachineError as error:
                if not isinstance(self.folder.store, LocalStore):
                    raise  # a store that does not answer says nothing about its files
                damage = f": {error}"
            except (OSError, InputError) as error:
                damage = f": {error}"
            if damage:
                found.append(f"{name}{damage}")
        return tuple(found)

    def _compare_file(self, name: str, manifest: Manifest) -> str:
        found = self.cache.digest_stored(name)
        if found is None:
            return " is missing"
        if found.size != manifest.bytes:
            return f": not the file that was committed: {found.size} bytes, not {manifest.bytes}"
        if found.sha256 != manifest.sha256:
            return ": not the file that was committed: its sha256 is another"
        rows = self._count_rows(name, manifest.bytes)
        agrees = rows == manifest.rows == len(manifest.sample_ids)
        return "" if agrees else f": {rows} rows, {manifest.rows} committed"

    def _count_rows(self, name: str, size: int) -> int:
        store = self.folder.store
        if isinstance(store, LocalStore):
            return count_rows(store.root / name)
        rows: int = store.open_parquet(name, size).metadata.num_rows
        return rows

    def _find_other_decisions(self, manifests: Mapping[Part, Manifest]) -> tuple[str, ...]:
        """Say which decisions of the data set are no longer those it was made with."""
        first = manifests[self.kind.parts[0]]
        changes = []
        if self.backgrounds_version not in {None, first.backgrounds_version}:
            changes.append(
                f"drawn over version {first.backgrounds_version} of the backgrounds, "
                f"{self.backgrounds_version} is in use"
            )
        if any(one.settings_digest != self.settings_digest for one in manifests.values()):
            changes.append("made with other settings than the data set's")
        return tuple(changes)

    def _find_changed_inputs(
        self, shard: Planned, first: Manifest, roots: Roots
    ) -> tuple[str, ...]:
        """Say which inputs differ from those on record."""
        changes = [self._compare_input(one, roots) for one in first.inputs]
        if roots["data"] is not None:
            recorded = frozenset(one.path for one in first.inputs)
            new = self.kind.find_new(shard, roots["data"], recorded)
            changes += [f"{name} is new" for name in new]
        return tuple(filter(None, changes))

    def _compare_input(self, recorded: InputFile, roots: Roots) -> str:
        """Say how an input differs from its record; empty: not at all, or not to be known."""
        path = locate_input(recorded, roots)
        return "" if path is None else self.cache.compare(path, recorded)

    def _remember(self, manifests: Mapping[Part, Manifest], roots: Roots) -> None:
        first = manifests[self.kind.parts[0]]
        inputs = (locate_input(one, roots) for one in first.inputs)
        self.cache.remember(
            self.kind.cache_name(first.shard_id), tuple(filter(None, inputs)),
            stored=tuple(shard_name(first.shard_id, part) for part in manifests),
        )  # fmt: skip

    def _read_manifests(self, shard_id: str) -> dict[Part, Manifest]:
        found = {}
        for part in self.kind.parts:
            with suppress(FileNotFoundError):
                found[part] = self.folder.read_manifest(shard_id, part)
        return found


def _update(status: ShardStatus, state: ShardState, *reasons: str) -> ShardStatus:
    """Decide a state, with reasons beside those that are known."""
    return status.model_copy(update={"state": state, "reasons": (*status.reasons, *reasons)})


def _explain(failure: Failure) -> str:
    return f"{failure.sample_id}: {failure.error}: {failure.message}"
