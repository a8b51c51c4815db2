"""How shards are committed, whatever they hold: written whole, the better of two kept, recorded.

    samples/shard-00000.parquet            appears when the last row is written and flushed
    manifests/samples/shard-00000.json     the commit record, written last
    failed/samples/shard-00000.json        why nothing could be written; removed by a commit

Between new rows and their record a shard counts as missing, or as corrupt where an older record is
there; never as something that it is not. Every change says what it saw before the work: of two
writers of one shard the first to publish rows is kept, and the other one's change is refused. Which
record belongs to the rows is decided by the rows alone.
"""

import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from schemas.dataset_folder import DatasetFolder, Part
from schemas.dataset_reader import failure_name, manifest_name, shard_name
from schemas.dataset_store import WHATEVER, ConflictError, DatasetStore, StagedFile, Stamp
from schemas.errors import InputError, MachineError
from schemas.fits import FitCheck
from schemas.manifest import (
    FailedShard,
    Failure,
    Manifest,
    ShardState,
    state_by_failures,
    utc_now,
)
from schemas.profiling import ProfileTable, profiling, span
from schemas.scan import InputFile
from schemas.settings import digest_of
from schemas.worker_use import WorkerUse
from tasks.dataset.claims import claim_shard
from tasks.dataset.code_digest import deciding_versions
from tasks.dataset.fingerprints import FingerprintCache
from tasks.dataset.shard_kinds import ShardJob
from tasks.dataset.shards import ShardFormat, ShardWriter, WrittenShard
from tasks.scans.input_files import locate_input
from tasks.worker_beats import at_unit


class ShardOutcome(BaseModel):
    """What became of a shard; committed is False when the files of before are as they were."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard_id: str
    names: tuple[str, ...] = Field(description="scans or videos of the shard")
    state: ShardState
    row_counts: dict[Part, int] = Field(default_factory=dict)
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...] = ()
    bytes: int = 0
    seconds: dict[str, float] = Field(default_factory=dict, description="wall seconds by stage")
    committed: bool = True
    made_by: str = Field(default="", description="another run that has made it, or is making it")
    use: WorkerUse | None = Field(default=None, description="what its worker took for it")
    profile: ProfileTable | None = Field(default=None, description="where the time went, if asked")

    @property
    def rows(self) -> int:
        """Rows of the last part, which is what people count: samples or pairs."""
        return next(reversed(self.row_counts.values()), 0)

    @property
    def frames(self) -> int:
        """Rows of `frames`."""
        return self.row_counts.get("frames", 0)


@dataclass(slots=True, kw_only=True)
class ShardWork(ABC):
    """One shard in the making: what it found so far. Owns: nothing that must be closed.

    code, begun_ns: taken before the work: what is edited meanwhile did not make these rows.
    inputs: by root and path. failures: by the part whose record keeps them. keeps_normals: new
    frames hold predicted normals where the old ones did.
    """

    job: ShardJob
    code: str = field(init=False)
    begun_ns: int = field(default_factory=time.time_ns)
    started: str = field(default_factory=utc_now)
    renderer: str = "none"
    with_body_model: bool = False
    keeps_normals: bool = False
    backgrounds_version: int = 1
    inputs: dict[tuple[str, str], InputFile] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    failures: dict[Part, list[Failure]] = field(init=False)
    fits: list[FitCheck] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Digest the code, and begin with no failure."""
        self.code = self.job.kind.code_digest()
        self.failures = {part: [] for part in self.job.kind.parts}

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files that it writes, in their order; the others stay as they are."""
        return self.job.kind.parts

    @abstractmethod
    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Write the rows of all parts; keeps inputs, failures, warnings and seconds."""

    def keep_inputs(self, files: Iterable[InputFile]) -> None:
        """Keep what decides the rows; the first digest of a file counts."""
        for one in files:
            self.inputs.setdefault((one.root, one.path), one)

    @property
    def all_failures(self) -> tuple[Failure, ...]:
        """The failures of all parts, in their order."""
        return tuple(one for failures in self.failures.values() for one in failures)

    def describe(self, part: Part, written: WrittenShard) -> Manifest:
        """Make the commit record of one part."""
        return Manifest(
            shard_id=self.job.shard.shard_id,
            rows=len(written.sample_ids),
            bytes=written.bytes,
            sha256=written.sha256,
            settings_digest=digest_of(self.job.settings),
            code_digest=self.code,
            renderer=self.renderer,
            versions=deciding_versions(with_body_model=self.with_body_model),
            inputs=tuple(self.inputs[key] for key in sorted(self.inputs)),
            sample_ids=written.sample_ids,
            warnings=tuple(self.warnings),
            failures=tuple(self.failures[part]),
            fits=tuple(self.fits),
            backgrounds_version=self.backgrounds_version,
            attempt=self.job.attempt,
            started=self.started,
            ended=utc_now(),
            seconds=self.seconds,
            host=socket.gethostname(),
        )


def commit_shard(work: ShardWork) -> ShardOutcome:
    """Write the files of a shard and commit them.

    When the machine fails (disk, memory, device) the outcome says so and nothing is committed;
    neither is it when what is there has more rows than the machine let this one have, nor when
    another run makes the shard, or was faster.
    """
    folder = DatasetFolder.at(work.job.uri)
    try:
        with claim_shard(folder, work.job) as other:
            return _leave_to(work.job, other) if other else _make(folder, work)
    except ConflictError as error:
        return _leave_to(work.job, error.found)
    except (OSError, MemoryError, MachineError) as error:
        return fail_shard(work.job, error, known=work.all_failures)


def _make(folder: DatasetFolder, work: ShardWork) -> ShardOutcome:
    if not work.job.profiled:
        return _write(folder, work)
    with profiling() as profile, span("commit"):
        outcome = _write(folder, work)
    return outcome.model_copy(update={"profile": profile.table})


def _write(folder: DatasetFolder, work: ShardWork) -> ShardOutcome:
    shard_id, parts = work.job.shard.shard_id, work.job.kind.parts
    manifests = _write_parts(folder, work)
    folder.store.remove(failure_name(shard_id, parts[0]), seen=WHATEVER)
    _remember(folder, work, manifests)
    return ShardOutcome(
        shard_id=shard_id,
        names=work.job.shard.names,
        state=state_by_failures(work.all_failures),
        row_counts={part: one.rows for part, one in manifests.items()},
        failures=work.all_failures,
        warnings=tuple(work.warnings),
        bytes=sum(one.bytes for one in manifests.values()),
        seconds=dict(work.seconds),
    )


def _leave_to(job: ShardJob, other: str) -> ShardOutcome:
    """Leave a shard as another run has made it, or is making it."""
    return ShardOutcome(
        shard_id=job.shard.shard_id, names=job.shard.names, state="missing", failures=(),
        committed=False, made_by=other,
    )  # fmt: skip


def fail_shard(job: ShardJob, error: Exception, *, known: Iterable[Failure] = ()) -> ShardOutcome:
    """Record that a shard could not be written at all, and why; returns its outcome.

    known: samples that failed for reasons of their own. What can't be recorded either, as on a
    full disk, is in the outcome alone.
    """
    own = {one.sample_id: one for one in (*job.lost, *known)}
    failures = tuple(
        own.get(sample_id) or Failure.of(sample_id, error, "write", kind="environment")
        for sample_id in job.sample_ids
    )
    record = FailedShard(
        shard_id=job.shard.shard_id, attempt=job.attempt, failures=failures, ended=utc_now(),
        host=socket.gethostname(),
    )  # fmt: skip
    name = failure_name(job.shard.shard_id, job.kind.parts[0])
    with suppress(OSError, MachineError):
        store = DatasetFolder.at(job.uri).store
        store.write(name, record.model_dump_json(indent=1), seen=WHATEVER)
    return ShardOutcome(
        shard_id=job.shard.shard_id, names=job.shard.names, state="failed", failures=failures,
        committed=False,
    )  # fmt: skip


def _write_parts(folder: DatasetFolder, work: ShardWork) -> dict[Part, Manifest]:
    """Write all rows, then publish them, then their records; returns these."""
    store, shard_id = folder.store, work.job.shard.shard_id
    seen = {part: store.stamp(shard_name(shard_id, part)) for part in work.parts}
    store.sweep(work.parts)
    with ExitStack() as files:
        staged: dict[Part, StagedFile] = {}
        writers: dict[Part, ShardWriter] = {}
        for part in work.parts:
            staged[part] = files.enter_context(store.stage(shard_name(shard_id, part)))
            layout = work.job.formats[part]
            writers[part] = files.enter_context(_abandoning(staged[part], layout))
        with nullcontext() if work.job.kind.has_views else at_unit(work.job.shard.names[0]):
            work.write_rows(writers)
        _warn_of_lost_normals(folder, work)
        written = {part: writer.finish() for part, writer in writers.items()}
        _keep_the_better(folder, work, written)
        with span("flush and publish"):
            stamps = {part: staged[part].publish(seen[part]) for part in work.parts}
    manifests = {part: work.describe(part, one) for part, one in written.items()}
    with span("record"):
        for part, manifest in manifests.items():
            _record(store, part, manifest, stamps[part])
    return manifests


@contextmanager
def _abandoning(staged: StagedFile, layout: ShardFormat) -> Iterator[ShardWriter]:
    """Write rows into a staged file; after an error nothing more is written."""
    writer = ShardWriter(staged.file, layout)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise


def _record(store: DatasetStore, part: Part, manifest: Manifest, rows: Stamp) -> None:
    """Write the commit record of published rows.

    The record follows the rows: while these rows are in place, a record that another run wrote
    meanwhile is replaced; when they are not, ours is taken back. Raises ConflictError then.
    """
    rows_name = shard_name(manifest.shard_id, part)
    name, text = manifest_name(manifest.shard_id, part), manifest.model_dump_json(indent=1)
    while store.stamp(rows_name) == rows:
        with suppress(ConflictError):
            written = store.write(name, text, seen=store.stamp(name))
            if store.stamp(rows_name) == rows:
                return
            store.remove(name, seen=written)
    raise ConflictError.at(store.where(rows_name))


def _warn_of_lost_normals(folder: DatasetFolder, work: ShardWork) -> None:
    """Warn where frames that are made again held predicted normals."""
    if work.keeps_normals or "frames" not in work.parts:
        return
    with suppress(OSError, InputError):
        held = folder.read_manifest(work.job.shard.shard_id, "frames")
        if held.predicted_by is not None:
            work.warnings.append(
                f"{work.job.shard.names[0]}: made again without its predicted normals; run the "
                f"stage hdnet-predict-normals again"
            )


def _keep_the_better(
    folder: DatasetFolder, work: ShardWork, written: Mapping[Part, WrittenShard]
) -> None:
    """Raise MachineError when a failing machine would replace a shard by one with fewer rows."""
    lost = [one for one in work.all_failures if one.kind == "environment"]
    held = _held_rows(folder, work) if lost else {}
    for part, rows in held.items():
        new = len(written[part].sample_ids)
        if rows > new:
            raise MachineError(
                work.job.shard.shard_id,
                found=f"{new} {part}, the others lost to this machine: {lost[-1].message}",
                expected=f"at least the {rows} of the shard that exists, which is kept",
                hint="Fix the machine and run `scanmill rerun`.",
            )


def _held_rows(folder: DatasetFolder, work: ShardWork) -> dict[Part, int]:
    """Count the rows of the committed shard; none where a file of it is missing or cut."""
    rows, shard_id = dict[Part, int](), work.job.shard.shard_id
    for part in work.parts:
        try:
            held = folder.read_manifest(shard_id, part)
        except (OSError, InputError):
            return {}
        there = folder.store.stamp(shard_name(shard_id, part))
        if there is None or there.size != held.bytes:
            return {}
        rows[part] = held.rows
    return rows


def _remember(folder: DatasetFolder, work: ShardWork, manifests: Mapping[Part, Manifest]) -> None:
    """Store what was just hashed, so that the next quick look reads nothing of it."""
    cache = FingerprintCache(folder)
    names = [shard_name(work.job.shard.shard_id, part) for part in manifests]
    for name, manifest in zip(names, manifests.values(), strict=True):
        cache.trust_stored(name, manifest.sha256)
    inputs = []
    for one in work.inputs.values():
        path = locate_input(one, work.job.roots)
        if path is not None and one.sha256 is not None:
            cache.trust(path, one.sha256, unchanged_since_ns=work.begun_ns)
            inputs.append(path)
    shard = work.job.kind.cache_name(work.job.shard.shard_id)
    cache.remember(shard, tuple(inputs), stored=tuple(names))
