"""Folders and files of a request, also those that no file system could hold."""

import os
from pathlib import Path

import pytest

from schemas.errors import RequestError
from schemas.path_checks import check_file, check_folder, check_writable

NO_PATHS = {"NUL": "a\0b", "a long name": "a" * 5000, "a long path": "a/" * 50_000,
            "no UTF-8": "a\ud800"}  # fmt: skip


@pytest.mark.parametrize("case", NO_PATHS)
def test_what_is_no_path_is_no_folder_and_no_file(case: str) -> None:
    path = NO_PATHS[case]
    with pytest.raises(RequestError, match=r"^--data: no folder") as folder:
        check_folder("--data", path)
    with pytest.raises(RequestError, match=r"^--splits: no readable file") as file:
        check_file("--splits", path)
    assert max(len(str(folder.value)), len(str(file.value))) < 700


@pytest.mark.parametrize("case", ["NUL", "a long name", "no UTF-8"])
def test_what_is_no_path_can_not_be_made(tmp_path: Path, case: str) -> None:
    with pytest.raises(RequestError, match=r"^--out: .*expected names of at most 255 bytes"):
        check_writable("--out", tmp_path / NO_PATHS[case])


def test_folder_is_made_where_a_parent_can_be_written_to(tmp_path: Path) -> None:
    check_writable("--out", tmp_path / "a" / "b")


def test_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(RequestError, match="no readable file"):
        check_file("--config", str(tmp_path / "pipe"))


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is empty"):
        check_folder("--data", str(tmp_path))
