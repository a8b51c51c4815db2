"""One shard under way: reads its scans, draws and encodes them, and keeps what it met.

A scan that can't be read, placed or drawn fails alone: its samples become failures.
"""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from renderers.session import DrawingSession
from schemas.errors import ScanmillError, as_utf8, kind_of
from schemas.fits import FitCheck
from schemas.manifest import Failure, Manifest, PlannedShard, utc_now
from schemas.scan import InputFile, ScanRef
from schemas.settings import RenderSettings, digest_of
from schemas.work import Job
from tasks.backgrounds import Backgrounds
from tasks.dataset.code_digest import code_digest
from tasks.dataset.shards import Row, WrittenShard
from tasks.dataset.versions import deciding_versions
from tasks.fits.body_model import BodyModel
from tasks.fits.check import describe_misfit
from tasks.samples.densepose_files import DenseposeFiles
from tasks.samples.drawing import Stopwatch, ViewFailure, draw_scan
from tasks.samples.encoding_threads import EncodedSample, encode_behind
from tasks.samples.scan_reading import load_scan
from tasks.scans.input_files import list_failed_background, list_inputs, list_inputs_of_failed


class ShardJob(Job):
    """Everything that a worker must know to render a shard; crosses process borders."""

    uri: str
    data_root: Path
    background_root: Path | None = None
    densepose_root: Path | None = None
    model_root: Path | None = None
    shard: PlannedShard
    settings: RenderSettings

    @property
    def name(self) -> str:
        """As in shard-00000."""
        return self.shard.shard_id


@dataclass(slots=True)
class ShardWork:
    """One shard under way: what it has met so far. Owns: nothing that must be closed."""

    job: ShardJob
    backgrounds: Backgrounds
    session: DrawingSession
    model: BodyModel | None = None
    densepose: DenseposeFiles | None = None
    # Taken before the work: what is edited meanwhile did not draw these pixels.
    code: str = field(default_factory=code_digest)
    begun_ns: int = field(default_factory=time.time_ns)
    watch: Stopwatch = field(default_factory=Stopwatch)
    encode_seconds: float = 0.0
    inputs: dict[tuple[str, str], InputFile] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    fits: list[FitCheck] = field(default_factory=list)

    def rows_of(self, ref: ScanRef) -> Iterator[Row]:
        """Yield the rows of one scan in the order of its views; failures are kept."""
        ids = [view.sample_id(ref.scan_id) for view in self.job.settings.views]
        pending = dict.fromkeys(ids)
        try:
            for made in self._make_samples(ref):
                pending.pop(made.sample_id, None)
                if isinstance(made, EncodedSample):
                    self.encode_seconds += made.seconds
                    self._keep_inputs((made.background,) if made.background else ())
                    yield made.row
                else:
                    self._keep_failure(made)
        except Exception as error:  # noqa: BLE001 - one scan fails alone, whatever it meets
            with suppress(OSError, ScanmillError):  # what can't be listed either is known to fail
                named = _thing_of(error)
                self._keep_inputs(list_inputs_of_failed(self.job.data_root, ref, named=named))
            for sample_id in pending:
                self._keep_failure(ViewFailure(sample_id, self.watch.stage, error))

    def describe(self, written: WrittenShard, started: str) -> Manifest:
        """Make the commit record."""
        job = self.job
        return Manifest(
            shard_id=job.shard.shard_id,
            rows=len(written.sample_ids),
            bytes=written.bytes,
            sha256=written.sha256,
            settings_digest=digest_of(job.settings),
            code_digest=self.code,
            renderer=self.session.context.info.renderer,
            versions=deciding_versions(with_body_model=self.model is not None),
            inputs=tuple(self.inputs[key] for key in sorted(self.inputs)),
            sample_ids=written.sample_ids,
            warnings=tuple(self.warnings),
            failures=tuple(self.failures),
            fits=tuple(self.fits),
            backgrounds_version=self.backgrounds.version,
            attempt=job.attempt,
            started=started,
            ended=utc_now(),
            seconds=self.seconds(),
            host=socket.gethostname(),
        )

    def seconds(self) -> dict[str, float]:
        """Return wall seconds by stage; encoding runs beside the others."""
        stages = (*self.watch.seconds.items(), ("encode", self.encode_seconds))
        return {stage: round(seconds, 4) for stage, seconds in sorted(stages)}

    def _make_samples(self, ref: ScanRef) -> Iterator["EncodedSample | ViewFailure"]:
        with self.watch.during("read"):
            # Digested before reading: a file that changes meanwhile is seen as changed later.
            self._keep_inputs(list_inputs(self.job.data_root, ref))
            if self.densepose is not None:
                self._keep_inputs(self.densepose.list_inputs(ref, self.job.settings.views))
            scan = load_scan(self.job.data_root, ref, model=self.model)
            self._keep_inputs(scan.files)
        self.warnings += [f"{ref.scan_id}: {warning}" for warning in scan.warnings]
        drawn = draw_scan(
            scan, self.job.settings, self.session,
            backgrounds=self.backgrounds, stopwatch=self.watch, densepose=self.densepose,
            on_fit=self._keep_fit,
            on_warning=lambda warning: self.warnings.append(f"{ref.scan_id}: {warning}"),
        )  # fmt: skip
        yield from encode_behind(drawn, jpeg_quality=self.job.settings.jpeg_quality)

    def _keep_fit(self, check: FitCheck) -> None:
        self.fits.append(check)
        if check.is_misfit:
            self.warnings.append(f"{check.scan_id}: {describe_misfit(check)}")

    def _keep_inputs(self, files: tuple[InputFile, ...]) -> None:
        for one in files:
            self.inputs.setdefault((one.root, one.path), one)

    def _keep_failure(self, failed: ViewFailure) -> None:
        named = _thing_of(failed.error)
        self._keep_inputs(list_failed_background(self.backgrounds.root, named))
        self.failures.append(
            Failure(
                sample_id=failed.sample_id,
                stage=failed.stage,
                kind=kind_of(failed.error),
                error=type(failed.error).__name__,
                message=as_utf8(str(failed.error)),
            )
        )


def _thing_of(error: Exception) -> str:
    return error.thing if isinstance(error, ScanmillError) else ""
