import json
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.scans.joints import read_annotation
from tasks.scans.layouts import find_scan
from tests.fixtures_meshes import write

HEIGHTS = {
    0: 1.6, 15: 1.63, 16: 1.63, 17: 1.6, 18: 1.6, 2: 1.4, 5: 1.4, 3: 1.15, 6: 1.15, 4: 0.9, 7: 0.9,
    9: 0.9, 12: 0.9, 10: 0.5, 13: 0.5, 11: 0.1, 14: 0.1,
}  # fmt: skip
"""Metres above the ground of BODY_25's joints; the others stand at 0."""


def _table() -> np.ndarray:
    """Make a plausible person: row k has x = k / 1000, hands below their wrists."""
    table = np.zeros((118, 4))
    table[:, 0] = np.arange(118) / 1000
    table[:, 3] = 1
    for row, height in HEIGHTS.items():
        table[row, 1] = height
    table[25:67, 1] = 0.85
    table[67:, 1] = 1.6
    return table


def _write(root: Path, table: object) -> Path:
    content = table.tolist() if isinstance(table, np.ndarray) else table
    return write(root / "kp3ds.json", json.dumps(content))


@pytest.mark.parametrize(
    ("coco", "row"),
    [(0, 0), (1, 16), (2, 15), (3, 18), (4, 17), (5, 5), (6, 2), (9, 7), (10, 4), (11, 12),
     (15, 14), (17, 19), (19, 21), (20, 22), (22, 24), (96, 31), (108, 43), (117, 52), (129, 64)],
)  # fmt: skip
def test_joints_are_mapped_by_the_openpose_table(tmp_path: Path, coco: int, row: int) -> None:
    positions, visible = read_annotation(_write(tmp_path, _table()))
    assert positions[coco].tolist() == _table()[row, :3].tolist()
    assert visible[coco]


def test_confidence_0_is_missing(tmp_path: Path) -> None:
    table = _table()
    table[13, 3] = 0
    positions, visible = read_annotation(_write(tmp_path, table))
    assert not visible[13]
    assert np.isnan(positions[13]).all()


def test_a_missing_ear_takes_the_eye(tmp_path: Path) -> None:
    table = _table()
    table[18, 3] = 0
    positions, visible = read_annotation(_write(tmp_path, table))
    assert visible[3]
    assert positions[3].tolist() == table[16, :3].tolist()


@pytest.mark.parametrize(
    ("row", "height", "message"),
    [(14, 1.2, "the left ankle .row 14. above the hip"), (25, 1.6, "the left hand .row 25. 0.7"),
     (46, 1.6, "the right hand .row 46. 0.70.* from its wrist .row 4.; expected at most 0.24")],
)  # fmt: skip
def test_an_order_that_is_no_body_is_refused(
    tmp_path: Path, row: int, height: float, message: str
) -> None:
    table = _table()
    table[row, 1] = height
    with pytest.raises(InputError, match=message):
        read_annotation(_write(tmp_path, table))


@pytest.mark.parametrize(
    ("content", "message"),
    [(np.zeros((118, 3)), r"shape \(118, 3\); expected \(118, 4\)"), ({"a": 1}, "no table"),
     ([[1, 2], [3]], "no table of numbers")],
)  # fmt: skip
def test_another_table_is_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_annotation(_write(tmp_path, content))


def test_a_joint3d_annotation_wins_over_the_scans_own_joints(tmp_path: Path) -> None:
    own = write(tmp_path / "obj/2K2K/00001/kp3ds.json", "[]")
    assert find_scan(tmp_path, "2K2K", "00001").joints == own
    given = write(tmp_path / "Joint3D/2K2K/00001.json", "{}")
    assert find_scan(tmp_path, "2K2K", "00001").joints == given
