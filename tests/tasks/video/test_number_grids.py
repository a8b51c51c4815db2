from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.video.number_grids import (
    Separator,
    format_grid,
    format_integers,
    read_grid,
    read_integers,
)


@pytest.mark.parametrize("separator", [",", " "])
def test_numbers_come_back_to_six_decimals(tmp_path: Path, separator: Separator) -> None:
    grid = np.random.default_rng(0).normal(size=(5, 5))
    (tmp_path / "a.txt").write_text(format_grid(grid, separator))
    np.testing.assert_allclose(read_grid(tmp_path / "a.txt", separator, side=5), grid, atol=5.1e-7)


def test_outside_is_written_as_a_bare_zero() -> None:
    assert format_grid(np.array([[0.0, 1.5], [-0.25, 0]]), ",") == "0,1.500000\n-0.250000,0\n"


def test_whole_numbers_come_back(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(format_integers([[1, 2], [3, -1]]))
    assert read_integers(tmp_path / "a.txt").tolist() == [[1, 2], [3, -1]]


def test_whole_numbers_may_be_written_as_floats(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1.0000e+00,2\n")
    assert read_integers(tmp_path / "a.txt").tolist() == [[1, 2]]


def test_an_empty_list_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert read_integers(tmp_path / "a.txt", columns=5).shape == (0, 5)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 2\n3 4\n", "the byte 0x20|'1 2' in line 1|1 numbers"),
        ("1,2\n3\n", "1 numbers separated by commas in row 2"),
        ("1,2\n", "1 rows"),
        ("1,2\n3,x\n", "the byte 0x78, which is in no number"),
        ("1,2\n3,--4\n", "'3,--4' in line 2"),
        ("1,2\n3,1e999\n", "not finite"),
        ("\x93NUMPY", "the byte 0x"),
    ],
)
def test_what_is_no_grid_is_refused_with_the_reason(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match=found):
        read_grid(tmp_path / "a.txt", ",", side=2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,2\n3\n", "'3' in line 2"),
        ("1.5,2\n", "'1.5,2' in line 1"),
        ("1e300,2\n", "'1e300,2' in line 1"),
        ("1,,2\n", "'1,,2' in line 1"),
    ],
)
def test_what_is_no_list_of_whole_numbers_is_refused(tmp_path: Path, text: str, found: str) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(InputError, match=found):
        read_integers(tmp_path / "a.txt", columns=2)


def test_a_long_line_is_not_repeated_whole_in_the_message(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1" * 5000 + "-\n")
    with pytest.raises(InputError) as refusal:
        read_integers(tmp_path / "a.txt")
    assert len(refusal.value.found) < 100
