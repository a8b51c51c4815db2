"""Pair one video: its images in, one shard of frames and one of pairs out.

A frame that can't be used fails alone; a sequence without enough pairs keeps its frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import InputError
from schemas.frames import frame_id
from schemas.scan import InputFile
from tasks.dataset.commit import ShardOutcome, commit_shard
from tasks.dataset.shards import Row, ShardWriter
from tasks.scans.files import digest_files
from tasks.video.choosing import MIN_ROWS, FramePairs, PairFinder, Tally
from tasks.video.frames import Frame, frame_row, read_frame
from tasks.video.matching import BodyPixels, list_body_pixels
from tasks.video.sequences import Sequence, list_frames
from tasks.video.survey import Survey, survey_sequence
from tasks.video.video_shards import PairJob, VideoWork, pair_row


def pair_video(job: PairJob) -> ShardOutcome:
    """Read, match, write and commit one video."""
    return commit_shard(_PairingWork(job=job))


def list_video_inputs(data_root: Path, sequence: Sequence) -> tuple[InputFile, ...]:
    """Digest every file that decides a video, those that are looked for and absent too."""
    paths = (path for files in sequence.frames for path in files.looked_for)
    return digest_files(paths, data_root)


@dataclass(slots=True, kw_only=True)
class _PairingWork(VideoWork):
    _tally: Tally = field(default_factory=Tally)
    _survey: Survey = field(default_factory=lambda: Survey(()))

    def look(self) -> None:
        """List, digest and survey the sequence; one that is refused has no usable frame."""
        ref, root = self.job.shard.video, self.job.data_root
        try:
            sequence = list_frames(ref.video, root / ref.folder)
            self.warnings += [f"{ref.video}: {name}" for name in sequence.unused]
            # Digested before reading: a file that changes meanwhile is seen as changed later.
            self.keep_inputs(list_video_inputs(root, sequence))
            self._survey = survey_sequence(sequence, self.job.settings)
            self.warnings += self._survey.warnings
        except InputError as error:
            self.refuse(ref.video, error)
        self.failures["frames"] += self._survey.failures

    def write_pairs(self, frames: ShardWriter, pairs: ShardWriter) -> None:
        """Write frames, and match them while they pass by."""
        finder, held = PairFinder(self.job.settings), _RowHolder(pairs)
        for frame, body in self._make_frames():
            frames.write(frame_row(frame, self.job.shard.video))
            for found in finder.add(frame.number, body):
                held.take(self._rows_of(found))
        for found in finder.finish():
            held.take(self._rows_of(found))
        if not held.is_enough and not self.failures["pairs"]:
            error = self._tally.refuse(self.job.shard.video.video, self.job.settings)
            self.refuse(self.job.shard.video.video, error, matched=True)

    def _make_frames(self) -> Iterator[tuple[Frame, BodyPixels]]:
        """Yield the frames that can be read; the others are kept as failures."""
        for files, crop in self._survey.frames:
            try:
                frame = read_frame(files, crop)
            except InputError as error:
                name = frame_id(self.job.shard.video.video, files.number)
                self.lose_frame(name, error)
                continue
            yield frame, list_body_pixels(frame.iuv)

    def _rows_of(self, found: FramePairs) -> list[Row]:
        """Return the rows of one frame; one with too few neighbours is left out and listed."""
        video, expected = self.job.shard.video.video, self.job.settings.min_neighbours
        self._tally.note(found)
        if len(found.neighbours) < expected:
            self.warnings.append(
                f"{frame_id(video, found.frame)}: left out of the pairs, "
                f"{len(found.neighbours)} neighbours of at least {expected}"
            )
            return []
        return [
            pair_row(video, found.frame, neighbour, matches)
            for neighbour, matches in found.neighbours
        ]


@dataclass(slots=True)
class _RowHolder:
    """Holds the first frame's rows back until a second one has some."""

    writer: ShardWriter
    _held: list[Row] = field(default_factory=list)
    _frames: int = 0

    @property
    def is_enough(self) -> bool:
        """Return whether so many frames have pairs that the published reader can take them."""
        return self._frames >= MIN_ROWS

    def take(self, rows: list[Row]) -> None:
        """Write the rows of one frame, or hold them."""
        self._frames += bool(rows)
        self._held += rows
        if self.is_enough:
            for row in self._held:
                self.writer.write(row)
            self._held.clear()
