import json
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.scans.joints import read_joint3d
from tests.fixtures_meshes import joints_json, write

ROWS = [[1.0, 2.0, 3.0]] * 130
FLAGS = [1] * 130


def write_json(path: Path, content: object) -> Path:
    return write(path / "a.json", json.dumps(content))


def test_positions_and_visibility_are_read(tmp_path: Path) -> None:
    positions, visible = read_joint3d(write(tmp_path / "a.json", joints_json(133)))
    assert positions[7].tolist() == [7.0, 0.0, 0.0]
    assert visible[:3].tolist() == [True, False, True]
    assert (len(positions), len(visible)) == (133, 133)


def test_flags_may_stand_in_a_column(tmp_path: Path) -> None:
    path = write_json(tmp_path, {"joint3d": ROWS, "visible": [[1.0]] * 130})
    assert read_joint3d(path)[1].all()


def test_further_keys_are_passed_over(tmp_path: Path) -> None:
    path = write_json(tmp_path, {"joint3d": ROWS, "visible": FLAGS, "note": "x"})
    positions, visible = read_joint3d(path)
    assert positions.tolist() == ROWS
    assert visible.all()


def test_a_hidden_joint_need_not_be_finite(tmp_path: Path) -> None:
    rows = [*ROWS[:-1], [float("nan"), 2.0, 3.0]]
    path = write_json(tmp_path, {"joint3d": rows, "visible": [*FLAGS[:-1], 0]})
    assert np.isnan(read_joint3d(path)[0][-1]).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "a JSON list; expected keys"),
        ({"joint3d": ROWS}, "a JSON dict; expected keys"),
        ({"joint3d": ROWS[:129], "visible": FLAGS[:129]},
         r"shape \(129, 3\); expected \(N, 3\), N >= 130"),
        ({"joint3d": [[1, 2]] * 130, "visible": FLAGS}, r"shape \(130, 2\)"),
        ({"joint3d": [], "visible": []}, r"shape \(0,\)"),
        ({"joint3d": 3, "visible": FLAGS}, r"shape \(\)"),
        ({"joint3d": ROWS, "visible": FLAGS[:129]},
         r"visible of shape \(129,\); expected \(130,\)"),
        ({"joint3d": [*ROWS[:-1], [1, 2]], "visible": FLAGS}, "joint3d is no table of numbers"),
        ({"joint3d": [*ROWS[:-1], [1, 2, "x"]], "visible": FLAGS}, "joint3d is no table"),
        ({"joint3d": [*ROWS[:-1], [1, 2, {}]], "visible": FLAGS}, "joint3d is no table of numbers"),
        ({"joint3d": [*ROWS[:-1], [1, 2, 10**400]], "visible": FLAGS}, "no table of numbers"),
        ({"joint3d": ROWS, "visible": [*FLAGS[:-1], 2]},
         r"visible\[129\] = 2\.0; expected 0 or 1"),
        ({"joint3d": ROWS, "visible": [*FLAGS[:-1], None]},
         r"visible\[129\] = nan; expected 0 or 1"),
        ({"joint3d": [[1, float("inf"), 0], *ROWS[1:]], "visible": FLAGS},
         r"visible joint 0 at \[1\.0, inf, 0\.0\]; expected finite"),
    ],
)  # fmt: skip
def test_broken_annotations_are_refused(tmp_path: Path, content: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_joint3d(write_json(tmp_path, content))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<html>", "no JSON"), (b'{"joint3d": [', "no JSON"), (b"\xff\xfe\x00", "no JSON"),
        (b"[" * 100_000, "no JSON"), (b"9" * 5000, "no JSON"), (b"9" * 50, "a JSON int"),
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes, found: str) -> None:
    with pytest.raises(InputError, match=rf"a\.json: {found}"):
        read_joint3d(write(tmp_path / "a.json", data))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.json: 0 bytes"):
        read_joint3d(write(tmp_path / "a.json", b""))
