"""HDNet's published sets opened for import, and a video of the TikTok set as frames and pairs.

Nothing is matched again. A pair that breaks the published reader's rules is left out by name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from schemas.errors import InputError, RequestError, ScanmillError
from schemas.file_status import is_readable_file
from schemas.frames import PART_COUNT, frame_id, pair_id
from schemas.pairing import FRAME_SIDE_PX, PairSettings
from schemas.scan import VideoRef
from tasks.dataset.commit import ShardOutcome, commit_shard
from tasks.dataset.shards import ShardWriter
from tasks.dataset.splits import split_of
from tasks.formats.hdnet.frame_list import VideoFrame, read_videos
from tasks.formats.hdnet.hdnet_frames import break_rule, read_pair, read_pair_list
from tasks.formats.hdnet.hdnet_layout import TIKTOK, HdnetFolder, find_sets
from tasks.formats.hdnet.labelled_import import list_frames
from tasks.formats.importing import ImportSource, VideoSource
from tasks.scans.files import digest_files
from tasks.video.choosing import MIN_ROWS
from tasks.video.cropping import WHOLE
from tasks.video.frames import frame_row, read_frame
from tasks.video.images import read_iuv
from tasks.video.match_rules import check_matches
from tasks.video.matching import Matches
from tasks.video.sequences import IMAGE_FOLDERS, FrameFiles
from tasks.video.survey import look_at_frame
from tasks.video.video_shards import PairJob, VideoWork, pair_row

FRAMES_KEPT = 64


def open_folder(root: Path) -> ImportSource:
    """List what a folder holds: labelled frames, videos, or both.

    Raises RequestError when it holds neither, InputError when a list is broken.
    """
    videos, labelled = find_sets(root)
    source = ImportSource(
        samples=list_frames(labelled) if labelled else None,
        videos=list_videos(root, videos) if videos else None,
    )
    if source.samples is None and source.videos is None:
        raise RequestError(
            str(root), found="no labelled frame, and no TikTok set in it",
            expected="color/, mask/, depth/ and normal/, or tiktok_data with correspondences/",
            hint="Give the folder that holds Tang_data or tiktok_data.",
        )  # fmt: skip
    return source


def list_videos(root: Path, folder: HdnetFolder) -> VideoSource:
    """Name the videos of a TikTok set, with as many neighbours as corr_mat.txt has columns."""
    rows = read_pair_list(folder)
    neighbours = max(rows.shape[1] - 1, 1) if len(rows) else 1
    settings = PairSettings(neighbours=neighbours, min_neighbours=1)
    below = folder.root.relative_to(root).as_posix()
    videos = (
        VideoRef(
            video=video, folder=below, split=split_of(settings.split_seed, video),
            layout="published",
        )
        for video in sorted(read_videos(folder))
    )  # fmt: skip
    return VideoSource(tuple(videos), settings)


def import_video(job: PairJob) -> ShardOutcome:
    """Read, check, write and commit one video of a published set."""
    return commit_shard(_ImportWork(job=job))


@dataclass(slots=True, kw_only=True)
class _ImportWork(VideoWork):
    _frames: tuple[VideoFrame, ...] = ()
    _pairs: tuple[tuple[int, int], ...] = ()
    _folder: HdnetFolder = field(init=False)

    def look(self) -> None:
        """List and digest the files of this video."""
        root, ref = self.job.data_root, self.job.shard.video
        self._folder = HdnetFolder(root / ref.folder, TIKTOK)
        try:
            self._frames = read_videos(self._folder).get(ref.video, ())
            own = {named.number for named in self._frames}
            listed = read_pair_list(self._folder)
            self._pairs = tuple(_pairs_of(listed, own))
        except InputError as error:
            self.refuse(ref.video, error)
        self.keep_inputs(digest_files(self._list_files(), root))

    def write_pairs(self, frames: ShardWriter, pairs: ShardWriter) -> None:
        """Write the frames that can be read, then the pairs of these that hold the rules."""
        written: dict[int, VideoFrame] = {}
        for named in self._frames:
            try:
                row = self._read_row(named)
            except InputError as error:
                name = frame_id(named.video, named.frame)
                self.lose_frame(name, error)
                continue
            frames.write(row)
            written[named.number] = named
        self._write_matches(pairs, written)

    def _write_matches(self, pairs: ShardWriter, written: dict[int, VideoFrame]) -> None:
        read = lru_cache(FRAMES_KEPT)(self._read_iuv)
        known = {named.number: named.frame for named in self._frames}
        kept: list[int] = []
        for ends in self._pairs:
            frame_i, frame_j = (known.get(end, end) for end in ends)
            try:
                self._refuse_lost(ends, written)
                matches = self._read_matches(ends, read(ends[0]), read(ends[1]))
            except ScanmillError as error:
                name = pair_id(self.job.shard.video.video, frame_i, frame_j)
                self.refuse(name, error, matched=True)
                continue
            pairs.write(pair_row(self.job.shard.video.video, frame_i, frame_j, matches))
            kept.append(ends[0])
        if len(set(kept)) < MIN_ROWS:
            video = self.job.shard.video.video
            self.warnings.append(f"{video}: pairs of {len(set(kept))} frames; export leaves it out")

    def _read_row(self, named: VideoFrame) -> dict[str, object]:
        images = {name: self._folder.image(name, named.number) for name in IMAGE_FOLDERS}
        normals = self._folder.normals(named.number)
        are_there = all(is_readable_file(path) for path in normals)
        files = FrameFiles(named.frame, images, (), normals if are_there else (), normals)
        height, width = look_at_frame(files).size
        if (height, width) != (FRAME_SIDE_PX, FRAME_SIDE_PX):
            raise InputError(
                str(images["mask"]), found=f"{width} x {height} pixels",
                expected="256 x 256 pixels", hint="Use `scanmill pair` on other sizes.",
            )  # fmt: skip
        frame = read_frame(files, WHOLE)
        crop = [named.left, named.top, named.width, named.height]
        return frame_row(frame, self.job.shard.video) | {"crop": crop}

    def _read_matches(
        self,
        ends: tuple[int, int],
        iuv_i: UInt8[np.ndarray, "256 256 3"],
        iuv_j: UInt8[np.ndarray, "256 256 3"],
    ) -> Matches:
        stored = read_pair(self._folder, *ends)
        distance = self.job.settings.max_distance
        for breach in check_matches(stored, iuv_i, iuv_j, max_distance=distance):
            found = f"{breach.what}: {breach.found}"
            raise break_rule(self._folder.matches(*ends), found, breach.expected)
        counts = np.bincount(stored.part, minlength=PART_COUNT + 1)[1:]
        return Matches(
            part=stored.part.astype(np.uint8), pixels=stored.pixels.astype(np.int16),
            limits=stored.limits.astype(np.int32), found=counts,
        )  # fmt: skip

    def _refuse_lost(self, ends: tuple[int, int], written: dict[int, VideoFrame]) -> None:
        lost = [end for end in ends if end not in written]
        if lost:
            raise break_rule(
                self._folder.matches(*ends), f"frame {lost[0]}, which is missing",
                "two frames of one video",
            )  # fmt: skip

    def _read_iuv(self, number: int) -> UInt8[np.ndarray, "256 256 3"]:
        return read_iuv(self._folder.image("densepose", number)).iuv

    def _list_files(self) -> Iterator[Path]:
        yield self._folder.frame_list
        yield self._folder.pair_list
        for named in self._frames:
            yield from (self._folder.image(name, named.number) for name in IMAGE_FOLDERS)
            yield from self._folder.normals(named.number)
        for ends in self._pairs:
            yield from (self._folder.matches(*ends), self._folder.limits(*ends))


def _pairs_of(listed: Int[np.ndarray, "N C"], own: set[int]) -> Iterator[tuple[int, int]]:
    """Yield each pair of these frames once: neighbours are repeated to fill a row."""
    rows: Sequence[list[int]] = listed.tolist()
    for frame_i, *neighbours in rows:
        if frame_i in own:
            yield from ((frame_i, frame_j) for frame_j in dict.fromkeys(neighbours))
