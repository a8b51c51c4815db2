import csv
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError, RequestError
from schemas.pairing import PairSettings
from tasks.formats.hdnet.hdnet_export import HdnetExport
from tests.tasks.formats.folders import export_to
from tests.tasks.formats.hdnet.published_reader import Pair, read_frame, read_pairs, read_text
from tests.tasks.video.paired import FEW, pair_all
from tests.tasks.video.sequence_files import (
    paint_iuv,
    write_frame,
    write_normals,
    write_sequence,
)


def export(tmp_path: Path, *uris: str) -> HdnetExport:
    report = export_to(tmp_path / "to", "hdnet", *(tmp_path / uri for uri in uris))
    assert isinstance(report, HdnetExport)
    return report


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    """Two videos of three frames each, with pairs: 17634... and 1..."""
    write_sequence(tmp_path / "data/a", 3, first=17634)
    write_sequence(tmp_path / "data/b", 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    export(tmp_path, "out")
    return tmp_path / "to/tiktok_data"


@pytest.fixture
def pairs(exported: Path) -> list[Pair]:
    return read_pairs(exported)


def test_the_published_reader_takes_every_pair(pairs: list[Pair]) -> None:
    assert {(pair.frame_i, pair.frame_j) for pair in pairs} == {
        (base + i, base + j) for base in (17634, 20000) for i in (0, 3, 6) for j in (0, 3, 6)
        if i != j
    }  # fmt: skip


def test_neighbours_are_repeated_up_to_four(exported: Path) -> None:
    lines = (exported / "correspondences/corr_mat.txt").read_text().splitlines()
    assert lines[0] == "17634,17637,17640,17637,17640"
    assert {line.count(",") for line in lines} == {4}


def test_pixels_count_from_one_and_limits_from_zero(exported: Path) -> None:
    corrs = exported / "correspondences/corrs"
    first = (corrs / "0017634_0017637_i_r1_c1_r2_c2.txt").read_text().splitlines()[0]
    assert first == "1,101,91,102,93"
    limits = (corrs / "0017634_0017637_i_limit.txt").read_text().splitlines()
    assert [limits[0], limits[3], limits[23]] == ["1,0,239", "4,-1,-1", "24,1200,1439"]


def test_sliced_as_the_published_loss_does_all_rows_have_their_part(pairs: list[Pair]) -> None:
    pair = pairs[0]
    sliced = [pair.part(part) for part in range(1, 25)]
    assert [len(rows) for rows in sliced if len(rows)] == [240] * 6
    assert sum(map(len, sliced)) == len(pair.rows)


def test_both_ends_of_a_match_have_its_part_and_a_near_uv(
    exported: Path, pairs: list[Pair]
) -> None:
    for pair in pairs:
        ends = [read_frame(exported, n)["densepose"] for n in (pair.frame_i, pair.frame_j)]
        for part in (1, 24):
            pixels = pair.part(part)
            vui = [end[pixels[:, 2 * k], pixels[:, 2 * k + 1]] for k, end in enumerate(ends)]
            assert all((values[:, 2] == part).all() for values in vui)
            uv = [values[:, :2].astype(float) for values in vui]
            assert np.linalg.norm(uv[0] - uv[1], axis=1).max() < 7


def test_images_are_those_of_the_frame(exported: Path) -> None:
    frame = read_frame(exported, 20003)
    iuv = paint_iuv(101, 92)
    np.testing.assert_array_equal(frame["densepose"], iuv[..., ::-1])
    inside = iuv[..., 0] > 0
    np.testing.assert_array_equal(frame["mask"][..., 0] > 100, inside)
    np.testing.assert_array_equal(frame["color_WO_bg"][inside], frame["color"][inside])
    assert (frame["color_WO_bg"][~inside] == 255).all()


def test_the_list_of_frames_maps_numbers_back(exported: Path) -> None:
    with (exported / "frames.csv").open(newline="") as file:
        found = {row["name"]: (row["video"], row["frame"]) for row in csv.DictReader(file)}
    assert found == {
        "0017634": ("a", "17634"), "0017637": ("a", "17637"), "0017640": ("a", "17640"),
        "0020000": ("b", "1"), "0020003": ("b", "4"), "0020006": ("b", "7"),
    }  # fmt: skip


def test_frames_without_predicted_normals_are_written_without_and_said_once(
    tmp_path: Path,
) -> None:
    write_sequence(tmp_path / "data/a", 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    (warning,) = export(tmp_path, "out").warnings
    assert "3 frames have no predicted normals" in warning
    assert "hdnet-predict-normals" in warning
    assert not (tmp_path / "to/tiktok_data/pred_normals").exists()


def test_predicted_normals_are_written_with_spaces(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/a", 3)
    write_normals(tmp_path / "data/a", "0000004", (0.6, 0.0, -0.8))
    pair_all(tmp_path / "out", tmp_path / "data")
    assert "2 frames" in export(tmp_path, "out").warnings[0]
    root = tmp_path / "to/tiktok_data"
    planes = [read_text(root, "pred_normals", f"0000004_{axis}", None) for axis in (1, 2, 3)]
    assert [plane[55, 80] for plane in planes] == pytest.approx([0.6, 0, -0.8], abs=1e-6)
    assert (root / "pred_normals_png/0000004.png").is_file()


def test_two_data_sets_share_one_range_of_numbers(tmp_path: Path) -> None:
    for name in ("x", "y"):
        write_sequence(tmp_path / f"data-{name}/dance", 3)
        pair_all(tmp_path / name, tmp_path / f"data-{name}")
    report = export(tmp_path, "x", "y")
    assert (report.videos, report.frames, report.pairs) == (2, 6, 12)
    names = {path.stem for path in (tmp_path / "to/tiktok_data/color").iterdir()}
    assert names == {"0000001", "0000004", "0000007", "0010000", "0010003", "0010006"}


def test_a_video_without_pairs_is_left_out_and_named(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/a", 3)
    write_frame(tmp_path / "data/lonely", "5", paint_iuv())
    pair_all(tmp_path / "out", tmp_path / "data")
    assert "lonely: no pairs, left out" in export(tmp_path, "out").warnings


def test_nothing_to_export_is_refused(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/a", 3)
    pair_all(tmp_path / "out", tmp_path / "data", PairSettings())
    with pytest.raises(RequestError, match="no pairs of frames, and no samples"):
        export(tmp_path, "out")


def test_a_folder_that_is_there_is_not_overwritten(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="it is there already"):
        export(tmp_path, "out")
    assert len(list((exported / "color").iterdir())) == 6


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/a", 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    shard = tmp_path / "out/pairs/shard-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"shard-00000\.parquet"):
        export(tmp_path, "out")
    assert list((tmp_path / "to").iterdir()) == []


def test_two_exports_of_one_video_have_the_same_bytes(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/a", 3)
    for name in ("x", "y"):
        pair_all(tmp_path / name, tmp_path / "data", FEW)
        export_to(tmp_path / f"to-{name}", "hdnet", tmp_path / name)
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "to-x", tmp_path / "to-y")
    ]
    assert files[0] == files[1]
