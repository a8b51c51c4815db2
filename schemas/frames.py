"""The columns of video frames and of their pairs, as Arrow schemas.

One row a row group, as in schemas.samples. Rows and columns of pixels count from 0 here; indices
that count from 1 exist only in exported text. Source: docs/samples.md, "Frames and pairs".
"""

import pyarrow as pa

from schemas.samples import IMAGE, Column, fixed_list, schema_of
from schemas.scan import DENSEPOSE_PARTS

PART_COUNT = DENSEPOSE_PARTS

NO_ROW = -1
FRAME_DIGITS = 7

FRAME_COLUMNS: tuple[Column, ...] = (
    Column("frame_id", pa.string(), "unique name of the frame: video/0000000"),
    Column("video", pa.string(), "name of the sequence"),
    Column("frame", pa.int64(), "number of the frame in its sequence"),
    Column("color", IMAGE, "the picture", unit="sRGB 0..255", codec="PNG"),
    Column("mask", IMAGE, "the person", unit="0 or 255", fill="0 outside", codec="PNG"),
    Column(
        "iuv", IMAGE, "DensePose part 0..24, U, V", unit="0..255", fill="0 outside", codec="PNG",
        nullable=True,
    ),
    Column(
        "pred_normals", pa.binary(), "front.NX..NZ: unit normals predicted from the picture",
        frame="camera axes: x right, y down, z away from the camera",
        fill="0 outside; null until predicted", codec="OpenEXR float32 ZIP", nullable=True,
    ),
    Column(
        "intrinsics", fixed_list(pa.float64(), 9), "K of HDNet's fixed camera, row by row",
        unit="pixel", frame="corner-origin pixels (the centre of the top-left pixel is (0.5, 0.5))",
    ),
    Column(
        "crop", fixed_list(pa.float64(), 4),
        "left, top, width, height of the frame in its source picture", unit="pixel",
        frame="corner-origin pixels of the source picture",
    ),
    Column("split", pa.string(), "train, val or test; decided by the video"),
)  # fmt: skip

PAIR_COLUMNS: tuple[Column, ...] = (
    Column("pair_id", pa.string(), "unique name of the pair: video/0000000--0000000"),
    Column("video", pa.string(), "name of the sequence"),
    Column("frame_i", pa.int64(), "number of the frame that matches are sought for"),
    Column("frame_j", pa.int64(), "number of the frame that they are found in"),
    Column(
        "part", pa.list_(pa.field("element", pa.uint8())),
        "DensePose part 1..24 of each match, ascending",
    ),
    Column(
        "pixels", pa.list_(pa.field("element", fixed_list(pa.int16(), 4))),
        "row and column in frame i, row and column in frame j, of each match", unit="pixel index",
        frame="row 0 on top, column 0 on the left",
    ),
    Column(
        "limits", fixed_list(pa.int32(), 2 * PART_COUNT),
        "first and last match of each part 1..24, last included", fill="-1, -1 for none",
    ),
)  # fmt: skip


def frame_schema() -> pa.Schema:
    """Return the schema of frames/*.parquet."""
    return schema_of(FRAME_COLUMNS)


def pair_schema() -> pa.Schema:
    """Return the schema of pairs/*.parquet."""
    return schema_of(PAIR_COLUMNS)


def frame_id(video: str, frame: int) -> str:
    """Name a frame."""
    return f"{video}/{frame:0{FRAME_DIGITS}d}"


def pair_id(video: str, frame_i: int, frame_j: int) -> str:
    """Name a pair."""
    return f"{frame_id(video, frame_i)}--{frame_j:0{FRAME_DIGITS}d}"
