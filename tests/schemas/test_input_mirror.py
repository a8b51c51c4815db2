"""Inputs in a store of fsspec's own, in this process's memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec import filesystem

from schemas import input_mirror
from schemas.addresses import address_of, path_of_root
from schemas.errors import InputError, RequestError
from schemas.file_status import measure_file
from schemas.input_mirror import open_root
from schemas.object_cache import BOUND_VARIABLE
from schemas.regular_files import digest_regular_file, read_whole

ADDRESS = "memory://scans/all"


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(input_mirror, "LISTED_AGAIN_S", 0)
    put("RP/a.obj", b"v 0 0 0")
    put("RP/tex/a.jpg", b"picture")
    yield open_root(ADDRESS)
    filesystem("memory").rm("/scans", recursive=True)


def put(name: str, data: bytes) -> None:
    filesystem("memory").pipe_file(f"/scans/all/{name}", data)


def files_of(root: Path) -> list[str]:
    found = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.startswith("."))


def test_names_and_sizes_are_those_of_the_objects(root: Path) -> None:
    assert files_of(root) == ["RP/a.obj", "RP/tex/a.jpg"]
    assert measure_file(root / "RP/a.obj") == 7


def test_nothing_is_fetched_before_it_is_read(root: Path, tmp_path: Path) -> None:
    assert (root / "RP/a.obj").stat().st_blocks == 0
    assert not (tmp_path / "scanmill/objects").exists()


def test_what_is_read_is_the_content_of_the_object(root: Path) -> None:
    assert read_whole(root / "RP/a.obj", 100) == b"v 0 0 0"
    assert digest_regular_file(root / "RP/tex/a.jpg")[0] == 7


def test_new_changed_and_removed_objects_are_seen(root: Path) -> None:
    before = (root / "RP/a.obj").stat().st_mtime_ns
    read_whole(root / "RP/a.obj", 100)
    put("RP/a.obj", b"v 1 1 1")
    put("RP/b.obj", b"v")
    filesystem("memory").rm_file("/scans/all/RP/tex/a.jpg")
    assert open_root(ADDRESS) == root
    assert files_of(root) == ["RP/a.obj", "RP/b.obj"]
    assert (root / "RP/a.obj").stat().st_mtime_ns != before
    assert read_whole(root / "RP/a.obj", 100) == b"v 1 1 1"


def test_an_unchanged_root_is_left_as_it_is(root: Path) -> None:
    before = (root / "RP/a.obj").stat()
    open_root(ADDRESS)
    assert (root / "RP/a.obj").stat() == before


def test_copies_lie_on_the_disk_up_to_the_bound(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BOUND_VARIABLE, "8e-9")
    assert read_whole(root / "RP/a.obj", 100) == b"v 0 0 0"
    assert read_whole(root / "RP/tex/a.jpg", 100) == b"picture"
    assert [path.stat().st_size for path in (tmp_path / "scanmill/objects").iterdir()] == [7]


def test_names_that_lead_out_of_the_root_are_left_out(root: Path) -> None:
    put("../outside", b"x")
    put("RP/../../outside", b"x")
    open_root(ADDRESS)
    assert files_of(root) == ["RP/a.obj", "RP/tex/a.jpg"]
    assert not (root.parent / "outside").exists()


def test_a_root_is_known_by_its_address(root: Path) -> None:
    assert (path_of_root(ADDRESS), address_of(root)) == (root, ADDRESS)
    assert (path_of_root("/data"), address_of(Path("/data"))) == (Path("/data"), "/data")


def test_an_address_with_nothing_below_it_is_refused(root: Path) -> None:
    del root
    with pytest.raises(RequestError, match="memory://nothing: nothing is there"):
        open_root("memory://nothing")


def test_a_file_that_was_not_listed_is_refused_by_its_address(root: Path) -> None:
    (root / "RP/c.obj").write_bytes(b"")
    with pytest.raises(InputError, match=r"memory://scans/all/RP/c\.obj: no such object"):
        read_whole(root / "RP/c.obj", 100)
