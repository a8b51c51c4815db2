import threading
from pathlib import Path

import pytest

from schemas.atomic_files import atomic_file, write_atomically
from schemas.dataset_folder import DatasetFolder
from schemas.dataset_store import ConflictError
from schemas.errors import InputError, RequestError
from schemas.local_store import LocalStore


@pytest.mark.parametrize("uri", ["some/where", "file://some/where"])
def test_a_folder_is_named_by_path_or_file_address(uri: str) -> None:
    assert DatasetFolder.at(uri).root == Path("some/where")


def test_a_data_set_in_a_store_has_no_path() -> None:
    with pytest.raises(RequestError, match="s3://bucket/set: a data set in an object store"):
        _ = DatasetFolder.at("s3://bucket/set").root


def test_everything_stands_where_the_contract_says() -> None:
    folder = DatasetFolder.at(Path("set"))
    assert [
        folder.shard_path("shard-00000"), folder.shard_path("shard-00000", "pairs"),
        folder.manifest_path("shard-00000"), folder.manifest_path("shard-00000", "frames"),
    ] == [
        Path("set/samples/shard-00000.parquet"),
        Path("set/pairs/shard-00000.parquet"), Path("set/manifests/samples/shard-00000.json"),
        Path("set/manifests/frames/shard-00000.json"),
    ]  # fmt: skip


def test_only_records_of_shards_are_listed_in_order(tmp_path: Path) -> None:
    folder = DatasetFolder.at(tmp_path)
    for name in ("shard-00010.json", "shard-00002.json", ".tmp-shard-00003.json", "notes.json"):
        write_atomically(tmp_path / "manifests/samples" / name, "{}")
    assert folder.committed_shards() == ("shard-00002", "shard-00010")


def test_a_folder_without_a_description_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"no dataset\.json in it"):
        DatasetFolder.at(tmp_path).read_description()


def test_a_broken_description_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(InputError, match=r"dataset\.json: no readable DatasetDescription"):
        DatasetFolder.at(tmp_path).read_description()


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep/er/a.txt"
    with atomic_file(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b", whole")
    assert path.read_bytes() == b"half, whole"
    assert list(path.parent.iterdir()) == [path]


def test_after_an_error_the_old_file_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic_file(path) as file:
        file.writelines([b"new", None])  # type: ignore[list-item]  # the wanted error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_creating_never_replaces(tmp_path: Path) -> None:
    path = tmp_path / "records/a.txt"
    LocalStore(tmp_path).write("records/a.txt", "first", seen=None)
    with pytest.raises(ConflictError, match=str(path)):
        LocalStore(tmp_path).write("records/a.txt", "second", seen=None)
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]


def test_of_many_creators_one_succeeds(tmp_path: Path) -> None:
    path, refused = tmp_path / "a.txt", []
    start = threading.Barrier(8)

    def create(number: int) -> None:
        start.wait()
        try:
            LocalStore(tmp_path).write("a.txt", str(number), seen=None)
        except ConflictError:
            refused.append(str(number))

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([*refused, path.read_text()]) == [str(number) for number in range(8)]
