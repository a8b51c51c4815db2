"""The columns of a rendered sample, as Arrow schema: the meaning of each is beside it.

One sample a row group, no compression, no dictionary, so that reading one reads nothing else.
Source: docs/samples.md, "Columns of a sample".
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from schemas.exr_compression import EXR_CODECS, ExrCompression
from schemas.keypoints import JOINT_COUNT, JOINTS

FORMAT_VERSION = 1
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""How Hugging Face datasets stores an Image."""

_PIXELS = "corner-origin pixels (the centre of the top-left pixel is (0.5, 0.5))"
_CAMERA_AXES = "camera axes: x right, y down, z away from the camera"
_JOINT_ORDER = "joints in this order: " + ", ".join(joint.name for joint in JOINTS)


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type, and what a reader of the file must know.

    later: came after the first data sets, so that a file without it is older, not broken.
    """

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    frame: str = ""
    fill: str = ""
    codec: str = ""
    nullable: bool = False
    later: bool = False

    def field(self) -> pa.Field:
        """Make the Arrow field with its metadata."""
        facts = {
            name: getattr(self, name) for name in ("meaning", "unit", "frame", "fill", "codec")
        }
        metadata = {key: value for key, value in facts.items() if value}
        # Hugging Face takes its Image feature only where the Arrow field may be null.
        nullable = self.nullable or self.type == IMAGE
        return pa.field(self.name, self.type, nullable=nullable, metadata=metadata)


def fixed_list(kind: pa.DataType, length: int) -> pa.DataType:
    """Make the type of a list that always has the same length."""
    # Parquet calls what a list holds "element", so that is what readers meet.
    return pa.list_(pa.field("element", kind), length)


SAMPLE_COLUMNS: tuple[Column, ...] = (
    Column("sample_id", pa.string(), "unique name of the view: dataset/item/yaw[/...]"),
    Column("dataset", pa.string(), "RP, THuman2 or 2K2K"),
    Column("item", pa.string(), "name of the scan below its data set"),
    Column("subject", pa.string(), "groups the scans of one person"),
    Column("split", pa.string(), "train, val or test; decided by the subject"),
    Column("yaw", pa.float32(), "turn of the person about the vertical axis", unit="degree"),
    Column("pitch", pa.float32(), "turn about the horizontal axis, after the yaw", unit="degree"),
    Column("camera", pa.string(), "2k2k, orthographic or hdnet"),
    Column("width", pa.int32(), "of all pictures of the sample", unit="pixel"),
    Column("height", pa.int32(), "of all pictures of the sample", unit="pixel"),
    Column(
        "intrinsics", fixed_list(pa.float64(), 9),
        "K, row by row; orthographic: pixels for one scene unit, and the centre",
        unit="pixel", frame=_PIXELS,
    ),
    Column(
        "world_to_camera", fixed_list(pa.float64(), 16), "4 x 4, row by row", unit="scene unit",
        frame=f"from world (x right, y up, z towards the viewer) to {_CAMERA_AXES}",
    ),
    Column(
        "mesh_to_world", fixed_list(pa.float64(), 16), "4 x 4, row by row: placement and turns",
        unit="scene unit", frame="from the coordinates in the scan's file to world",
    ),
    Column("metres_per_unit", pa.float64(), "size of a scene unit", unit="metre"),
    Column("metric_source", pa.string(), "file, fit or assumed_height"),
    Column(
        "image", IMAGE, "training picture: lit front surface over its background",
        unit="sRGB 0..255", codec="JPEG 4:4:4",
    ),
    Column(
        "color_front", IMAGE, "texture colour of the front surface, no lighting",
        unit="sRGB 0..255", fill="0 outside", codec="PNG",
    ),
    Column(
        "color_back", IMAGE, "texture colour of the back surface, seen through the person",
        unit="sRGB 0..255", fill="0 outside", codec="PNG",
    ),
    Column(
        "shaded", IMAGE, "front surface under the sample's lights", unit="sRGB 0..255",
        fill="0 outside", codec="PNG",
    ),
    Column("mask", IMAGE, "the person", unit="0 or 255", fill="0 outside", codec="PNG"),
    Column(
        "iuv", IMAGE, "DensePose part 0..24, U, V", unit="0..255", fill="0 outside; null unknown",
        codec="PNG", nullable=True,
    ),
    Column(
        "depth", pa.binary(),
        "front.Z and back.Z: length of the ray from the camera centre; orthographic: length along "
        "the viewing direction from the plane through the camera centre",
        unit="scene unit", fill="0 outside", codec="OpenEXR float32 ZIP",
    ),
    Column(
        "normals", pa.binary(), "front.NX..NZ and back.NX..NZ: unit normals", frame=_CAMERA_AXES,
        fill="0 outside", codec="OpenEXR float16 ZIP",
    ),
    Column(
        "keypoints", fixed_list(pa.float32(), 3 * JOINT_COUNT),
        f"31 x (x, y, known); {_JOINT_ORDER}",
        unit="pixel", frame=_PIXELS, fill="0, 0, 0 where unknown",
    ),
    Column(
        "joints_camera", fixed_list(pa.float32(), 3 * JOINT_COUNT),
        f"31 x (x, y, z); {_JOINT_ORDER}",
        unit="scene unit", frame=_CAMERA_AXES, fill="NaN where unknown",
    ),
    Column(
        "keypoint_source", fixed_list(pa.uint8(), JOINT_COUNT),
        "0 none, 1 annotated, 2 corrected, 3 copied, 4 SMPL-X",
    ),
    Column(
        "keypoint_occluded", fixed_list(pa.uint8(), JOINT_COUNT),
        "by the depth map: 0 visible, 1 behind the front surface", fill="255 unknown",
    ),
    Column("background", pa.string(), "path below the background root", fill="empty for black"),
    Column("seed", pa.int64(), "the sample's own seed"),
)  # fmt: skip


def sample_columns(compression: ExrCompression = "zip") -> tuple[Column, ...]:
    """Return the columns of samples whose OpenEXR files are compressed in one way."""
    label = EXR_CODECS[compression].label
    return tuple(replace(one, codec=_exr_label(one.codec, label)) for one in SAMPLE_COLUMNS)


def sample_schema() -> pa.Schema:
    """Return the schema of samples/*.parquet, with Hugging Face features in its metadata."""
    return schema_of(SAMPLE_COLUMNS)


def schema_of(columns: Iterable[Column]) -> pa.Schema:
    """Return the schema of these columns, with Hugging Face features in its metadata."""
    columns = tuple(columns)
    features = {column.name: _feature(column.type) for column in columns}
    metadata = {
        "scanmill.format_version": str(FORMAT_VERSION),
        "huggingface": json.dumps({"info": {"features": features}}, sort_keys=True),
    }
    return pa.schema([column.field() for column in columns], metadata=metadata)


def row_table(row: Mapping[str, object], schema: pa.Schema) -> pa.Table:
    """Make a one-row table; raises KeyError when a column is missing."""
    arrays = [pa.array([row[field.name]], type=field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


def _exr_label(codec: str, label: str) -> str:
    return f"{codec.rpartition(' ')[0]} {label}" if codec.startswith("OpenEXR") else codec


def _feature(kind: pa.DataType) -> dict[str, object]:
    if kind == IMAGE:
        return {"_type": "Image"}
    if pa.types.is_fixed_size_list(kind):
        inner = _feature(kind.value_type)
        return {"feature": inner, "length": kind.list_size, "_type": "List"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": _value_name(kind), "_type": "Value"}


def _value_name(kind: pa.DataType) -> str:
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
