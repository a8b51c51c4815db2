"""Videos of data sets as HDNet's folders: listed from their records, frames and pairs written."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from schemas.codecs import decode_front_normals, decode_image, decode_mask
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Manifest
from tasks.dataset.shards import Row
from tasks.dataset.stored_rows import read_stored_rows
from tasks.formats.exporting import ExportPiece, WrittenShard
from tasks.formats.hdnet.frame_list import VideoFrame
from tasks.formats.hdnet.hdnet_frames import PublishedFrame, lay_on_white, write_frame, write_pair
from tasks.formats.hdnet.hdnet_layout import TIKTOK, HdnetFolder, seven_digits
from tasks.video.match_rules import StoredMatches


class ExportedVideo(WrittenShard):
    """What was written of one video. bare: frames without predicted normals."""

    frames: tuple[VideoFrame, ...]
    bare: int
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoPiece(ExportPiece):
    """One video; shift is added to its frame numbers."""

    shift: int

    def write(self) -> ExportedVideo:
        """Write all frames and pairs."""
        target = HdnetFolder(self.staging / TIKTOK.folder, TIKTOK)
        frames, bare, pairs = list[VideoFrame](), 0, 0
        for row in read_stored_rows(self.folder, self.shard_id, "frames"):
            number = cast("int", row["frame"]) + self.shift
            write_frame(target, number, _decode_frame(row))
            bare += row["pred_normals"] is None
            frames.append(_name_frame(row, number))
        for row in read_stored_rows(self.folder, self.shard_id, "pairs"):
            frame_i, frame_j = (cast("int", row[name]) for name in ("frame_i", "frame_j"))
            matches = StoredMatches.from_row(row)
            write_pair(target, frame_i + self.shift, frame_j + self.shift, matches)
            pairs += 1
        return ExportedVideo(frames=tuple(frames), bare=bare, pairs=pairs)


@dataclass(frozen=True, slots=True)
class CommittedVideo:
    """A committed video. numbers: of its frames, ascending; pairs: by these numbers."""

    folder: DatasetFolder
    shard_id: str
    name: str
    numbers: tuple[int, ...]
    pairs: tuple[tuple[int, int], ...]


def list_committed_videos(folder: DatasetFolder) -> Iterator[CommittedVideo]:
    """Yield the videos whose frames and pairs are both committed; reads records only."""
    folder.read_description()
    with_frames = set(folder.committed_shards("frames"))
    for shard_id in folder.committed_shards("pairs"):
        if shard_id in with_frames:
            frames = folder.read_manifest(shard_id, "frames")
            pairs = folder.read_manifest(shard_id, "pairs")
            videos = sorted({name.rpartition("/")[0] for name in frames.sample_ids})
            yield CommittedVideo(
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
