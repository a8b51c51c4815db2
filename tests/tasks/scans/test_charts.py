from pathlib import Path

import numpy as np
import pytest

from people.published_files import format_charts
from schemas.errors import InputError
from schemas.scan import Charts
from tasks.scans.charts import read_charts

CHARTS = Charts(
    part=np.array([1, 24], np.uint8), uv=np.linspace(0, 1, 12, dtype=np.float32).reshape(2, 3, 2)
)


def test_charts_come_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(format_charts(CHARTS))
    found = read_charts(path, face_count=2)
    assert np.array_equal(found.part, CHARTS.part)
    assert found.uv == pytest.approx(CHARTS.uv, abs=0.51 / 65535)


def test_the_file_is_a_plain_table_of_seven_columns(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(format_charts(CHARTS))
    table = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert table.shape == (2, 7)
    assert table[0, 0] == 1
    assert table[1].tolist() == [24, *np.rint(65535 * np.arange(6, 12) / 11)]


def table(first_part: int = 3) -> np.ndarray:
    rows = np.full((2, 7), 5, "<u2")
    rows[:, 0] = first_part, 3
    return rows


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (table(25), "parts from 3 to 25"),
        (table(0), "parts from 0 to 3"),
        (table()[:1], "charts of 1 faces"),
        (table().astype(np.float64), "float64 of shape"),
        (table()[:, :6], r"uint16 of shape \(2, 6\)"),
        (np.asfortranarray(table()), "uint16 of shape"),
    ],
)
def test_what_are_no_charts_of_the_mesh_is_refused(
    tmp_path: Path, rows: np.ndarray, found: str
) -> None:
    np.save(tmp_path / "a.npy", rows)
    with pytest.raises(InputError, match=found):
        read_charts(tmp_path / "a.npy", face_count=2)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"no array", "no NumPy file"),
        (format_charts(CHARTS)[:-4], "24 bytes for shape"),
        (format_charts(CHARTS).replace(b"(2, 7)", b"(999999999, 7)")[:128], "no NumPy file|bytes"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes, found: str) -> None:
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(InputError, match=found):
        read_charts(tmp_path / "a.npy", face_count=2)
