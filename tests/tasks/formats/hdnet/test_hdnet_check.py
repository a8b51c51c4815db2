from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import RequestError
from tasks.formats.hdnet.hdnet_check import HdnetCheck, check_folder
from tests.tasks.formats.folders import export_to
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence

CORRS = "correspondences/corrs"
ROWS, LIMITS = f"{CORRS}/0000001_0000004_i_r1_c1_r2_c2.txt", f"{CORRS}/0000001_0000004_i_limit.txt"
Spoil = Callable[[Path], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "data/a", 3)
    pair_all(tmp_path / "out", tmp_path / "data")
    export_to(tmp_path / "to", "hdnet", tmp_path / "out")
    return tmp_path / "to/tiktok_data"


def found(check: HdnetCheck) -> str:
    return "\n".join(f"{one.where}|{one.what}|{one.found}|{one.expected}" for one in check.findings)


@pytest.mark.parametrize("below", [".", "tiktok_data"])
def test_what_we_export_passes(folder: Path, below: str) -> None:
    check = check_folder(folder.parent / below)
    assert (found(check), check.frames, check.pairs) == ("", 3, 6)


def test_absent_predictions_are_a_note_and_no_finding(folder: Path) -> None:
    assert check_folder(folder).notes == (
        "tiktok_data: no pred_normals and no pred_normals_png; the published reader opens them",
    )


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="neither tiktok_data nor Tang_data"):
        check_folder(tmp_path)


def edit_rows(edit: Callable[[np.ndarray], np.ndarray], name: str = ROWS) -> Spoil:
    """Change the numbers of a file."""

    def spoil(folder: Path) -> None:
        table = np.loadtxt(folder / name, delimiter=",", dtype=int)
        np.savetxt(folder / name, edit(table), delimiter=",", fmt="%d")

    return spoil


def count_from_zero(table: np.ndarray) -> np.ndarray:
    return table - [0, 1, 1, 1, 1]


def move_far(table: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(table))[:, None] == 7, np.add(table, [0, 0, 0, 0, 2]), table)


def leave_the_image(table: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(table))[:, None] == 7, [1, 257, 91, 102, 93], table)


def shuffle_parts(table: np.ndarray) -> np.ndarray:
    return np.concatenate([table[240:480], table[:240], table[480:]])


def name_part_25(table: np.ndarray) -> np.ndarray:
    return np.where(table == [24, 0, 0, 0, 0], [25, 0, 0, 0, 0], table)


def count_limits_from_one(table: np.ndarray) -> np.ndarray:
    return np.where(table[:, 1:2] >= 0, np.add(table, [0, 1, 1]), table)


def exclude_last_rows(table: np.ndarray) -> np.ndarray:
    return np.where(table[:, 1:2] >= 0, np.add(table, [0, 0, 1]), table)


def merge_limits(table: np.ndarray) -> np.ndarray:
    merged = table.copy()
    merged[0, 2], merged[1, 1:] = 479, -1
    return merged


def remove(name: str) -> Spoil:
    return lambda folder: (folder / name).unlink()


def write(name: str, text: str) -> Spoil:
    return lambda folder: (folder / name).write_text(text)


def paint(name: str, image: np.ndarray) -> Spoil:
    return lambda folder: cv2.imwrite(str(folder / name), image)


def swap_channels(folder: Path) -> None:
    path = str(folder / "densepose/0000001.png")
    image = cv2.imread(path)
    assert image is not None
    cv2.imwrite(path, np.ascontiguousarray(image[..., ::-1]))


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (edit_rows(count_from_zero), "seem one too small, counted from another base"),
        (edit_rows(move_far), "distance|36.00, 1 matches too far"),
        (edit_rows(leave_the_image), "pixels|1 rows from 256 to 256|0 to 255"),
        (edit_rows(shuffle_parts), "the rows of a part together, parts ascending"),
        (edit_rows(name_part_25), "part|25 in 240 rows|1 to 24"),
        (edit_rows(lambda table: table[:1]), "matches|1 rows|2 to 25000 rows"),
        (edit_rows(lambda table: np.repeat(table, 20, axis=0)), "28800 rows|2 to 25000"),
        (edit_rows(count_limits_from_one, LIMITS), "the next begins at 0"),
        (edit_rows(exclude_last_rows, LIMITS), "the next begins at 241"),
        (edit_rows(merge_limits, LIMITS), "240 rows of other parts in the range of 1"),
        (edit_rows(lambda table: table[:20], LIMITS), "20 rows|rows of parts 1 to 24"),
        (write(ROWS, ""), "matches|0 rows"),
        (write(ROWS, "1,2,3\n"), "5 whole numbers"),
        (remove(ROWS), "no such file"),
        (remove(LIMITS), "no such file"),
        (remove("correspondences/corr_mat.txt"), "corr_mat|no such file"),
        (write("correspondences/corr_mat.txt", "1,4,7,4,7\n"), "1 rows of 5 numbers|2 rows"),
        (write("correspondences/corr_mat.txt", "1,4\n4,1,7\n"), "'4,1,7' in line 2"),
        (write("correspondences/corr_mat.txt", "1,4\n1,7\n"), "a frame with two rows"),
        (write("correspondences/corr_mat.txt", "1,4\n4,9\n"), "1 frames without images"),
        (remove("color_WO_bg/0000001.png"), "color_WO_bg/0000001.png|no such file"),
        (remove("densepose/0000001.png"), "densepose/0000001.png|no such file"),
        (paint("color/0000001.png", np.zeros((128, 256, 3), np.uint8)), "256 x 128 pixels"),
        (paint("mask/0000001.png", np.zeros((256, 256), np.uint8)), "256 x 256, 0 inside"),
        (swap_channels, "red, green, blue = I, U, V|blue, green, red = I, U, V"),
    ],
)  # fmt: skip
def test_every_breach_of_the_readers_rules_is_found(
    folder: Path, spoil: Spoil, finding: str
) -> None:
    spoil(folder)
    check = check_folder(folder)
    assert not check.passed
    assert finding in found(check)


def test_partly_predicted_normals_are_found(folder: Path) -> None:
    (folder / "pred_normals").mkdir()
    for axis in (1, 2, 3):
        np.savetxt(folder / f"pred_normals/0000001_{axis}.txt", np.full((256, 256), 0.57735))
    text = found(check_folder(folder))
    assert "0000004_1.txt|no such file" in text
    assert "tiktok_data/0000001" not in text


def test_predicted_normals_of_another_length_are_found(folder: Path) -> None:
    (folder / "pred_normals").mkdir()
    for number in (1, 4, 7):
        for axis in (1, 2, 3):
            path = folder / f"pred_normals/{number:07d}_{axis}.txt"
            np.savetxt(path, np.full((256, 256), 0.7))
    assert "65536 lengths off by up to 0.212" in found(check_folder(folder))
