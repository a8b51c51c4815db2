import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from schemas.codecs import decode_depth, decode_image, decode_mask, decode_normals
from schemas.dataset_folder import DatasetFolder
from schemas.errors import InputError, RequestError
from tasks.checks.validation import validate_dataset
from tasks.dataset.shards import read_rows
from tasks.formats.outcomes import ExportOutcome, ImportOutcome
from tests.tasks.formats.folders import export_to, import_from
from tests.tasks.sample_rows import RADIUS, RESOLUTION

Exported = tuple[Path, ExportOutcome]
Rows = dict[str, Mapping[str, Any]]
HALF_UNIT = np.tan(np.radians(25)) / RESOLUTION / 32
FIRST_DEPTH = "PERS/DEPTH/RP_0_y_-10_x/rp_ball_posed_001_front.png"
FIRST_ID = "RP/rp_ball_posed_001/-10"


def _rows(root: Path) -> Rows:
    folder = DatasetFolder.at(root)
    shards = (folder.shard_path(shard_id) for shard_id in folder.committed_shards())
    return {str(row["sample_id"]): row for shard in shards for row in read_rows(shard)}


@pytest.fixture(scope="module")
def imported(
    exported: Exported, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, ImportOutcome]:
    root = tmp_path_factory.mktemp("imported") / "set"
    return root, import_from(exported[0], "2k2k", root)


@pytest.fixture(scope="module")
def rows(imported: tuple[Path, ImportOutcome]) -> Rows:
    return _rows(imported[0])


@pytest.fixture(scope="module")
def originals(ball_set: Path) -> Rows:
    return _rows(ball_set)


@pytest.fixture
def copy(exported: Exported, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported[0], tmp_path / "copy"))


def test_every_exported_sample_comes_back(rows: Rows, originals: Rows) -> None:
    assert list(rows) == list(originals)


def test_the_card_says_that_the_samples_were_imported(imported: tuple[Path, ImportOutcome]) -> None:
    card = (imported[0] / "README.md").read_text()
    assert "imported by scanmill" in card
    assert "rendered by" not in card


def test_depth_comes_back_to_half_a_unit(rows: Rows, originals: Rows) -> None:
    pairs = [
        (ours, theirs)
        for name in originals
        for ours, theirs in zip(
            *(decode_depth(table[name]["depth"]) for table in (rows, originals)), strict=True
        )
    ]
    # float32 is exact to a hundredth of a unit
    assert max(np.abs(ours - theirs).max() for ours, theirs in pairs) <= 1.02 * HALF_UNIT


def test_exporting_the_import_gives_the_same_depth_files(
    exported: Exported, imported: tuple[Path, ImportOutcome], tmp_path: Path
) -> None:
    export_to(tmp_path / "again", "2k2k", imported[0])
    names = [path.relative_to(exported[0]) for path in exported[0].rglob("DEPTH/*/*.png")]
    assert len(names) == 16
    assert all(
        (tmp_path / "again" / name).read_bytes() == (exported[0] / name).read_bytes()
        for name in names
    )


@pytest.mark.parametrize("column", ["mask", "color_front", "color_back", "shaded"])
def test_masks_and_images_come_back(rows: Rows, originals: Rows, column: str) -> None:
    decode = decode_mask if column == "mask" else decode_image
    ours, theirs = (decode(table[FIRST_ID][column]["bytes"]) for table in (rows, originals))
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(
    "column", ["keypoints", "split", "subject", "intrinsics", "world_to_camera"]
)
def test_keypoints_splits_and_cameras_come_back(rows: Rows, originals: Rows, column: str) -> None:
    assert rows[FIRST_ID][column] == originals[FIRST_ID][column]


def test_normals_are_worked_out_from_depth(rows: Rows, originals: Rows) -> None:
    inside = decode_mask(originals[FIRST_ID]["mask"]["bytes"])
    core = cv2.erode(inside.astype(np.uint8), np.ones((7, 7), np.uint8)).astype(bool)
    front, exact = (decode_normals(table[FIRST_ID]["normals"])[0] for table in (rows, originals))
    cosines = np.einsum("ij,ij->i", front[core], exact[core])
    assert np.degrees(np.arccos(np.clip(cosines, -1, 1))).max() < 6


def test_what_images_do_not_tell_is_unknown(rows: Rows) -> None:
    row = rows[FIRST_ID]
    assert np.isnan(row["joints_camera"]).all()
    assert set(row["keypoint_occluded"]) == {255}
    # a ball of radius 0.3 shows a little less than its diameter to a camera nearby
    assert row["metres_per_unit"] == pytest.approx(1.7 / (2 * RADIUS), rel=0.1)


def test_all_views_of_a_scan_have_one_size(rows: Rows) -> None:
    sizes = {row["metres_per_unit"] for row in rows.values() if row["item"] == "rp_ball_posed_001"}
    assert len(sizes) == 1


def test_the_imported_set_validates(imported: tuple[Path, ImportOutcome]) -> None:
    assert imported[1].passed
    assert validate_dataset(DatasetFolder.at(imported[0])).findings == ()


def test_importing_again_does_nothing(
    exported: Exported, imported: tuple[Path, ImportOutcome]
) -> None:
    assert import_from(exported[0], "2k2k", imported[0]).samples == 0


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (FIRST_DEPTH.replace("front", "back"), None, "no such file"),
        (FIRST_DEPTH, b"<html>gone</html>", "an HTML page"),
        (FIRST_DEPTH.replace("DEPTH", "COLOR/SHADED"), b"GIF89a", "neither JPEG nor PNG"),
        ("PERS/keypoint/RP_0_y_-10_x/rp_ball_posed_001_front.npy", b"x", "no NumPy file"),
    ],
)
def test_a_broken_file_fails_its_view_alone(
    copy: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    (copy / name).unlink() if content is None else (copy / name).write_bytes(content)
    summary = import_from(copy, "2k2k", tmp_path / "set")
    assert [one.sample_id for one in summary.failures] == [FIRST_ID]
    assert message in summary.failures[0].message
    assert summary.failures[0].kind == "input"
    assert summary.samples == 7


def test_pickled_keypoints_are_refused(copy: Path, tmp_path: Path) -> None:
    path = copy / "PERS/keypoint/RP_0_y_-10_x/rp_ball_posed_001_front.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    failures = import_from(copy, "2k2k", tmp_path / "set").failures
    assert "no NumPy file of numbers" in failures[0].message


def test_a_image_of_another_size_fails_its_view(copy: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(copy / FIRST_DEPTH.replace("_-10_", "_0_")), np.ones((32, 32), np.uint16))
    summary = import_from(copy, "2k2k", tmp_path / "set")
    assert "32 x 32 pixels" in summary.failures[0].message


def test_a_folder_without_views_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no PERS/DEPTH"):
        import_from(tmp_path, "2k2k", tmp_path / "set")


def test_a_list_with_other_lines_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "list/val.txt").write_text("one two\n")
    with pytest.raises(InputError, match="the line 'one two'; expected three paths"):
        import_from(copy, "2k2k", tmp_path / "set")
