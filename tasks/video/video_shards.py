"""Shards of videos, two files each: their row of the table of kinds, and the work on one.

    frames/shard-00000.parquet   pairs/shard-00000.parquet

A video is done when both files are. How the rows are made say pairing (`pair_shard`) and importing
(`tasks.formats.importing`).
"""

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import ScanmillError
from schemas.file_status import is_readable_file
from schemas.frames import FRAME_COLUMNS, PAIR_COLUMNS, pair_id
from schemas.manifest import DatasetDescription, Failure, PlannedVideo
from schemas.pairing import PairSettings
from schemas.scan import VideoRef
from tasks.dataset.code_digest import pair_code_digest
from tasks.dataset.commit import ShardWork
from tasks.dataset.planning import read_video_plan
from tasks.dataset.run_records import VIDEO_ROOT
from tasks.dataset.shard_kinds import RunRoots, ShardJob, ShardKind
from tasks.dataset.shards import ShardFormat, ShardWriter
from tasks.dataset.splits import split_of
from tasks.scans.input_files import Roots
from tasks.video.matching import Matches
from tasks.video.sequences import find_sequences, list_frames

FRAME_FORMAT = ShardFormat(FRAME_COLUMNS, "frame_id", ("frame_id", "video", "frame", "split"))
PAIR_FORMAT = ShardFormat(PAIR_COLUMNS, "pair_id", ("pair_id", "video", "frame_i", "frame_j"))


class VideoShards(ShardKind[PlannedVideo]):
    """Shards of frames and of their pairs: one video each."""

    unit = "video"
    label = "video"
    formats: ClassVar[dict[Part, ShardFormat]] = {"frames": FRAME_FORMAT, "pairs": PAIR_FORMAT}
    has_views = False

    def code_digest(self) -> str:
        """Digest what decides frames and pairs."""
        return pair_code_digest()

    def settings_digest(self, description: DatasetDescription) -> str | None:
        """Return the digest of the pair settings."""
        return description.pairing_digest

    def read_plan(self, folder: DatasetFolder) -> tuple[PlannedVideo, ...]:
        """Read the planned videos."""
        return read_video_plan(folder)

    def roots_of(self, shard: PlannedVideo, roots: RunRoots) -> Roots:
        """Choose the one root of all videos."""
        del shard
        return {"data": roots.get(VIDEO_ROOT)}

    def list_gone(self, shard: PlannedVideo, data_root: Path) -> tuple[str, ...]:
        """Name the video when its folder is gone."""
        return () if (data_root / shard.video.folder).is_dir() else shard.names

    def find_new(
        self, shard: PlannedVideo, data_root: Path, recorded: frozenset[str]
    ) -> tuple[str, ...]:
        """Name the images of a sequence that no record knows; a published set lists its own."""
        if shard.video.layout != "sequence":
            return ()
        try:
            sequence = list_frames(shard.video.video, data_root / shard.video.folder)
        except ScanmillError:
            return ()  # it can't be listed now either; its record says why
        found = (path for files in sequence.frames for path in files.images.values())
        readable = (path for path in found if is_readable_file(path))
        names = (path.relative_to(data_root).as_posix() for path in readable)
        return tuple(name for name in names if name not in recorded)

    def title(self, shard_id: str, names: tuple[str, ...]) -> str:
        """Name the video."""
        return names[0] if names else shard_id

    def make_job(
        self,
        uri: str,
        shard: PlannedVideo,
        roots: RunRoots,
        *,
        description: DatasetDescription,
        attempt: int,
    ) -> ShardJob | None:
        """Describe how a video is paired, or read from its published form."""
        data_root = roots.get(VIDEO_ROOT)
        if data_root is None or description.pairing is None:
            return None
        return PairJob(
            uri=uri, data_root=data_root, shard=shard, settings=description.pairing,
            attempt=attempt,
        )  # fmt: skip


VIDEOS = VideoShards()


class PairJob(ShardJob):
    """Everything that a worker must know to pair a video."""

    kind: ClassVar[VideoShards] = VIDEOS

    shard: PlannedVideo
    settings: PairSettings

    @property
    def maker(self) -> Literal["pair", "import"]:
        """Sequences are paired; the pairs of a published set are read back."""
        return "import" if self.shard.video.layout == "published" else "pair"


@dataclass(slots=True, kw_only=True)
class VideoWork(ShardWork):
    """One video in the making.

    Lost frames are kept with the record of `frames`; what refuses the video or a pair, with that
    of `pairs`.
    """

    job: PairJob

    @abstractmethod
    def look(self) -> None:
        """Find, digest and survey the files, before any row is made."""

    @abstractmethod
    def write_pairs(self, frames: ShardWriter, pairs: ShardWriter) -> None:
        """Write the rows of both files."""

    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Look at the files, then write both parts."""
        start = time.perf_counter()
        self.look()
        looked = time.perf_counter()
        self.seconds["read"] = round(looked - start, 4)
        self.write_pairs(writers["frames"], writers["pairs"])
        self.seconds["match"] = round(time.perf_counter() - looked, 4)

    def lose_frame(self, name: str, error: ScanmillError) -> None:
        """Keep why a frame has no row."""
        self.failures["frames"].append(Failure.of(name, error))

    def refuse(self, name: str, error: ScanmillError, *, matched: bool = False) -> None:
        """Keep why the video, or one of its pairs, has no row; matched: seen while matching."""
        self.failures["pairs"].append(Failure.of(name, error, "match" if matched else "read"))


def list_videos(data_root: Path, *, split_seed: int) -> tuple[VideoRef, ...]:
    """Name the videos below a data root, each with its split; reads no image.

    Raises RequestError when there is none.
    """
    return tuple(
        VideoRef(
            video=name,
            folder=folder.relative_to(data_root).as_posix(),
            split=split_of(split_seed, name),
        )
        for name, folder in find_sequences(data_root)
    )


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
