import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from tasks.formats.exporting import ExportTarget
from tasks.formats.twok2k.twok2k_check import check_folder
from tasks.formats.twok2k.twok2k_export import ExportedViews, ViewsExport, plan_export
from tests.image_files import read_pixels
from tests.tasks.formats.folders import export_to
from tests.tasks.formats.twok2k.ball_sets import analytic_depth, make_ball_set, person_row
from tests.tasks.formats.twok2k.published_reader import (
    PublishedView,
    ray_lengths,
    read_list,
    read_view,
)
from tests.tasks.sample_rows import RESOLUTION, ball_row

Exported = tuple[Path, ViewsExport]
LINE = (
    "/PERS/COLOR/SHADED/RP_0_y_-10_x/rp_ball_posed_001_front.png "
    "/PERS/COLOR/NOSHADING/RP_0_y_-10_x/rp_ball_posed_001_front.png "
    "/PERS/DEPTH/RP_0_y_-10_x/rp_ball_posed_001_front.png"
)
UNIT = 2 * np.tan(np.radians(25)) / RESOLUTION / 32
"""One stored unit, scene length."""


@pytest.fixture
def view(exported: Exported) -> PublishedView:
    root = exported[0]
    return read_view(root, read_list(root, "train_test.txt")[0])


def test_every_file_of_the_layout_is_there_and_no_other(exported: Exported) -> None:
    names = {path.relative_to(exported[0]).as_posix() for path in exported[0].rglob("*.*")}
    views = [f"RP_0_y_{yaw}_x/{item}" for yaw in (-10, 0)
             for item in ("rp_ball_posed_001", "rp_orb_posed_002")]  # fmt: skip
    kinds = ("COLOR/NOSHADING/{}_front.png", "COLOR/NOSHADING/{}_back.png",
             "COLOR/SHADED/{}_front.png", "DEPTH/{}_front.png", "DEPTH/{}_back.png")  # fmt: skip
    expected = {f"{top}/{kind.format(v)}" for top in ("PERS", "ORTH") for kind in kinds
                for v in views}  # fmt: skip
    expected |= {f"PERS/keypoint/{v}_front.npy" for v in views}
    expected |= {f"PERS/keypoint_sample/{v}.png" for v in views}
    lists = ("RP_all", "train_test", "val", "test", "train_split_indoor09_1024")
    assert names == expected | {f"list/{name}.txt" for name in lists}


def test_a_line_names_lit_unlit_and_depth(exported: Exported) -> None:
    assert (exported[0] / "list/RP_all.txt").read_text().splitlines()[0] == LINE
    assert len(read_list(exported[0], "RP_all.txt")) == 4


def test_the_training_list_is_the_train_split_and_val_the_val_split(exported: Exported) -> None:
    train, val = (read_list(exported[0], name) for name in ("train_test.txt", "val.txt"))
    assert all("rp_ball_posed_001" in columns[0] for columns in train)
    assert all("rp_orb_posed_002" in columns[0] for columns in val)
    assert (len(train), len(val)) == (2, 2)
    assert read_list(exported[0], "test.txt") == []


def test_depth_is_right_to_half_a_unit(view: PublishedView) -> None:
    for stored, expected in zip((view.depth_front, view.depth_back), analytic_depth(), strict=True):
        assert np.array_equal(stored > 0, expected > 0)
        assert np.abs(ray_lengths(stored) - expected).max() <= 0.500001 * UNIT


def test_depth_is_rounded_down_by_the_published_formula(exported: Exported) -> None:
    image = read_pixels(f"{exported[0]}{LINE.split()[2]}", cv2.IMREAD_UNCHANGED)
    focal = RESOLUTION / (2 * np.tan(np.radians(25)))
    front, _ = analytic_depth()
    middle = front[32, 32].astype(np.float32)
    assert image.dtype == np.uint16
    assert image[32, 32] == int(32 * ((float(middle) - 1) * focal + RESOLUTION / 2))


def test_images_are_what_the_sample_holds(view: PublishedView) -> None:
    front, _ = analytic_depth()
    for image in (view.shaded, view.color_front, view.color_back):
        assert image.dtype == np.uint8
        assert (image[front > 0] == (40, 120, 190)).all()
        assert not image[front == 0].any()


def test_keypoints_are_float64_rows_of_x_y_1_and_zero_where_unknown(view: PublishedView) -> None:
    row = person_row()
    assert view.keypoints.dtype == np.float64
    assert view.keypoints.shape == (31, 3)
    assert view.keypoints[[0, 5], 2].tolist() == [1, 1]
    assert not view.keypoints[[1, 30]].any()
    np.testing.assert_array_equal(view.keypoints.astype(np.float32).ravel(), row["keypoints"])


def test_orthographic_depth_is_measured_along_the_viewing_direction(exported: Exported) -> None:
    path = exported[0] / "ORTH/DEPTH/RP_0_y_0_x/rp_ball_posed_001_front.png"
    image = read_pixels(path, cv2.IMREAD_UNCHANGED).astype(np.float64)
    assert ray_lengths(image / 32 / 512)[32, 32] == pytest.approx(0.7, abs=1e-3)


def test_the_background_list_holds_those_of_at_least_1024_pixels(exported: Exported) -> None:
    assert read_list(exported[0], "train_split_indoor09_1024.txt") == [["bar/a.jpg"]]


def test_the_joints_are_drawn_on_the_sample_image(exported: Exported) -> None:
    path = exported[0] / "PERS/keypoint_sample/RP_0_y_0_x/rp_ball_posed_001.png"
    image = read_pixels(path)
    x, y = ball_row()["keypoints"][:2].astype(int)  # type: ignore[index] # an array in every row
    assert image[y, x].tolist() != [40, 120, 190]


def test_the_summary_counts_views_and_backgrounds(exported: Exported) -> None:
    summary = exported[1]
    assert (summary.views, summary.skipped, summary.backgrounds) == (8, 0, 1)
    assert summary.passed


def test_other_resolutions_than_2048_are_refused_unless_asked_for(
    ball_set: Path, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=r"images of 64 pixels; expected 2048"):
        export_to(tmp_path / "out", "2k2k", ball_set, allow_other_resolution=False)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_refused(ball_set: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(
        RequestError, match=r"'notes\.txt' is there; expected a new or empty folder"
    ):
        export_to(tmp_path, "2k2k", ball_set)


def test_the_same_scan_from_two_data_sets_is_listed_as_a_failure(
    ball_set: Path, tmp_path: Path
) -> None:
    summary = export_to(tmp_path / "out", "2k2k", ball_set, ball_set)
    assert isinstance(summary, ViewsExport)
    assert (summary.views, len(summary.failures)) == (8, 8)
    assert "one sample for each view of a scan" in summary.failures[0].message


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        (slice(None), "no joints: the published loader can't invert its part transforms"),
        ([3, 4], "no joints to align head: a singular matrix"),
        ([*range(7, 11), *range(23, 31)], "no joints to align left lower arm, right lower arm: a"),
    ],
)
def test_a_sample_without_the_joints_of_a_part_is_exported_and_in_no_list(
    tmp_path: Path, lost: slice | list[int], reason: str
) -> None:
    make_ball_set(tmp_path / "set", lost=lost)
    summary = export_to(tmp_path / "out", "2k2k", tmp_path / "set")
    assert isinstance(summary, ViewsExport)
    assert (summary.views, len(summary.unlisted), summary.passed) == (8, 4, True)
    assert summary.unlisted[0].sample_id == "RP/rp_ball_posed_001/-10"
    assert reason in summary.unlisted[0].message
    assert read_list(tmp_path / "out", "RP_all.txt") == []
    assert read_list(tmp_path / "out", "train_test.txt") == []
    assert (tmp_path / "out" / LINE.split()[2].lstrip("/")).is_file()
    assert check_folder(tmp_path / "out").findings == ()


def test_one_lost_finger_leaves_a_sample_in_the_lists(tmp_path: Path) -> None:
    make_ball_set(tmp_path / "set", lost=[23])
    export_to(tmp_path / "out", "2k2k", tmp_path / "set")
    assert len(read_list(tmp_path / "out", "train_test.txt")) == 2


def test_a_planned_shard_that_is_not_there_is_told(ball_set: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(ball_set, tmp_path / "set"))
    (copy / "manifests/samples/shard-00001.json").unlink()
    summary = export_to(tmp_path / "out", "2k2k", copy)
    assert isinstance(summary, ViewsExport)
    assert summary.views == 4
    assert summary.missing == (f"{copy}: shard-00001",)
    assert not summary.passed


def test_every_shard_is_a_piece_of_the_plan(ball_set: Path, tmp_path: Path) -> None:
    plan = plan_export([DatasetFolder.at(ball_set)], ExportTarget(tmp_path / "out", True))
    written = [piece.write() for piece in plan.pieces]
    assert [len(one.views) for one in written if isinstance(one, ExportedViews)] == [4, 4]
