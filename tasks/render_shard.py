"""Render one shard: its scans in, one Parquet file and its commit record out.

Written whole or not at all; the manifest's appearance is the commit.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from renderers.session import current_session
from schemas.dataset_folder import DatasetFolder, write_atomically
from schemas.errors import RequestError
from schemas.manifest import Failure, Manifest, ShardState
from tasks.backgrounds import Backgrounds
from tasks.fingerprints import FingerprintCache
from tasks.input_files import Roots, locate_input
from tasks.preparation import read_backgrounds
from tasks.shard_work import ShardJob, ShardWork, utc_now
from tasks.shards import write_shard


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

    A full or broken disk is an outcome of kind environment, with nothing committed.
    Raises MachineError when the process has no session, RequestError when backgrounds were
    frozen and no folder for them is given.
    """
    folder = DatasetFolder.at(job.uri)
    work = ShardWork(job, _open_backgrounds(folder, job.background_root), current_session())
    started = utc_now()
    try:
        with write_shard(folder.shard_path(job.shard.shard_id)) as writer:
            for ref in job.shard.scans:
                for row in work.rows_of(ref):
                    with work.watch.during("write"):
                        writer.write(row)
            written = writer.finish()
            # From here to the new record the shard counts as missing, never as something else.
            folder.manifest_path(job.shard.shard_id).unlink(missing_ok=True)
        manifest = work.describe(written, started)
        path = folder.manifest_path(job.shard.shard_id)
        write_atomically(path, manifest.model_dump_json(indent=1))
    except OSError as error:
        return _report_unwritten(job, error, work)
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
    frozen = read_backgrounds(folder).pictures
    if frozen and root is None:
        raise RequestError(
            "--backgrounds", met="no folder", wanted="the folder that the data set was begun with",
            way_out="Give --backgrounds.",
        )  # fmt: skip
    return Backgrounds(root, frozen)


def _report_unwritten(job: ShardJob, error: OSError, work: ShardWork) -> ShardOutcome:
    ids = (view.sample_id(ref.scan_id) for ref in job.shard.scans for view in job.settings.views)
    failures = tuple(
        Failure(
            sample_id=sample_id, stage="write", kind="environment",
            error=type(error).__name__, message=str(error),
        )
        for sample_id in ids
    )  # fmt: skip
    return ShardOutcome(
        shard_id=job.shard.shard_id,
        state="failed",
        rows=0,
        failures=failures,
        warnings=tuple(work.warnings),
        bytes=0,
        seconds=work.seconds(),
        committed=False,
    )


def _remember(folder: DatasetFolder, job: ShardJob, manifest: Manifest, begun_ns: int) -> None:
    """Store what was just hashed, so that the next quick look reads nothing of it."""
    cache = FingerprintCache(folder.root)
    shard_path = folder.shard_path(manifest.shard_id)
    cache.trust(shard_path, manifest.sha256)
    roots: Roots = {"data": job.data_root, "backgrounds": job.background_root}
    paths = [shard_path]
    for one in manifest.inputs:
        path = locate_input(one, roots)
        if path is not None and one.sha256 is not None:
            cache.trust(path, one.sha256, unchanged_since_ns=begun_ns)
            paths.append(path)
    cache.remember(manifest.shard_id, tuple(paths))
