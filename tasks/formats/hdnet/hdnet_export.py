"""Data sets as HDNet's published folders: a piece a video or a shard of samples, then the lists.

DIR/tiktok_data   frames and pairs of every video       DIR/Tang_data   labelled samples
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from tasks.formats.exporting import (
    ExportPiece,
    ExportPlan,
    ExportTarget,
    WrittenShard,
    list_missing,
)
from tasks.formats.hdnet.frame_list import format_frames
from tasks.formats.hdnet.hdnet_frames import (
    write_files,
)
from tasks.formats.hdnet.hdnet_layout import (
    LABELLED,
    TIKTOK,
    HdnetFolder,
    choose_shifts,
)
from tasks.formats.hdnet.labelled_export import ExportedSamples, plan_samples
from tasks.formats.hdnet.video_export import ExportedVideo, VideoPiece, list_committed_videos
from tasks.formats.outcomes import ExportOutcome
from tasks.samples.sample_shards import SAMPLES
from tasks.video.number_grids import format_integers
from tasks.video.video_shards import VIDEOS


class HdnetExport(ExportOutcome):
    """What an export in HDNet's layout wrote."""

    videos: int
    frames: int
    pairs: int
    samples: int = Field(description="labelled")

    @property
    def sentence(self) -> str:
        """What was written, in one line."""
        return (
            f"export: {self.videos} videos, {self.frames} frames, {self.pairs} pairs, "
            f"{self.samples} labelled samples in {self.to}."
        )


@dataclass(frozen=True, slots=True)
class HdnetPlan(ExportPlan):
    """The pieces of an export. pairs: all of them by their published numbers."""

    pairs: tuple[tuple[int, int], ...]
    neighbours: int
    left_out: tuple[str, ...]

    def finish(self, written: Sequence[WrittenShard], target: ExportTarget) -> HdnetExport:
        """Write the lists of frames and of pairs, and sum up."""
        videos = [one for one in written if isinstance(one, ExportedVideo)]
        frames = [frame for one in videos for frame in one.frames]
        shards = [one for one in written if isinstance(one, ExportedSamples)]
        samples = [sample for one in shards for sample in one.samples]
        tiktok = HdnetFolder(target.staging / TIKTOK.folder, TIKTOK)
        labelled = HdnetFolder(target.staging / LABELLED.folder, LABELLED)
        texts = {labelled.frame_list: format_frames(samples)} if samples else {}
        if frames:
            texts[tiktok.frame_list] = format_frames(frames)
            texts[tiktok.pair_list] = format_pair_list(self.pairs, neighbours=self.neighbours)
        write_files({path: text.encode() for path, text in texts.items()})
        return HdnetExport(
            to=str(target.to),
            videos=len(videos),
            frames=len(frames),
            pairs=sum(one.pairs for one in videos),
            samples=len(samples),
            failures=tuple(failure for one in written for failure in one.failures),
            missing=list_missing(self.folders, SAMPLES, VIDEOS),
            warnings=(*self.left_out, *_warn(videos, shards)),
        )


def plan_export(folders: Sequence[DatasetFolder], target: ExportTarget) -> HdnetPlan:
    """Plan a piece for every video with pairs and every shard of samples; reads records only.

    Raises RequestError when there is nothing to export, seven digits can't name it all, or the
    folders to write exist.
    """
    for name in (TIKTOK.folder, LABELLED.folder):
        if (target.to / name).exists():
            raise RequestError(
                str(target.to / name), found="it is there already",
                expected="a place for a new folder", hint="Give another --to, or move it away.",
            )  # fmt: skip
    videos = [video for folder in folders for video in list_committed_videos(folder)]
    paired = {(one.folder.uri, one.shard_id): one for one in videos if one.pairs}
    shifts = choose_shifts({key: video.numbers for key, video in paired.items()})
    pieces: list[ExportPiece] = [
        VideoPiece(
            folder=video.folder, shard_id=video.shard_id, staging=target.staging, shift=shifts[key]
        )
        for key, video in paired.items()
    ]
    pieces += plan_samples(folders, target.staging)
    if not pieces:
        raise RequestError(
            ", ".join(folder.address for folder in folders),
            found="no pairs of frames, and no samples that HDNet's camera could see",
            expected="a data set of `scanmill pair`, or of `scanmill render`",
            hint="Run `scanmill status` on it.",
        )
    pairs = ((key, pair) for key, video in paired.items() for pair in video.pairs)
    return HdnetPlan(
        folders=tuple(folders),
        pieces=tuple(pieces),
        pairs=tuple((i + shifts[key], j + shifts[key]) for key, (i, j) in pairs),
        neighbours=max(_count_neighbours(folder) for folder in folders),
        left_out=tuple(f"{one.name}: no pairs, left out" for one in videos if not one.pairs),
    )


def format_pair_list(pairs: Sequence[tuple[int, int]], *, neighbours: int) -> str:
    """Write corr_mat.txt: one row a frame, its neighbours repeated to as many in every row."""
    by_frame: dict[int, list[int]] = {}
    for frame_i, frame_j in pairs:
        by_frame.setdefault(frame_i, []).append(frame_j)
    rows = (
        [frame, *(found[k % len(found)] for k in range(neighbours))]
        for frame, found in by_frame.items()
    )
    return format_integers(rows)


def _count_neighbours(folder: DatasetFolder) -> int:
    pairing = folder.read_description().pairing
    return pairing.neighbours if pairing else 1


def _warn(videos: Sequence[ExportedVideo], shards: Sequence[ExportedSamples]) -> Iterator[str]:
    bare = sum(one.bare for one in videos)
    if bare:
        yield (
            f"{bare} frames have no predicted normals and were written without: the published "
            "reader opens pred_normals for every frame. `scanmill train hdnet-predict-normals` "
            "makes them."
        )
    blind = sum(not one.has_iuv for shard in shards for one in shard.samples)
    if blind:
        yield (
            f"{blind} labelled samples have no DensePose image and were written without: the "
            "published reader opens one for every sample. Render with --densepose."
        )
    for shard in shards:
        yield from shard.refused
