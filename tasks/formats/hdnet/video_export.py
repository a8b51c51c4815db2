"""Frames and pairs of one video, written as the published TikTok set holds them.

Numbers of rows and columns count from 1 in the text, rows of the limit files from 0.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

import numpy as np
from pydantic import BaseModel, ConfigDict

from schemas.codecs import (
    decode_front_normals,
    decode_image,
    decode_mask,
    encode_mask,
    encode_png,
)
from schemas.dataset_folder import DatasetFolder
from schemas.frames import PART_COUNT
from tasks.dataset.shards import Row, read_rows
from tasks.formats.hdnet.hdnet_layout import HdnetFolder, seven_digits
from tasks.formats.hdnet.published_images import encode_densepose, image_of_normals, lay_on_white
from tasks.video.number_grids import format_grid, format_integers

NUMBER_COLUMNS = ("name", "video", "frame", "split", "left", "top", "width", "height")


class ExportedFrame(BaseModel):
    """One row of frames.csv: what a seven-digit name stands for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    video: str
    frame: int
    split: str
    left: float
    top: float
    width: float
    height: float


class ExportedVideo(BaseModel):
    """What was written of one video. bare: frames without predicted normals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    frames: tuple[ExportedFrame, ...]
    bare: int
    pairs: int


def export_video(
    source: DatasetFolder, shard_id: str, target: HdnetFolder, *, shift: int
) -> ExportedVideo:
    """Write all frames and pairs of one video; shift is added to its frame numbers."""
    frames, bare = [], 0
    for row in read_rows(source.shard_path(shard_id, "frames")):
        number = cast("int", row["frame"]) + shift
        write_frame(target, number, row)
        bare += row["pred_normals"] is None
        frames.append(_describe(row, number))
    pairs = 0
    for row in read_rows(source.shard_path(shard_id, "pairs")):
        write_pair(target, row, shift=shift)
        pairs += 1
    return ExportedVideo(frames=tuple(frames), bare=bare, pairs=pairs)


def write_frame(target: HdnetFolder, number: int, row: Row) -> None:
    """Write the images of one frame, and its predicted normals where there are any."""
    color, mask = decode_image(_bytes(row, "color")), decode_mask(_bytes(row, "mask"))
    images = {
        "color": encode_png(color),
        "color_WO_bg": encode_png(lay_on_white(color, mask)),
        "mask": encode_mask(mask),
        "densepose": encode_densepose(decode_image(_bytes(row, "iuv"))),
    }
    if row["pred_normals"] is not None:
        normals = decode_front_normals(cast("bytes", row["pred_normals"]))
        inside = cast("np.ndarray", normals.any(axis=-1))
        images["pred_normals_png"] = encode_png(image_of_normals(normals, inside))
        for axis, path in enumerate(target.normals("pred_normals", number)):
            put({path: format_grid(normals[..., axis], " ").encode()})
    put({target.image(name, number): data for name, data in images.items()})


def write_pair(target: HdnetFolder, row: Row, *, shift: int) -> None:
    """Write the correspondence file and the limit file of one pair."""
    frame_i, frame_j = (cast("int", row[name]) + shift for name in ("frame_i", "frame_j"))
    parts = np.asarray(row["part"], np.int64)
    from_one = np.asarray(row["pixels"], np.int64).reshape(-1, 4) + 1
    limits = np.asarray(row["limits"], np.int64).reshape(PART_COUNT, 2)
    matches = np.column_stack([parts, from_one]).tolist()
    ranges = np.column_stack([np.arange(1, PART_COUNT + 1), limits]).tolist()
    put({
        target.matches(frame_i, frame_j): format_integers(matches).encode(),
        target.limits(frame_i, frame_j): format_integers(ranges).encode(),
    })  # fmt: skip


def format_pair_list(pair_ids: Iterable[tuple[int, int]], *, neighbours: int) -> str:
    """Write corr_mat.txt: one row a frame, its neighbours repeated up to the wanted count."""
    by_frame: dict[int, list[int]] = {}
    for frame_i, frame_j in pair_ids:
        by_frame.setdefault(frame_i, []).append(frame_j)
    rows = (
        [frame, *(found[k % len(found)] for k in range(neighbours))]
        for frame, found in by_frame.items()
    )
    return format_integers(rows)


def format_number_list(frames: Iterable[ExportedFrame]) -> str:
    """Write frames.csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, NUMBER_COLUMNS, lineterminator="\n")
    writer.writeheader()
    for frame in frames:
        writer.writerow(frame.model_dump())
    return text.getvalue()


def put(files: Mapping[Path, bytes]) -> None:
    """Write files below a folder that is not in place yet."""
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _describe(row: Row, number: int) -> ExportedFrame:
    left, top, width, height = cast("list[float]", row["crop"])
    return ExportedFrame(
        name=seven_digits(number), video=str(row["video"]), frame=cast("int", row["frame"]),
        split=str(row["split"]), left=left, top=top, width=width, height=height,
    )  # fmt: skip


def _bytes(row: Row, column: str) -> bytes:
    return cast("bytes", cast("dict[str, object]", row[column])["bytes"])
