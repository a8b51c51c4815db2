"""One video into its two shard files and their commit records: what pairing and importing share.

    frames/shard-00000.parquet   pairs/shard-00000.parquet

Each file is written whole or not at all; its record's appearance is its commit.
"""

import socket
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.dataset_folder import DatasetFolder, Part, write_atomically
from schemas.errors import MachineError
from schemas.frames import pair_id
from schemas.manifest import (
    Failure,
    Manifest,
    PlannedVideo,
    ShardState,
    state_by_failures,
    utc_now,
)
from schemas.pairing import PairSettings
from schemas.scan import InputFile
from schemas.settings import digest_of
from schemas.work import Job
from tasks.dataset.fingerprints import FingerprintCache
from tasks.dataset.shards import ShardWriter, WrittenShard, write_shard
from tasks.dataset.versions import deciding_versions
from tasks.video.code import pair_code_digest
from tasks.video.matching import Matches
from tasks.video.shard_formats import FRAMES, PAIRS

VIDEO_PARTS: tuple[Part, ...] = ("frames", "pairs")


class PairJob(Job):
    """Everything that a worker must know to pair a video; crosses process borders."""

    uri: str
    data_root: Path
    shard: PlannedVideo
    settings: PairSettings

    @property
    def name(self) -> str:
        """As in shard-00000."""
        return self.shard.shard_id


class PairOutcome(BaseModel):
    """What became of a video; committed is False when nothing could be written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shard_id: str
    video: str
    state: ShardState
    frames: int
    rows: int = Field(description="pairs")
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    bytes: int
    seconds: dict[str, float]
    committed: bool = True


@dataclass(slots=True)
class VideoWork(ABC):
    """One video under way: what it has met so far. Owns: nothing that must be closed.

    lost_frames: kept with the frames' record. refusals: with the pairs' record.
    """

    job: PairJob
    # Taken before the work: what is edited meanwhile did not find these pairs.
    code: str = field(default_factory=pair_code_digest)
    begun_ns: int = field(default_factory=time.time_ns)
    inputs: tuple[InputFile, ...] = ()
    lost_frames: list[Failure] = field(default_factory=list)
    refusals: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @abstractmethod
    def look(self) -> None:
        """Find, digest and survey the files, before any row is made."""

    @abstractmethod
    def write_rows(self, frames: ShardWriter, pairs: ShardWriter) -> None:
        """Write the rows of both files."""

    def describe(self, written: WrittenShard, started: str, *, failures: list[Failure]) -> Manifest:
        """Make the commit record of one of the two files."""
        job = self.job
        return Manifest(
            shard_id=job.shard.shard_id, rows=len(written.sample_ids), bytes=written.bytes,
            sha256=written.sha256, settings_digest=digest_of(job.settings),
            code_digest=self.code, renderer="none", versions=deciding_versions(),
            inputs=self.inputs, sample_ids=written.sample_ids, warnings=tuple(self.warnings),
            failures=tuple(failures), attempt=job.attempt, started=started, ended=utc_now(),
            seconds=self.seconds, host=socket.gethostname(),
        )  # fmt: skip


def commit_video(work: VideoWork) -> PairOutcome:
    """Write and commit the two shards of a video.

    When the machine fails (disk, memory), the outcome says so and nothing is committed.
    """
    job, started = work.job, utc_now()
    folder = DatasetFolder.at(job.uri)
    try:
        frames, pairs = _write_both(work, folder)
        manifests = {
            "frames": work.describe(frames, started, failures=work.lost_frames),
            "pairs": work.describe(pairs, started, failures=work.refusals),
        }
        for part in VIDEO_PARTS:
            text = manifests[part].model_dump_json(indent=1)
            write_atomically(folder.manifest_path(job.shard.shard_id, part), text)
    except (OSError, MemoryError, MachineError) as error:
        return report_unwritten(job, error)
    _remember(folder, job, manifests, work.begun_ns)
    failures = (*work.lost_frames, *work.refusals)
    return PairOutcome(
        shard_id=job.shard.shard_id,
        video=job.shard.video.video,
        state=state_by_failures(failures),
        frames=len(frames.sample_ids),
        rows=len(pairs.sample_ids),
        failures=failures,
        warnings=tuple(work.warnings),
        bytes=frames.bytes + pairs.bytes,
        seconds=work.seconds,
    )


def _write_both(work: VideoWork, folder: DatasetFolder) -> tuple[WrittenShard, WrittenShard]:
    shard_id, start = work.job.shard.shard_id, time.perf_counter()
    work.look()
    work.seconds["read"] = round(time.perf_counter() - start, 4)
    frames_path, pairs_path = (folder.shard_path(shard_id, part) for part in VIDEO_PARTS)
    with write_shard(frames_path, FRAMES) as frames, write_shard(pairs_path, PAIRS) as pairs:
        work.write_rows(frames, pairs)
        written = frames.finish(), pairs.finish()
        # From here to the new records the shards count as missing, never as something else.
        for part in VIDEO_PARTS:
            folder.manifest_path(shard_id, part).unlink(missing_ok=True)
    work.seconds["match"] = round(time.perf_counter() - start - work.seconds["read"], 4)
    return written


def pair_row(video: str, frame_i: int, frame_j: int, matches: Matches) -> dict[str, object]:
    """Make a row of `pairs`."""
    return {
        "pair_id": pair_id(video, frame_i, frame_j),
        "video": video,
        "frame_i": frame_i,
        "frame_j": frame_j,
        "part": matches.part,
        "pixels": list(matches.pixels),
        "limits": matches.limits.ravel(),
    }


def report_unwritten(job: PairJob, error: Exception) -> PairOutcome:
    """Make the outcome of a video that was not committed: the machine failed."""
    failure = Failure(
        sample_id=job.shard.video.video, stage="write", kind="environment",
        error=type(error).__name__, message=str(error),
    )  # fmt: skip
    return PairOutcome(
        shard_id=job.shard.shard_id, video=job.shard.video.video, state="failed", frames=0, rows=0,
        failures=(failure,), warnings=(), bytes=0, seconds={}, committed=False,
    )  # fmt: skip


def _remember(
    folder: DatasetFolder, job: PairJob, manifests: dict[str, Manifest], begun_ns: int
) -> None:
    """Store what was just hashed, so that the next quick look reads nothing of it."""
    cache = FingerprintCache(folder.root)
    paths = []
    for part in VIDEO_PARTS:
        paths.append(folder.shard_path(job.shard.shard_id, part))
        cache.trust(paths[-1], manifests[part].sha256)
    for one in manifests["frames"].inputs:
        if one.sha256 is not None:
            paths.append(job.data_root / one.path)
            cache.trust(paths[-1], one.sha256, unchanged_since_ns=begun_ns)
    cache.remember(memory_of(job.shard.shard_id), tuple(paths))


def memory_of(shard_id: str) -> str:
    """Name the memory of a video's fingerprints apart from those of scans."""
    return f"video-{shard_id}"
