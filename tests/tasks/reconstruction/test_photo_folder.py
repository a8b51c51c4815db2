"""A photograph's folder is whole or absent; what a killed run left goes with the next one."""

import fcntl
from pathlib import Path

import pytest

from tasks.reconstruction.photo_folder import (
    LOCK,
    PhotoRecord,
    is_done,
    new_folder,
    work_folder,
    write_record,
)


def write(folder: Path, text: str) -> None:
    (folder / "parts").mkdir()
    (folder / "parts/a.txt").write_text(text)
    record = PhotoRecord(
        method="2k2k", photo="a.jpg", made_of=text, resolution=256, scale=1, window=(0, 0, 256)
    )
    write_record(folder, record)


def write_half(final: Path) -> None:
    with work_folder(final.parent) as work, new_folder(final, work) as folder:
        (folder / "half.txt").write_text("half")
        (folder / "missing.txt").read_text()


def test_a_folder_appears_when_it_is_whole_and_takes_the_place_of_an_older_one(
    tmp_path: Path,
) -> None:
    final = tmp_path / "ann"
    for text in ("old", "new"):
        with work_folder(tmp_path) as work, new_folder(final, work) as folder:
            write(folder, text)
            assert not final.exists() or text == "new"
    assert is_done(final, "new")
    assert not is_done(final, "old")
    assert [path.name for path in tmp_path.iterdir()] == ["ann"]


def test_a_failure_leaves_the_older_folder(tmp_path: Path) -> None:
    final = tmp_path / "ann"
    with work_folder(tmp_path) as work, new_folder(final, work) as folder:
        write(folder, "old")
    with pytest.raises(FileNotFoundError):
        write_half(final)
    assert is_done(final, "old")
    assert [path.name for path in tmp_path.iterdir()] == ["ann"]


def test_a_missing_file_makes_it_something_to_do(tmp_path: Path) -> None:
    with work_folder(tmp_path) as work, new_folder(tmp_path / "ann", work) as folder:
        write(folder, "a")
    (tmp_path / "ann/parts/a.txt").unlink()
    assert not is_done(tmp_path / "ann", "a")


def test_what_a_killed_run_left_is_removed_and_what_is_in_use_stays(tmp_path: Path) -> None:
    for name in (".tmp-killed", ".tmp-running"):
        (tmp_path / name).mkdir()
        (tmp_path / name / LOCK).write_bytes(b"")
    with (tmp_path / ".tmp-running" / LOCK).open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with work_folder(tmp_path):
            assert not (tmp_path / ".tmp-killed").exists()
            assert (tmp_path / ".tmp-running").exists()
