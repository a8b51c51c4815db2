import errno
import hashlib
import os
from pathlib import Path

import pytest

from schemas.errors import InputError, MachineError
from schemas.file_status import is_readable_file
from schemas.regular_files import read_whole
from schemas.scan import InputFile
from tasks.scans.files import digest_file, digest_files, find_inside, show


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "scan"
    (folder / "tex").mkdir(parents=True)
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    return folder


@pytest.mark.parametrize("name", ["a.jpg", "tex/a.jpg", "./tex/a.jpg", "tex\\a.jpg", " tex/a.jpg "])
def test_names_below_the_folder_are_followed(folder: Path, name: str) -> None:
    assert find_inside(folder, name) in (folder / "a.jpg", folder / "tex/a.jpg")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "is absolute or an address"),
        ("\\\\server\\share\\a.jpg", "is absolute or an address"),
        ("C:\\scans\\a.jpg", "is absolute or an address"),
        ("c:a.jpg", "is absolute or an address"),
        ("http://example.org/a.jpg", "is absolute or an address"),
        ("file:///etc/passwd", "is absolute or an address"),
        ("../secret.jpg", "climbs out of the scan's folder"),
        ("tex/../../secret.jpg", "climbs out of the scan's folder"),
        ("tex\\..\\..\\secret.jpg", "climbs out of the scan's folder"),
        ("", "is no file name"),
        ("a\0.jpg", "is no file name"),
        ("a\udcff.jpg", "is no file name"),
        ("a" * 300, "is no file name"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(folder: Path, name: str, reason: str) -> None:
    assert reason in str(find_inside(folder, name))


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "a.jpg").symlink_to("../secret.jpg")
    assert find_inside(folder, "a.jpg") == "'a.jpg' is a link that leaves the scan's folder"


def test_a_linked_folder_that_leaves_is_refused(folder: Path) -> None:
    (folder / "out").symlink_to("..")
    assert find_inside(folder, "out/secret.jpg") == (
        "'out/secret.jpg' is a link that leaves the scan's folder"
    )


def test_a_link_to_itself_is_refused(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    assert "can't be followed (RuntimeError)" in str(find_inside(folder, "loop"))


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    (folder / "a.jpg").symlink_to("tex/b.jpg")
    assert find_inside(folder, "a.jpg") == folder / "a.jpg"


def test_a_scan_folder_that_is_a_link_itself_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    assert find_inside(tmp_path / "link", "tex/a.jpg") == tmp_path / "link/tex/a.jpg"


def test_a_digest_is_that_of_the_bytes(folder: Path, tmp_path: Path) -> None:
    (folder / "a.bin").write_bytes(b"x" * 3_000_000)
    digest = hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert digest_file(folder / "a.bin", tmp_path) == InputFile(
        path="scan/a.bin", size=3_000_000, sha256=digest
    )


def test_absent_files_are_listed_as_absent_once_and_sorted(folder: Path, tmp_path: Path) -> None:
    paths = (folder / "b", folder / "a", folder / "b")
    assert digest_files(paths, tmp_path) == (InputFile(path="scan/a"), InputFile(path="scan/b"))


def test_a_file_in_place_of_a_folder_counts_as_absent(tmp_path: Path) -> None:
    assert digest_file(tmp_path / "secret.jpg/a", tmp_path).size is None


def test_a_pipe_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_readable_file(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: a folder, pipe or device"):
        read_whole(tmp_path / "pipe", 100)


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"12345")
    with pytest.raises(InputError, match="5 bytes; expected 1 to 4 bytes"):
        read_whole(tmp_path / "big", 4)


def test_a_link_that_leads_in_a_circle_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError, match="loop: no such file"):
        read_whole(tmp_path / "loop", 4)


def test_a_disk_that_can_not_be_read_is_the_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "a").write_bytes(b"abc")
    monkeypatch.setattr("schemas.regular_files.os.open", fail)
    with pytest.raises(MachineError, match="Input/output error"):
        read_whole(tmp_path / "a", 4)


def test_memory_of_a_process_is_no_scan(tmp_path: Path) -> None:
    (tmp_path / "a.obj").symlink_to("/proc/self/mem")
    assert digest_file(tmp_path / "a.obj", tmp_path).size == 0
    with pytest.raises(InputError, match="0 bytes"):
        read_whole(tmp_path / "a.obj", 4)


def test_long_and_unprintable_names_are_shown_shortened() -> None:
    assert show("a\n") == r"'a\n'"
    assert len(show("a" * 500)) == 124


def test_pipes_and_folders_with_the_name_of_a_file_are_not_digested(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    digested = digest_files((tmp_path / name for name in ("pipe", "folder", "file")), tmp_path)
    assert [one.path for one in digested] == ["file"]
