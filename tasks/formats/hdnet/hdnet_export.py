"""Data sets as HDNet's published folders: a piece a video or a shard of samples, then the lists.

DIR/tiktok_data   frames and pairs of every video       DIR/Tang_data   labelled samples
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pydantic import Field

from schemas.camera import CAMERA_MODELS, CameraName
from schemas.codecs import decode_front_normals, decode_image, decode_mask
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from schemas.manifest import Manifest
from schemas.settings import RenderSettings
from tasks.dataset.shards import Row, read_rows
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.exporting import (
    ExportPiece,
    ExportPlan,
    ExportTarget,
    WrittenShard,
    list_missing,
)
from tasks.formats.hdnet.frame_list import LabelledFrame, VideoFrame, format_frames
from tasks.formats.hdnet.hdnet_frames import (
    PublishedFrame,
    lay_on_white,
    write_files,
    write_frame,
    write_pair,
)
from tasks.formats.hdnet.hdnet_layout import (
    LABELLED,
    TIKTOK,
    HdnetFolder,
    choose_shifts,
    seven_digits,
)
from tasks.formats.hdnet.labelled_sample import LAYOUT, label_sample
from tasks.formats.outcomes import ExportOutcome
from tasks.samples.sample_shards import SAMPLES
from tasks.video.match_rules import StoredMatches
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


class ExportedVideo(WrittenShard):
    """What was written of one video. bare: frames without predicted normals."""

    frames: tuple[VideoFrame, ...]
    bare: int
    pairs: int


class ExportedSamples(WrittenShard):
    """What was written of one shard of samples. refused: what HDNet's camera could not see."""

    samples: tuple[LabelledFrame, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPiece(ExportPiece):
    """One video; shift is added to its frame numbers."""

    shift: int

    def write(self) -> ExportedVideo:
        """Write all frames and pairs."""
        target = HdnetFolder(self.staging / TIKTOK.folder, TIKTOK)
        frames, bare, pairs = list[VideoFrame](), 0, 0
        for row in read_rows(self.folder.shard_path(self.shard_id, "frames")):
            number = cast("int", row["frame"]) + self.shift
            write_frame(target, number, _decode_frame(row))
            bare += row["pred_normals"] is None
            frames.append(_name_frame(row, number))
        for row in read_rows(self.folder.shard_path(self.shard_id, "pairs")):
            frame_i, frame_j = (cast("int", row[name]) for name in ("frame_i", "frame_j"))
            matches = StoredMatches.from_row(row)
            write_pair(target, frame_i + self.shift, frame_j + self.shift, matches)
            pairs += 1
        return ExportedVideo(frames=tuple(frames), bare=bare, pairs=pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplesPiece(ExportPiece):
    """The samples of one shard, with the number of its first."""

    settings: RenderSettings
    first_number: int

    def write(self) -> ExportedSamples:
        """Write the samples that HDNet's camera can see; the others are named."""
        target = HdnetFolder(self.staging / LABELLED.folder, LABELLED)
        written, refused = list[LabelledFrame](), list[str]()
        for number, row in enumerate(
            read_rows(self.folder.shard_path(self.shard_id)), start=self.first_number
        ):
            sample = StoredSample(row, self.settings)
            if not is_convertible(sample.camera.name):
                continue  # an orthographic view beside a perspective one: nothing is lost
            try:
                frame = label_sample(sample)
            except InputError as error:
                why = f"{error.found}; expected {error.expected}"
                refused.append(f"{error.thing}: not for HDNet: {why}")
                continue
            write_frame(target, number, frame)
            named = {"name": seven_digits(number), "has_iuv": frame.iuv is not None}
            kept = {key: row[key] for key in ("sample_id", "split")}
            written.append(LabelledFrame.model_validate(named | kept))
        return ExportedSamples(samples=tuple(written), refused=tuple(refused))


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
    videos = [video for folder in folders for video in _list_videos(folder)]
    paired = {(str(one.folder.root), one.shard_id): one for one in videos if one.pairs}
    shifts = choose_shifts({key: video.numbers for key, video in paired.items()})
    pieces: list[ExportPiece] = [
        VideoPiece(
            folder=video.folder, shard_id=video.shard_id, staging=target.staging, shift=shifts[key]
        )
        for key, video in paired.items()
    ]
    pieces += _plan_samples(folders, target.staging)
    if not pieces:
        raise RequestError(
            ", ".join(str(folder.root) for folder in folders),
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


def is_convertible(camera: CameraName) -> bool:
    """Return whether samples of this camera can become labelled ones."""
    return LAYOUT in CAMERA_MODELS[camera].layouts


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


@dataclass(frozen=True, slots=True)
class _Video:
    """A committed video. numbers: of its frames, ascending; pairs: by these numbers."""

    folder: DatasetFolder
    shard_id: str
    name: str
    numbers: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]


def _list_videos(folder: DatasetFolder) -> Iterator[_Video]:
    folder.read_description()
    with_frames = set(folder.committed_shards("frames"))
    for shard_id in folder.committed_shards("pairs"):
        if shard_id in with_frames:
            frames = folder.read_manifest(shard_id, "frames")
            pairs = folder.read_manifest(shard_id, "pairs")
            videos = sorted({name.rpartition("/")[0] for name in frames.sample_ids})
            yield _Video(
                folder=folder,
                shard_id=shard_id,
                name=", ".join(videos) or shard_id,
                numbers=tuple(int(name.rpartition("/")[2]) for name in frames.sample_ids),
                pairs=tuple(_pairs_of(pairs)),
            )


def _pairs_of(pairs: Manifest) -> Iterator[tuple[int, int]]:
    for name in pairs.sample_ids:
        frame_i, frame_j = name.rpartition("/")[2].split("--")
        yield int(frame_i), int(frame_j)


def _plan_samples(folders: Sequence[DatasetFolder], staging: Path) -> Iterator[SamplesPiece]:
    """Give numbers to the samples of all committed shards whose camera can be converted."""
    number = 0
    for folder in folders:
        settings = folder.read_description().settings
        for shard_id in folder.committed_shards() if is_convertible(settings.camera) else ():
            yield SamplesPiece(
                folder=folder, shard_id=shard_id, staging=staging, settings=settings,
                first_number=number,
            )  # fmt: skip
            number += folder.read_manifest(shard_id).rows


def _count_neighbours(folder: DatasetFolder) -> int:
    pairing = folder.read_description().pairing
    return pairing.neighbours if pairing else 1


def _warn(videos: Sequence[ExportedVideo], shards: Sequence[ExportedSamples]) -> Iterator[str]:
    bare = sum(one.bare for one in videos)
    if bare:
        yield (
            f"{bare} frames have no predicted normals and were written without: the published "
            "reader opens pred_normals for every frame. The stage hdnet-predict-normals makes "
            "them; this version does not have it yet."
        )
    blind = sum(not one.has_iuv for shard in shards for one in shard.samples)
    if blind:
        yield (
            f"{blind} labelled samples have no DensePose image and were written without: the "
            "published reader opens one for every sample. Render with --densepose."
        )
    for shard in shards:
        yield from shard.refused


def _decode_frame(row: Row) -> PublishedFrame:
    color, mask = decode_image(_bytes(row, "color")), decode_mask(_bytes(row, "mask"))
    normals = cast("bytes | None", row["pred_normals"])
    return PublishedFrame(
        color=color,
        color_on_white=lay_on_white(color, mask),
        mask=mask,
        iuv=decode_image(_bytes(row, "iuv")),
        normals=None if normals is None else decode_front_normals(normals),
    )


def _name_frame(row: Row, number: int) -> VideoFrame:
    left, top, width, height = cast("list[float]", row["crop"])
    return VideoFrame(
        name=seven_digits(number), video=str(row["video"]), frame=cast("int", row["frame"]),
        split=str(row["split"]), left=left, top=top, width=width, height=height,
    )  # fmt: skip


def _bytes(row: Row, column: str) -> bytes:
    return cast("bytes", cast("dict[str, object]", row[column])["bytes"])
