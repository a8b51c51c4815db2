import errno
import os
from pathlib import Path

import pytest

from schemas.atomic_files import storage_errors, write_atomically
from schemas.errors import StorageError
from tests.tasks.small_disks import fill, small_disk


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)
        with pytest.raises(StorageError) as caught:
            write_atomically(disk / "a.json", bytes(8192))
        assert sorted(path.name for path in disk.iterdir()) == ["ballast"]
    assert str(caught.value) == (
        f"{disk / 'a.json'}: No space left on device (0 bytes and 997 inodes are free); "
        "expected room to write the file. Free space there or choose another folder, then run the "
        "command again."
    )


def test_a_disk_without_inodes_is_told_as_such(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", inodes=2) as disk:
        (disk / "last").write_bytes(b"")
        with pytest.raises(StorageError, match=r"and 0 inodes are free"):
            write_atomically(disk / "a.json", b"{}")


def test_on_a_full_disk_the_old_file_remains(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        write_atomically(disk / "a.json", b"old")
        fill(disk)
        with pytest.raises(StorageError):
            write_atomically(disk / "a.json", bytes(8192))
        assert (disk / "a.json").read_bytes() == b"old"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG])
def test_what_says_that_a_place_takes_no_more_is_a_storage_error(number: int) -> None:
    with pytest.raises(StorageError, match="/some/place"), storage_errors(Path("/some/place")):
        raise OSError(number, os.strerror(number))


def test_an_error_that_names_its_file_is_told_of_that_file() -> None:
    with pytest.raises(StorageError, match=r"^/tmp/other: "), storage_errors(Path("/some/place")):
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/other")  # noqa: S108 - a name


def test_other_errors_pass() -> None:
    with pytest.raises(PermissionError), storage_errors(Path("a")):
        raise PermissionError(errno.EACCES, "Permission denied")
