from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.atomic_files import write_atomically
from schemas.codecs import (
    decode_depth,
    decode_image,
    decode_normals,
    encode_depth,
    encode_mask,
    encode_normals,
    encode_png,
)
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.manifest import Failure
from schemas.work import map_in_threads, map_units
from tasks.checks.validation import validate_dataset
from tasks.dataset.shards import digest_shard
from tests.tasks.data_sets import ball_rows, commit_rows, commit_shard

Cells = dict[str, object]
T = TypeVar("T")
R = TypeVar("R")
NAME = "RP/rp_ball_posed_001/0"


def encoded(cell: object) -> bytes:
    data = cell["bytes"] if isinstance(cell, dict) else cell
    assert isinstance(data, bytes)
    return data


def image(data: bytes) -> Cells:
    return {"bytes": data, "path": None}


def numbers(row: Cells, column: str) -> np.ndarray:
    return np.array(row[column], np.float64)


def mask_of(row: Cells) -> np.ndarray:
    return decode_image(encoded(row["mask"]))[..., 0] > 0


def shrink_mask(row: Cells) -> None:
    mask = mask_of(row)
    mask[32] = False
    row["mask"] = image(encode_mask(mask))


def grey_mask(row: Cells) -> None:
    level = decode_image(encoded(row["mask"]))
    level[32, 32] = 77
    row["mask"] = image(encode_png(level))


def swap_depth(row: Cells) -> None:
    front, back = decode_depth(encoded(row["depth"]))
    row["depth"] = encode_depth(back, front, mask_of(row))


def spoil_depth(row: Cells) -> None:
    front, back = decode_depth(encoded(row["depth"]))
    front[32, 32] = np.nan
    row["depth"] = encode_depth(front, back, mask_of(row))


def lengthen_normal(row: Cells) -> None:
    front, back = decode_normals(encoded(row["normals"]))
    front[32, 32] *= 1.02
    row["normals"] = encode_normals(front, back, mask_of(row))


def turn_normals(row: Cells) -> None:
    front, back = decode_normals(encoded(row["normals"]))
    row["normals"] = encode_normals(back, front, mask_of(row))


def lose_normal(row: Cells) -> None:
    front, back = decode_normals(encoded(row["normals"]))
    back[32, 32] = 0
    row["normals"] = encode_normals(front, back, mask_of(row))


def color_outside(row: Cells) -> None:
    color = decode_image(encoded(row["color_back"]))
    color[0, 0] = (1, 0, 0)
    row["color_back"] = image(encode_png(color))


def crop_image(row: Cells) -> None:
    row["shaded"] = image(encode_png(decode_image(encoded(row["shaded"]))[:-1]))


def swap_codec(row: Cells) -> None:
    row["image"] = row["shaded"]


def break_image(row: Cells) -> None:
    row["color_front"] = image(encoded(row["color_front"])[:30])


def compress_otherwise(row: Cells) -> None:
    front, back = decode_depth(encoded(row["depth"]))
    row["depth"] = encode_depth(front, back, mask_of(row), "htj2k")


def break_depth(row: Cells) -> None:
    row["depth"] = b"not OpenEXR"


def move_keypoint(row: Cells) -> None:
    keypoints = numbers(row, "keypoints")
    keypoints[0] += 0.1
    row["keypoints"] = keypoints


def know_unknown(row: Cells) -> None:
    keypoints = numbers(row, "keypoints")
    keypoints[3 * 1 + 2] = 1
    row["keypoints"] = keypoints


def place_unknown(row: Cells) -> None:
    keypoints = numbers(row, "keypoints")
    keypoints[3 * 1] = 5
    row["keypoints"] = keypoints


def forget_source(row: Cells) -> None:
    row["keypoint_source"] = np.zeros(31, np.uint8)


def guess_occlusion(row: Cells) -> None:
    row["keypoint_occluded"] = np.zeros(31, np.uint8)


def change_focal_length(row: Cells) -> None:
    K = numbers(row, "intrinsics")
    K[0] += 0.01
    row["intrinsics"] = K


def move_camera(row: Cells) -> None:
    view = numbers(row, "world_to_camera")
    view[3] += 0.001
    row["world_to_camera"] = view


def shear_placement(row: Cells) -> None:
    matrix = numbers(row, "mesh_to_world")
    matrix[1] += 0.1
    row["mesh_to_world"] = matrix


def set_cell(column: str, value: object) -> Callable[[Cells], None]:
    def change(row: Cells) -> None:
        row[column] = value

    return change


DEFECTS: list[tuple[Callable[[Cells], None], str]] = [
    (shrink_mask, "mask and front depth"),
    (grey_mask, "mask"),
    (swap_depth, "depth"),
    (spoil_depth, "depth"),
    (lengthen_normal, "front normals"),
    (turn_normals, "front normals"),
    (lose_normal, "mask and back normals"),
    (color_outside, "color_back"),
    (crop_image, "size of shaded"),
    (swap_codec, "codec of image"),
    (compress_otherwise, "codec of depth"),
    (break_image, "picture"),
    (break_depth, "OpenEXR with channels front.Z, back.Z"),
    (move_keypoint, "keypoints"),
    (know_unknown, "keypoints known"),
    (place_unknown, "unknown keypoints"),
    (forget_source, "keypoint_source"),
    (guess_occlusion, "keypoint_occluded"),
    (change_focal_length, "intrinsics"),
    (move_camera, "world_to_camera"),
    (shear_placement, "mesh_to_world"),
    (set_cell("metres_per_unit", 0.0), "metres_per_unit"),
    (set_cell("metric_source", "guess"), "metric_source"),
    (set_cell("seed", 7), "seed"),
    (set_cell("split", "dev"), "split"),
    (set_cell("subject", "rp_cube"), "dataset, item, subject, split"),
    (set_cell("yaw", 20.0), "view"),
    (set_cell("yaw", 10.0), "sample_id"),
    (set_cell("width", 65), "height, width"),
    (set_cell("background", "hall.png"), "background"),
    (set_cell("image", None), "image"),
    (set_cell("mask", {"bytes": None, "path": None}), "mask"),
    (set_cell("iuv", {"bytes": b"GIF89a", "path": None}), "picture"),
]


@pytest.fixture
def folder(tmp_path: Path) -> DatasetFolder:
    return commit_rows(tmp_path / "set", [ball_rows(), ball_rows("rp_ball_posed_002")])


def found(folder: DatasetFolder) -> set[tuple[str, str]]:
    return {(finding.where, finding.what) for finding in validate_dataset(folder).findings}


def map_units_in_threads(
    function: Callable[[T], R], units: Sequence[T], names: Sequence[str]
) -> list[R]:
    del names
    return list(map_in_threads(function, units, threads=2))


def test_a_whole_data_set_has_no_findings(folder: DatasetFolder) -> None:
    validation = validate_dataset(folder, run=map_units_in_threads)
    assert validation.findings == ()
    assert (validation.passed, validation.shards, validation.samples) == (True, 2, 4)
    files = folder.shard_path("any").parent.iterdir()
    assert validation.bytes == sum(path.stat().st_size for path in files)


@pytest.mark.parametrize(
    ("plant", "what"), DEFECTS, ids=[f"{number}-{what}" for number, (_, what) in enumerate(DEFECTS)]
)
def test_a_planted_defect_is_found_in_its_sample(
    tmp_path: Path, plant: Callable[[Cells], None], what: str
) -> None:
    rows = ball_rows()
    folder = commit_rows(tmp_path / "set", [rows])
    plant(rows[0])
    commit_shard(folder, "shard-00000", rows)
    assert (NAME, what) in found(folder)
    assert not {where for where, _ in found(folder) if where.endswith("/10")} - {
        "RP/rp_ball_posed_001/10" if what in {"split", "dataset, item, subject, split"} else ""
    }


def test_a_finding_says_what_was_found_and_expected(tmp_path: Path) -> None:
    rows = ball_rows()
    folder = commit_rows(tmp_path / "set", [rows])
    swap_depth(rows[0])
    commit_shard(folder, "shard-00000", rows)
    (finding,) = validate_dataset(folder).findings
    assert finding.expected == "front <= back"
    pixels = int(mask_of(rows[0]).sum())
    assert finding.found == f"front behind back in {pixels} pixels"


def test_two_samples_of_one_name_are_found(tmp_path: Path) -> None:
    rows = ball_rows()
    folder = commit_rows(tmp_path / "set", [rows, ball_rows("rp_ball_posed_002")])
    commit_shard(folder, "shard-00001", rows)
    assert (NAME, "sample_id") in found(folder)


def test_a_subject_in_two_splits_is_found(tmp_path: Path) -> None:
    other = [row | {"split": "val"} for row in ball_rows("rp_ball_posed_002")]
    folder = commit_rows(tmp_path / "set", [ball_rows(), other])
    assert ("RP/rp_ball_posed_002/0", "split") in found(folder)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda table: table.drop_columns(["depth"]), "column depth"),
        (lambda table: table.append_column("more", pa.array([1, 2])), "column more"),
        (lambda table: table.replace_schema_metadata({}), "schema"),
        (lambda table: table.select(sorted(table.column_names)), "schema"),
        (
            lambda table: table.set_column(5, table.schema.field(5).remove_metadata(), table[5]),
            "column yaw",
        ),
    ],
    ids=["missing column", "extra column", "no metadata", "other order", "field metadata"],
)
def test_another_schema_is_found(
    folder: DatasetFolder, change: Callable[[pa.Table], pa.Table], what: str
) -> None:
    path = folder.shard_path("shard-00000")
    pq.write_table(change(pq.read_table(path)), path)
    assert ("samples/shard-00000.parquet", what) in found(folder)


def test_a_truncated_file_is_found(folder: DatasetFolder) -> None:
    path = folder.shard_path("shard-00000")
    path.write_bytes(path.read_bytes()[:-10])
    assert ("samples/shard-00000.parquet", "file") in found(folder)


def test_a_flipped_byte_is_found(folder: DatasetFolder) -> None:
    path = folder.shard_path("shard-00000")
    data = bytearray(path.read_bytes())
    data[data.index(b"\x89PNG") + 40] ^= 1
    path.write_bytes(data)
    assert {("samples/shard-00000.parquet", "sha256"), ("samples/shard-00000.parquet", "file")} <= (
        found(folder)
    )


def test_a_missing_file_is_found(folder: DatasetFolder) -> None:
    folder.shard_path("shard-00000").unlink()
    assert found(folder) == {("samples/shard-00000.parquet", "file")}


def test_a_missing_shard_is_found(folder: DatasetFolder) -> None:
    folder.manifest_path("shard-00001").unlink()
    assert found(folder) == {("samples/shard-00001.parquet", "shard")}


def test_a_foreign_file_among_the_samples_is_found(folder: DatasetFolder) -> None:
    (folder.root / "samples/notes.txt").write_text("")
    assert found(folder) == {("samples/notes.txt", "file")}


def test_an_unplanned_shard_is_found(folder: DatasetFolder) -> None:
    commit_shard(folder, "shard-00002", [])
    assert found(folder) == {
        ("samples/shard-00002.parquet", "file"),
        ("manifests/samples/shard-00002.json", "record"),
    }


def test_what_a_killed_writer_left_is_found(folder: DatasetFolder) -> None:
    left = folder.root / "plan" / ".tmp-00001.json-0"
    left.write_text("")
    assert found(folder) == {("plan/.tmp-00001.json-0", "file")}


def test_a_record_that_hides_a_sample_is_found(folder: DatasetFolder) -> None:
    commit_shard(folder, "shard-00000", ball_rows()[:1])
    assert found(folder) == {("manifests/samples/shard-00000.json", "samples")}


def test_a_sample_that_failed_is_no_finding(folder: DatasetFolder) -> None:
    failure = Failure(
        sample_id="RP/rp_ball_posed_001/10", stage="draw", kind="input", error="E", message="m"
    )
    commit_shard(folder, "shard-00000", ball_rows()[:1], failures=(failure,))
    assert found(folder) == set()


def test_names_that_disagree_with_the_record_are_found(folder: DatasetFolder) -> None:
    path = folder.manifest_path("shard-00000")
    path.write_text(path.read_text().replace("posed_001/10", "posed_001/20"))
    assert ("manifests/samples/shard-00000.json", "sample ids") in found(folder)


def test_an_unreadable_record_is_found(folder: DatasetFolder) -> None:
    folder.manifest_path("shard-00000").write_text("{")
    assert found(folder) == {("samples/shard-00000.parquet", "file")}


def test_another_digest_of_the_settings_is_found(folder: DatasetFolder) -> None:
    described = folder.read_description().model_copy(update={"settings_digest": "0"})
    write_atomically((folder.root / "dataset.json"), described.model_dump_json())
    assert found(folder) == {("dataset.json", "settings digest")}


def test_a_changed_shard_with_its_record_changed_too_is_still_checked(tmp_path: Path) -> None:
    rows = ball_rows()
    folder = commit_rows(tmp_path / "set", [rows])
    color_outside(rows[1])
    manifest = commit_shard(folder, "shard-00000", rows)
    assert manifest.sha256 == digest_shard(folder.shard_path("shard-00000"))
    assert found(folder) == {("RP/rp_ball_posed_001/10", "color_back")}


def test_every_shard_is_a_unit_of_its_name(folder: DatasetFolder) -> None:
    seen: list[str] = []

    def run(function: Callable[[T], R], units: Sequence[T], names: Sequence[str]) -> list[R]:
        seen.extend(names)
        return map_units(function, units, names)

    validate_dataset(folder, run=run)
    assert seen == ["shard-00000", "shard-00001"]


def test_a_folder_that_is_no_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no dataset\.json in it"):
        validate_dataset(DatasetFolder.at(tmp_path))
