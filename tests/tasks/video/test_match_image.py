from pathlib import Path

import numpy as np

from schemas.codecs import decode_image
from schemas.dataset_folder import DatasetFolder
from tasks.report.page import build_report
from tasks.video.match_image import GAP_PX, SCALE, colors_of_parts, draw_matches, matches_sheet
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence

BLACK = np.zeros((32, 40, 3), np.uint8)
LEFT = 40 * SCALE + GAP_PX


def draw(part: int, pixels: list[int]) -> np.ndarray:
    return draw_matches(BLACK, BLACK, np.array([part]), np.array([pixels]))


def test_frames_stand_side_by_side_enlarged() -> None:
    white = np.full((32, 40, 3), 255, np.uint8)
    drawn = draw_matches(white, BLACK, np.empty(0, int), np.empty((0, 4), int))
    assert drawn.shape == (32 * SCALE, 2 * 40 * SCALE + GAP_PX, 3)
    assert drawn[:, : 40 * SCALE].min() > 100
    assert drawn[:, LEFT:].max() == 0


def test_a_match_is_marked_at_both_its_pixels() -> None:
    drawn = draw(2, [5, 7, 20, 30])
    assert drawn[5 * SCALE + 1, 7 * SCALE + 1].any()
    assert drawn[20 * SCALE + 1, LEFT + 30 * SCALE + 1].any()
    assert not drawn[30 * SCALE, 5 * SCALE].any()


def test_a_match_has_the_colour_of_its_part() -> None:
    drawn = draw(15, [5, 7, 20, 30])
    assert drawn[5 * SCALE + 1, 7 * SCALE + 1].tolist() == colors_of_parts()[15].tolist()


def test_every_part_has_a_colour_of_its_own() -> None:
    assert len(np.unique(colors_of_parts()[1:], axis=0)) == 24


def test_the_sheet_shows_a_pair_of_each_video(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_sequence(tmp_path / "data" / name, 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    sheet = matches_sheet(DatasetFolder.at(tmp_path / "out"))
    assert sheet is not None
    assert decode_image(sheet).shape[0] == 2 * 256 * SCALE


def test_without_pairs_there_is_no_sheet(tmp_path: Path) -> None:
    assert matches_sheet(DatasetFolder.at(tmp_path)) is None


def test_the_report_shows_matches_and_counts_pairs(tmp_path: Path) -> None:
    write_sequence(tmp_path / "data/dance", 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    page = build_report([str(tmp_path / "out")], tmp_path / "page.html").read_text()
    assert "Matches between frames" in page
    assert "dance/0000001--0000007" in page
    assert "<b>6</b>pairs" in page
