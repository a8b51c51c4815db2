"""Render one shard: reads its scans, draws and encodes them, and keeps what went wrong.

A scan that can't be read, placed or drawn fails alone: its samples become failures.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from renderers.session import DrawingSession, current_session
from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import RequestError, ScanmillError
from schemas.fits import FitCheck
from schemas.manifest import Failure
from schemas.scan import ScanRef
from tasks.backgrounds import Backgrounds
from tasks.dataset.commit import ShardOutcome, ShardWork, commit_shard
from tasks.dataset.shards import Row, ShardWriter
from tasks.fits.body_model import BodyModel, open_body_model
from tasks.fits.check import describe_misfit
from tasks.machine.memory_limit import explain_memory
from tasks.samples.densepose_files import DenseposeFiles
from tasks.samples.drawing import Stopwatch, ViewFailure, draw_scan
from tasks.samples.encoding_threads import EncodedSample, encode_behind
from tasks.samples.sample_shards import RenderJob
from tasks.samples.scan_reading import load_scan
from tasks.scans.input_files import list_failed_background, list_inputs, list_inputs_of_failed
from tasks.worker_beats import at_unit


def render_shard(job: RenderJob) -> ShardOutcome:
    """Render, write and commit one shard in this process's drawing session.

    Raises MachineError when the process has no session, RequestError when the data set was begun
    with backgrounds, a model or DensePose images and no folder for them is given.
    """
    backgrounds = _open_backgrounds(DatasetFolder.at(job.uri), job.background_root)
    session, model = current_session(), _open_model(job)
    work = _RenderWork(
        job=job, session=session, backgrounds=backgrounds, model=model,
        densepose=_open_densepose(job), renderer=session.context.info.renderer,
        with_body_model=model is not None, backgrounds_version=backgrounds.version,
    )  # fmt: skip
    return commit_shard(work)


@dataclass(slots=True, kw_only=True)
class _RenderWork(ShardWork):
    """One shard in the making, and what it is drawn with."""

    job: RenderJob
    session: DrawingSession
    backgrounds: Backgrounds
    model: BodyModel | None
    densepose: DenseposeFiles | None
    watch: Stopwatch = field(default_factory=Stopwatch)
    encode_seconds: float = 0.0

    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Write the samples of all scans; encoding runs beside the other stages."""
        self.failures["samples"] += self.job.lost
        for ref in self.job.shard.scans:
            if ref.scan_id not in self.job.lost_scans:
                with at_unit(ref.scan_id, lambda: self.watch.stage):
                    self._write_scan(ref, writers["samples"])
        stages = (*self.watch.seconds.items(), ("encode", self.encode_seconds))
        self.seconds = {stage: round(seconds, 4) for stage, seconds in sorted(stages)}

    def _write_scan(self, ref: ScanRef, writer: ShardWriter) -> None:
        for row in self._rows_of(ref):
            with self.watch.during("write"):
                writer.write(row)

    def _rows_of(self, ref: ScanRef) -> Iterator[Row]:
        """Yield the rows of one scan in the order of its views; failures are kept."""
        pending = dict.fromkeys(view.sample_id(ref.scan_id) for view in self.job.settings.views)
        try:
            for made in self._make_samples(ref):
                pending.pop(made.sample_id, None)
                if isinstance(made, EncodedSample):
                    self.encode_seconds += made.seconds
                    self.keep_inputs((made.background,) if made.background else ())
                    yield made.row
                else:
                    self._keep_failure(made)
        except Exception as error:  # noqa: BLE001 - one scan fails alone, whatever it meets
            with suppress(OSError, ScanmillError):  # what can't be listed either is known to fail
                named = _thing_of(error)
                self.keep_inputs(list_inputs_of_failed(self.job.data_root, ref, named=named))
            for sample_id in pending:
                self._keep_failure(ViewFailure(sample_id, self.watch.stage, error))

    def _make_samples(self, ref: ScanRef) -> Iterator[EncodedSample | ViewFailure]:
        with self.watch.during("read"):
            # Digested before reading: a file that changes meanwhile is seen as changed later.
            self.keep_inputs(list_inputs(self.job.data_root, ref))
            if self.densepose is not None:
                self.keep_inputs(self.densepose.list_inputs(ref, self.job.settings.views))
            scan = load_scan(
                self.job.data_root, ref, model=self.model,
                resolution=self.job.settings.resolution,
            )  # fmt: skip
            self.keep_inputs(scan.files)
        self.warnings += [f"{ref.scan_id}: {warning}" for warning in scan.warnings]
        drawn = draw_scan(
            scan, self.job.settings, self.session,
            backgrounds=self.backgrounds, stopwatch=self.watch, densepose=self.densepose,
            on_fit=self._keep_fit,
            on_warning=lambda warning: self.warnings.append(f"{ref.scan_id}: {warning}"),
        )  # fmt: skip
        yield from encode_behind(drawn, self.job.settings)

    def _keep_fit(self, check: FitCheck) -> None:
        self.fits.append(check)
        if check.is_misfit:
            self.warnings.append(f"{check.scan_id}: {describe_misfit(check)}")

    def _keep_failure(self, failed: ViewFailure) -> None:
        named = _thing_of(failed.error)
        self.keep_inputs(list_failed_background(self.backgrounds.root, named))
        failure = Failure.of(failed.sample_id, explain_memory(failed.error), failed.stage)
        self.failures["samples"].append(failure)


def _open_backgrounds(folder: DatasetFolder, root: Path | None) -> Backgrounds:
    frozen = folder.read_backgrounds()
    if frozen.images:
        root = _require("folder", "--backgrounds", root)
    return Backgrounds(root, frozen.images, frozen.version)


def _open_model(job: RenderJob) -> BodyModel | None:
    """Open the SMPL-X model that the data set was begun with, if it was."""
    if not job.settings.smplx_model:
        return None
    return open_body_model(
        _require("model", "--smplx-models", job.model_root), job.settings.smplx_model
    )


def _open_densepose(job: RenderJob) -> DenseposeFiles | None:
    """Open the DensePose images that the data set was begun with, if it was."""
    if not job.settings.iuv_files:
        return None
    return DenseposeFiles(_require("folder", "--densepose", job.densepose_root))


def _require(what: str, option: str, root: Path | None) -> Path:
    """Refuse to go on without what the data set was begun with."""
    if root is None:
        raise RequestError(
            option, found="no folder", expected=f"the {what} that the data set was begun with",
            hint=f"Give {option}.",
        )  # fmt: skip
    return root


def _thing_of(error: Exception) -> str:
    return error.thing if isinstance(error, ScanmillError) else ""
