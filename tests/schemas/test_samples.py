import json

import pyarrow as pa
import pytest

from schemas.samples import IMAGE, SAMPLE_COLUMNS, row_table, sample_schema
from tests.tasks.sample_rows import ball_row

CONTRACT = [
    ("sample_id", "string"), ("dataset", "string"), ("item", "string"), ("subject", "string"),
    ("split", "string"), ("yaw", "float"), ("pitch", "float"), ("camera", "string"),
    ("width", "int32"), ("height", "int32"), ("intrinsics", "9 double"),
    ("world_to_camera", "16 double"), ("mesh_to_world", "16 double"),
    ("metres_per_unit", "double"), ("metric_source", "string"), ("image", "picture"),
    ("color_front", "picture"), ("color_back", "picture"), ("shaded", "picture"),
    ("mask", "picture"), ("iuv", "picture"), ("depth", "binary"), ("normals", "binary"),
    ("keypoints", "93 float"), ("joints_camera", "93 float"), ("keypoint_source", "31 uint8"),
    ("keypoint_occluded", "31 uint8"), ("background", "string"), ("seed", "int64"),
]  # fmt: skip
"""docs/samples.md, "Columns of a sample"."""


def name_of(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"{kind.list_size} {kind.value_type}"
    return "picture" if kind == IMAGE else str(kind)


def test_the_columns_are_those_of_the_contract() -> None:
    assert [(field.name, name_of(field.type)) for field in sample_schema()] == CONTRACT


def test_a_image_holds_bytes_and_a_path() -> None:
    assert [(field.name, str(field.type)) for field in IMAGE] == [
        ("bytes", "binary"), ("path", "string"),
    ]  # fmt: skip


@pytest.mark.parametrize("field", list(sample_schema()), ids=lambda field: field.name)
def test_every_column_says_what_it_means(field: pa.Field) -> None:
    assert field.metadata[b"meaning"]


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("depth", b"unit", b"scene unit"),
        ("depth", b"fill", b"0 outside"),
        ("joints_camera", b"fill", b"NaN where unknown"),
        ("image", b"codec", b"JPEG 4:4:4"),
        ("normals", b"codec", b"OpenEXR float16 ZIP"),
        ("yaw", b"unit", b"degree"),
    ],
)
def test_units_fills_and_codecs_stand_in_the_metadata(name: str, key: bytes, value: bytes) -> None:
    assert sample_schema().field(name).metadata[key] == value


def test_joints_are_named_in_the_metadata() -> None:
    meaning = sample_schema().field("keypoints").metadata[b"meaning"].decode()
    assert "nose, left eye" in meaning
    assert meaning.endswith("right pinky")


def test_only_images_are_images_for_hugging_face() -> None:
    features = json.loads(sample_schema().metadata[b"huggingface"])["info"]["features"]
    images = tuple(name for name, one in sorted(features.items()) if one["_type"] == "Image")
    assert images == ("color_back", "color_front", "image", "iuv", "mask", "shaded")
    assert features["intrinsics"] == {
        "feature": {"dtype": "float64", "_type": "Value"}, "length": 9, "_type": "List",
    }  # fmt: skip


def test_the_file_says_its_format_version() -> None:
    assert sample_schema().metadata[b"scanmill.format_version"] == b"1"


def test_the_schema_is_equal_every_time_it_is_made() -> None:
    assert sample_schema().serialize().to_pybytes() == sample_schema().serialize().to_pybytes()


def test_only_iuv_may_be_unknown() -> None:
    assert [column.name for column in SAMPLE_COLUMNS if column.nullable] == ["iuv"]


def test_a_row_becomes_a_table_of_one() -> None:
    table = row_table(ball_row(), sample_schema())
    assert table.num_rows == 1
    assert table.schema.equals(sample_schema(), check_metadata=True)


def test_a_row_without_a_column_is_refused() -> None:
    row = ball_row()
    del row["seed"]
    with pytest.raises(KeyError, match="seed"):
        row_table(row, sample_schema())


def test_a_list_of_another_length_is_refused() -> None:
    with pytest.raises(pa.ArrowInvalid, match="9"):
        row_table(ball_row() | {"intrinsics": [1.0] * 8}, sample_schema())
