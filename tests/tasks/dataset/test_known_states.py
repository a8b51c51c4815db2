"""What is remembered of shards that were done: believed while no file changed, else looked at."""

import os
from pathlib import Path

import pytest

from tasks.dataset.known_states import KnownStates

LONG_AGO_NS = 0


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def remembered(tmp_path: Path, decided_by: str = "code 1") -> KnownStates:
    """Load what was remembered of a shard with one file that was there and one that was not."""
    return KnownStates.load(tmp_path / "set", "", decided_by)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    there, absent = tmp_path / "mesh.obj", tmp_path / "joints.json"
    there.write_text("v 0 0 0")
    known = remembered(tmp_path)
    known.began_ns = there.stat().st_ctime_ns + 1
    known.remember("shard-00000", (there, absent), {"state": "done"})
    known.flush()
    return there, absent


def test_unchanged_files_are_remembered_by_the_next_look(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    assert files[0].exists()
    assert remembered(tmp_path).recall("shard-00000") == {"state": "done"}
    assert remembered(tmp_path).recall("shard-00001") is None


def test_file_of_the_same_size_and_time_is_looked_at_again(
    tmp_path: Path, files: tuple[Path, Path]
) -> None:
    """Its modification time was put back; its status change time can't be."""
    before = files[0].stat()
    files[0].write_text("v 1 1 1")
    os.utime(files[0], ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files[0].stat().st_mtime_ns == before.st_mtime_ns
    assert remembered(tmp_path).recall("shard-00000") is None


def test_file_that_came_or_went_is_noticed(tmp_path: Path, files: tuple[Path, Path]) -> None:
    files[1].write_text("{}")
    assert remembered(tmp_path).recall("shard-00000") is None
    files[1].unlink()
    assert remembered(tmp_path).recall("shard-00000") is not None
    files[0].unlink()
    assert remembered(tmp_path).recall("shard-00000") is None


@pytest.mark.usefixtures("files")
def test_other_code_or_settings_forget_everything(tmp_path: Path) -> None:
    assert remembered(tmp_path, "code 2").recall("shard-00000") is None


def test_file_that_changed_during_the_look_is_not_remembered(tmp_path: Path) -> None:
    known = remembered(tmp_path)
    (tmp_path / "late.obj").write_text("v 0 0 0")
    known.began_ns = LONG_AGO_NS
    known.remember("shard-00000", (tmp_path / "late.obj",), {"state": "done"})
    assert known.recall("shard-00000") is None


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("damage", ["", "[]", "{", '{"version": 1}', '{"version": 1, "key": 2}'])
def test_damaged_memory_is_no_memory(tmp_path: Path, damage: str) -> None:
    next((tmp_path / "cache/scanmill/states").iterdir()).write_text(damage)
    assert remembered(tmp_path).recall("shard-00000") is None
