import hashlib
import os
from pathlib import Path

import pytest

from schemas.cache_folder import cache_folder
from schemas.dataset_folder import DatasetFolder
from tasks.dataset.fingerprints import FingerprintCache


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    return path


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def look(dataset: Path, file: Path, *, deep: bool = False) -> str | None:
    cache = FingerprintCache(DatasetFolder.at(dataset), deep=deep)
    cache.recall("shard-00000")
    found = cache.digest(file)
    cache.remember("shard-00000", (file,))
    return found.sha256 if found else None


def change_unseen(file: Path) -> None:
    """Change a byte, and keep size and time."""
    status = file.stat()
    file.write_bytes(b"abd")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_an_unknown_file_is_hashed(tmp_path: Path, file: Path) -> None:
    assert look(tmp_path, file) == sha256(b"abc")


def test_a_known_file_of_the_same_size_and_time_is_believed(tmp_path: Path, file: Path) -> None:
    look(tmp_path, file)
    change_unseen(file)
    assert look(tmp_path, file) == sha256(b"abc")


def test_a_deep_look_believes_nothing(tmp_path: Path, file: Path) -> None:
    look(tmp_path, file)
    change_unseen(file)
    assert look(tmp_path, file, deep=True) == sha256(b"abd")


def test_what_a_deep_look_read_is_remembered(tmp_path: Path, file: Path) -> None:
    look(tmp_path, file)
    change_unseen(file)
    look(tmp_path, file, deep=True)
    assert look(tmp_path, file) == sha256(b"abd")


@pytest.mark.parametrize("data", [b"abd", b"abcd"])
def test_another_time_or_size_is_hashed_again(tmp_path: Path, file: Path, data: bytes) -> None:
    look(tmp_path, file)
    file.write_bytes(data)
    os.utime(file, ns=(0, 0))
    assert look(tmp_path, file) == sha256(data)


def test_an_absent_file_has_no_digest(tmp_path: Path, file: Path) -> None:
    look(tmp_path, file)
    file.unlink()
    assert look(tmp_path, file) is None


def test_a_folder_has_no_digest(tmp_path: Path) -> None:
    assert look(tmp_path, tmp_path) is None


def test_a_link_that_leads_in_a_circle_has_no_digest(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    assert FingerprintCache(DatasetFolder.at(tmp_path)).digest(tmp_path / "loop") is None


def test_a_file_without_size_and_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "memory").symlink_to("/proc/self/mem")
    found = FingerprintCache(DatasetFolder.at(tmp_path)).digest(tmp_path / "memory")
    assert found is not None
    assert found.size == 0


def test_a_file_that_changed_after_the_work_began_is_not_trusted(
    tmp_path: Path, file: Path
) -> None:
    cache = FingerprintCache(DatasetFolder.at(tmp_path))
    cache.trust(file, "old", unchanged_since_ns=file.stat().st_mtime_ns - 1)
    found = cache.digest(file)
    assert found is not None
    assert found.sha256 == sha256(b"abc")


def test_a_file_that_did_not_change_since_is_trusted(tmp_path: Path, file: Path) -> None:
    cache = FingerprintCache(DatasetFolder.at(tmp_path))
    cache.trust(file, "known", unchanged_since_ns=file.stat().st_mtime_ns + 1)
    found = cache.digest(file)
    assert found is not None
    assert found.sha256 == "known"


def test_data_sets_remember_apart(tmp_path: Path, file: Path) -> None:
    look(tmp_path / "a", file)
    change_unseen(file)
    assert look(tmp_path / "b", file) == sha256(b"abd")


def test_without_a_writable_cache_all_is_hashed(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blocked").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "blocked"))
    look(tmp_path, file)
    change_unseen(file)
    assert look(tmp_path, file) == sha256(b"abd")


def test_the_cache_stands_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert cache_folder() == Path("/home/somebody/.cache/scanmill")
