"""Pair one video: its pictures in, one shard of frames and one of pairs out, and their records.

    frames/shard-00000.parquet   pairs/shard-00000.parquet

A frame that can't be used fails alone; a sequence without enough pairs keeps its frames. Each
file is written whole or not at all; its record's appearance is its commit.
"""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.dataset_folder import DatasetFolder, Part, write_atomically
from schemas.errors import InputError, MachineError
from schemas.frames import frame_id, pair_id
from schemas.manifest import Failure, Manifest, PlannedVideo, ShardState, state_by_failures
from schemas.pairing import PairSettings
from schemas.scan import InputFile
from schemas.settings import digest_of
from tasks.fingerprints import FingerprintCache
from tasks.scans.files import digest_files
from tasks.shards import Row, ShardWriter, WrittenShard, write_shard
from tasks.versions import deciding_versions
from tasks.video.choosing import FEWEST_ROWS, FramePairs, PairFinder, Tally
from tasks.video.code import pair_code_digest
from tasks.video.frames import Frame, frame_row, read_frame
from tasks.video.matching import BodyPixels, Matches, list_body_pixels
from tasks.video.sequences import Sequence, list_frames
from tasks.video.shard_formats import FRAMES, PAIRS
from tasks.video.survey import Survey, describe_failure, survey_sequence

VIDEO_PARTS: tuple[Part, ...] = ("frames", "pairs")


class PairJob(BaseModel):
    """Everything that a worker must know to pair a video; crosses process borders."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    data_root: Path
    shard: PlannedVideo
    settings: PairSettings
    attempt: int = Field(default=1, ge=1)


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


def pair_video(job: PairJob) -> PairOutcome:
    """Read, match, write and commit one video.

    When the machine fails (disk, memory), the outcome says so and nothing is committed.
    """
    folder, begun_ns = DatasetFolder.at(job.uri), time.time_ns()
    work = _VideoWork(job)
    started = _utc_now()
    try:
        frames, pairs = work.write(folder)
        manifests = {
            "frames": work.describe(frames, started, failures=tuple(work.lost_frames)),
            "pairs": work.describe(pairs, started, failures=tuple(work.refusals)),
        }
        for part in VIDEO_PARTS:
            text = manifests[part].model_dump_json(indent=1)
            write_atomically(folder.manifest_path(job.shard.shard_id, part), text)
    except (OSError, MemoryError, MachineError) as error:
        return _report_unwritten(job, error)
    _remember(folder, job, manifests, begun_ns)
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


def list_video_inputs(data_root: Path, sequence: Sequence) -> tuple[InputFile, ...]:
    """Digest every file that decides a video, those that are looked for and absent too."""
    paths = (path for files in sequence.frames for path in files.looked_for)
    return digest_files(paths, data_root)


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


@dataclass(slots=True)
class _VideoWork:
    """One video under way: what it has met so far. Owns: nothing that must be closed."""

    job: PairJob
    # Taken before the work: what is edited meanwhile did not find these pairs.
    code: str = field(default_factory=pair_code_digest)
    inputs: tuple[InputFile, ...] = ()
    lost_frames: list[Failure] = field(default_factory=list)
    refusals: list[Failure] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    _tally: Tally = field(default_factory=Tally)

    def write(self, folder: DatasetFolder) -> tuple[WrittenShard, WrittenShard]:
        """Write both shard files; frames are matched while they pass by."""
        shard_id = self.job.shard.shard_id
        frames_path, pairs_path = (folder.shard_path(shard_id, part) for part in VIDEO_PARTS)
        survey = self._look()
        start = time.perf_counter()
        with write_shard(frames_path, FRAMES) as frames, write_shard(pairs_path, PAIRS) as pairs:
            self._write_rows(survey, frames, pairs)
            written = frames.finish(), pairs.finish()
            # From here to the new records the shards count as missing, never as something else.
            for part in VIDEO_PARTS:
                folder.manifest_path(shard_id, part).unlink(missing_ok=True)
        self.seconds["match"] = round(time.perf_counter() - start, 4)
        return written

    def describe(
        self, written: WrittenShard, started: str, *, failures: tuple[Failure, ...]
    ) -> Manifest:
        """Make the commit record of one of the two files."""
        job = self.job
        return Manifest(
            shard_id=job.shard.shard_id, rows=len(written.sample_ids), bytes=written.bytes,
            sha256=written.sha256, settings_digest=digest_of(job.settings),
            code_digest=self.code, renderer="none", versions=deciding_versions(),
            inputs=self.inputs, sample_ids=written.sample_ids, warnings=tuple(self.warnings),
            failures=failures, attempt=job.attempt, started=started, ended=_utc_now(),
            seconds=self.seconds, host=socket.gethostname(),
        )  # fmt: skip

    def _look(self) -> Survey:
        """List, digest and survey the sequence; one that is refused has no usable frame."""
        start, ref, root = time.perf_counter(), self.job.shard.video, self.job.data_root
        try:
            sequence = list_frames(ref.video, root / ref.folder)
            self.warnings += [f"{ref.video}: {stranger}" for stranger in sequence.strangers]
            # Digested before reading: a file that changes meanwhile is seen as changed later.
            self.inputs = list_video_inputs(root, sequence)
            survey = survey_sequence(sequence, self.job.settings)
        except InputError as error:
            self.refusals.append(describe_failure(ref.video, error))
            survey = Survey(())
        self.lost_frames += survey.failures
        self.seconds["read"] = round(time.perf_counter() - start, 4)
        return survey

    def _write_rows(self, survey: Survey, frames: ShardWriter, pairs: ShardWriter) -> None:
        finder, held = PairFinder(self.job.settings), _FewestRows(pairs)
        for frame, body in self._make_frames(survey):
            frames.write(frame_row(frame, self.job.shard.video))
            for found in finder.add(frame.number, body):
                held.take(self._rows_of(found))
        for found in finder.finish():
            held.take(self._rows_of(found))
        if not held.is_enough and not self.refusals:
            error = self._tally.refuse(self.job.shard.video.video, self.job.settings)
            self.refusals.append(describe_failure(self.job.shard.video.video, error, "match"))

    def _make_frames(self, survey: Survey) -> Iterator[tuple[Frame, BodyPixels]]:
        """Yield the frames that can be read; the others are kept as failures."""
        for files, crop in survey.frames:
            try:
                frame = read_frame(files, crop)
            except InputError as error:
                name = frame_id(self.job.shard.video.video, files.number)
                self.lost_frames.append(describe_failure(name, error))
                continue
            yield frame, list_body_pixels(frame.iuv)

    def _rows_of(self, found: FramePairs) -> list[Row]:
        """Return the rows of one frame; one with too few neighbours is left out and listed."""
        video, wanted = self.job.shard.video.video, self.job.settings.min_neighbours
        self._tally.note(found)
        if len(found.neighbours) < wanted:
            self.warnings.append(
                f"{frame_id(video, found.frame)}: left out of the pairs, "
                f"{len(found.neighbours)} neighbours of at least {wanted}"
            )
            return []
        return [
            pair_row(video, found.frame, neighbour, matches)
            for neighbour, matches in found.neighbours
        ]


@dataclass(slots=True)
class _FewestRows:
    """Holds the first frame's rows back until a second one has some."""

    writer: ShardWriter
    _held: list[Row] = field(default_factory=list)
    _frames: int = 0

    @property
    def is_enough(self) -> bool:
        """Tell whether so many frames have pairs that the published reader can take them."""
        return self._frames >= FEWEST_ROWS

    def take(self, rows: list[Row]) -> None:
        """Write the rows of one frame, or hold them."""
        self._frames += bool(rows)
        self._held += rows
        if self.is_enough:
            for row in self._held:
                self.writer.write(row)
            self._held.clear()


def _report_unwritten(job: PairJob, error: Exception) -> PairOutcome:
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


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
