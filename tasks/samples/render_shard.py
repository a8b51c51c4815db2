"""Render one shard: its scans in, one Parquet file and its commit record out.

Written whole or not at all; the manifest's appearance is the commit.
"""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from renderers.session import current_session
from schemas.dataset_folder import DatasetFolder, remove_leftovers, write_atomically
from schemas.errors import InputError, MachineError, RequestError
from schemas.manifest import Failure, Manifest, ShardState, state_by_failures, utc_now
from tasks.backgrounds import Backgrounds
from tasks.dataset.fingerprints import FingerprintCache
from tasks.dataset.preparation import read_backgrounds
from tasks.dataset.shards import write_shard
from tasks.fits.body_model import BodyModel, open_body_model
from tasks.samples.densepose_files import DenseposeFiles
from tasks.samples.shard_work import ShardJob, ShardWork
from tasks.scans.input_files import Roots, locate_input

__all__ = ["ShardJob", "ShardOutcome", "render_shard", "report_unwritten"]


class ShardOutcome(BaseModel):
    """What became of a shard; committed is False when nothing could be written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard_id: str
    state: ShardState
    rows: int
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    bytes: int
    seconds: dict[str, float]
    committed: bool = True


def render_shard(job: ShardJob) -> ShardOutcome:
    """Render, write and commit one shard in this process's drawing session.

    When the machine fails (disk, memory), the outcome says so and nothing is committed; neither
    is it when the shard that stands there has more samples than the machine let this one have.
    Raises MachineError when the process has no session, RequestError when backgrounds were
    frozen and no folder for them is given.
    """
    folder = DatasetFolder.at(job.uri)
    backgrounds = _open_backgrounds(folder, job.background_root)
    work = ShardWork(job, backgrounds, current_session(), _open_model(job), _open_densepose(job))
    started = utc_now()
    remove_leftovers(folder.shard_path(job.shard.shard_id).parent)
    try:
        with write_shard(folder.shard_path(job.shard.shard_id)) as writer:
            for ref in job.shard.scans:
                for row in work.rows_of(ref):
                    with work.watch.during("write"):
                        writer.write(row)
            written = writer.finish()
            _keep_the_better(folder, work, rows=len(written.sample_ids))
            # From here to the new record the shard counts as missing, never as something else.
            folder.manifest_path(job.shard.shard_id).unlink(missing_ok=True)
        manifest = work.describe(written, started)
        path = folder.manifest_path(job.shard.shard_id)
        write_atomically(path, manifest.model_dump_json(indent=1))
    except (OSError, MemoryError, MachineError) as error:
        return report_unwritten(job, error, work.failures)
    _remember(folder, job, manifest, work.begun_ns)
    return ShardOutcome(
        shard_id=manifest.shard_id,
        state=manifest.state,
        rows=manifest.rows,
        failures=manifest.failures,
        warnings=manifest.warnings,
        bytes=manifest.bytes,
        seconds=manifest.seconds,
    )


def _open_backgrounds(folder: DatasetFolder, root: Path | None) -> Backgrounds:
    frozen = read_backgrounds(folder)
    if frozen.images:
        root = _require("folder", "--backgrounds", root)
    return Backgrounds(root, frozen.images, frozen.version)


def _open_model(job: ShardJob) -> BodyModel | None:
    """Open the SMPL-X model that the data set was begun with, if it was."""
    if not job.settings.smplx_model:
        return None
    return open_body_model(
        _require("model", "--smplx-models", job.model_root), job.settings.smplx_model
    )


def _open_densepose(job: ShardJob) -> DenseposeFiles | None:
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


def report_unwritten(
    job: ShardJob, error: Exception, failures: Sequence[Failure] = ()
) -> ShardOutcome:
    """Make the outcome of a shard that was not committed: every sample failed by the machine."""
    known = {failure.sample_id: failure for failure in failures}
    ids = (view.sample_id(ref.scan_id) for ref in job.shard.scans for view in job.settings.views)
    return ShardOutcome(
        shard_id=job.shard.shard_id,
        state="failed",
        rows=0,
        failures=tuple(known.get(sample_id) or _unwritten(sample_id, error) for sample_id in ids),
        warnings=(),
        bytes=0,
        seconds={},
        committed=False,
    )


def _unwritten(sample_id: str, error: Exception) -> Failure:
    return Failure(
        sample_id=sample_id, stage="write", kind="environment",
        error=type(error).__name__, message=str(error),
    )  # fmt: skip


def _keep_the_better(folder: DatasetFolder, work: ShardWork, *, rows: int) -> None:
    """Raise MachineError when a failing machine would replace a shard by one with fewer rows."""
    shard_id = work.job.shard.shard_id
    if state_by_failures(tuple(work.failures)) != "failed":
        return
    try:
        held = folder.read_manifest(shard_id)
        is_whole = folder.shard_path(shard_id).stat().st_size == held.bytes
    except (OSError, InputError):
        return
    if is_whole and held.rows > rows:
        raise MachineError(
            shard_id,
            found=f"{rows} samples, the others lost to this machine: {work.failures[-1].message}",
            expected=f"at least the {held.rows} of the shard that stands there, which is kept",
            hint="Fix the machine and run `scanmill rerun`.",
        )


def _remember(folder: DatasetFolder, job: ShardJob, manifest: Manifest, begun_ns: int) -> None:
    """Store what was just hashed, so that the next quick look reads nothing of it."""
    cache = FingerprintCache(folder.root)
    shard_path = folder.shard_path(manifest.shard_id)
    cache.trust(shard_path, manifest.sha256)
    roots: Roots = {
        "data": job.data_root, "backgrounds": job.background_root, "densepose": job.densepose_root
    }  # fmt: skip
    paths = [shard_path]
    for one in manifest.inputs:
        path = locate_input(one, roots)
        if path is not None and one.sha256 is not None:
            cache.trust(path, one.sha256, unchanged_since_ns=begun_ns)
            paths.append(path)
    cache.remember(manifest.shard_id, tuple(paths))
