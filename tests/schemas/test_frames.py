from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.frames import frame_id, frame_schema, pair_id, pair_schema
from schemas.pairing import PairSettings
from schemas.samples import row_table

FRAME_TYPES = {
    "frame_id": "string", "video": "string", "frame": "int64",
    "color": "struct<bytes: binary, path: string>", "mask": "struct<bytes: binary, path: string>",
    "iuv": "struct<bytes: binary, path: string>", "pred_normals": "binary",
    "intrinsics": "fixed_size_list<element: double>[9]",
    "crop": "fixed_size_list<element: double>[4]", "split": "string",
}  # fmt: skip
PAIR_TYPES = {
    "pair_id": "string", "video": "string", "frame_i": "int64", "frame_j": "int64",
    "part": "list<element: uint8>",
    "pixels": "list<element: fixed_size_list<element: int16>[4]>",
    "limits": "fixed_size_list<element: int32>[48]",
}  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "types"), [(frame_schema(), FRAME_TYPES), (pair_schema(), PAIR_TYPES)]
)
def test_columns_are_those_of_the_contract(schema: pa.Schema, types: dict[str, str]) -> None:
    assert {field.name: str(field.type) for field in schema} == types


@pytest.mark.parametrize("schema", [frame_schema(), pair_schema()])
def test_every_column_says_what_it_means(schema: pa.Schema) -> None:
    assert all(field.metadata[b"meaning"] for field in schema)
    assert schema.metadata[b"scanmill.format_version"] == b"1"


def test_names_have_seven_digits() -> None:
    assert frame_id("dance", 17634) == "dance/0017634"
    assert pair_id("dance", 17634, 17637) == "dance/0017634--0017637"


def test_larger_numbers_keep_all_their_digits() -> None:
    assert frame_id("dance", 123456789) == "dance/123456789"


def test_hugging_face_reads_pairs_with_their_features(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    row = {
        "pair_id": "v/0000001--0000004", "video": "v", "frame_i": 1, "frame_j": 4,
        "part": np.array([2, 2], np.uint8),
        "pixels": list(np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.int16)),
        "limits": np.full(48, -1, np.int32),
    }  # fmt: skip
    pq.write_table(row_table(row, pair_schema()), tmp_path / "a.parquet")
    read = datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "a.parquet"), cache_dir=str(tmp_path / "cache")
    )["train"][0]
    assert read["pixels"] == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert read["part"] == [2, 2]
    assert len(read["limits"]) == 48


def test_strides_are_multiples_of_the_step_nearest_first() -> None:
    assert PairSettings().strides == (3, -3, 6, -6, 9, -9, 12, -12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_neighbours": 5}, "min_neighbours 5 is more than 4"),
        ({"step": 13}, "no multiple of step 13 lies within reach 12"),
    ],
)
def test_settings_that_no_video_can_meet_are_refused(
    settings: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        PairSettings.model_validate(settings)
