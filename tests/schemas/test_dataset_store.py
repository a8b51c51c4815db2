"""What both stores promise: a folder on a disk, and a bucket behind a gateway that fails."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec import filesystem

from schemas.dataset_folder import DatasetFolder
from schemas.dataset_store import WHATEVER, ConflictError, DatasetStore
from schemas.errors import MachineError, RequestError
from schemas.s3_store import staging_folder
from schemas.s3_upload import ONE_REQUEST_BYTES
from tests.faulty_gateway import DENIED, FULL, Fault, Faults, faulty_gateway
from tests.fixtures_object_store import BUCKET, s3_server, use_store

SHARD = "samples/shard-00000.parquet"
SHARES: dict[Fault, float] = {
    "refuse": 0.1, "hang up": 0.05, "lose the answer": 0.1, "cut the answer": 0.05,
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Give each test an address of its own; without faults."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    use_store(monkeypatch, server)
    filesystem("s3").makedirs(BUCKET, exist_ok=True)
    return f"s3://{BUCKET}/{tmp_path.name}"


@pytest.fixture(params=["folder", "faulty bucket", pytest.param("bucket", marks=pytest.mark.long)])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DatasetStore]:
    if request.param == "folder":
        yield DatasetFolder.at(tmp_path / "set").store
        return
    uri, server = request.getfixturevalue("bucket"), request.getfixturevalue("server")
    shares = SHARES if request.param == "faulty bucket" else {}
    with faulty_gateway(server, Faults(shares, delay_s=0.001, seed=3)) as faults:
        use_store(monkeypatch, faults.address)
        yield DatasetFolder.at(uri).store
    use_store(monkeypatch, server)


def test_what_is_written_is_read_and_stamped(store: DatasetStore) -> None:
    assert store.stamp("a.json") is None
    stamp = store.write("a.json", "{}", seen=None)
    assert (store.read("a.json"), store.stamp("a.json"), stamp.size) == (b"{}", stamp, 2)
    assert "a.json" in store.list_names("")


def test_a_file_is_created_once(store: DatasetStore) -> None:
    store.write("plan/00000.json", "first", seen=None)
    with pytest.raises(ConflictError, match=r"plan/00000\.json: another writer changed it"):
        store.write("plan/00000.json", "second", seen=None)
    assert store.read("plan/00000.json") == b"first"


def test_only_what_was_seen_is_replaced(store: DatasetStore) -> None:
    first = store.write("a.json", "first", seen=None)
    second = store.write("a.json", "second", seen=first)
    with pytest.raises(ConflictError):
        store.write("a.json", "third", seen=first)
    assert (store.read("a.json"), store.stamp("a.json")) == (b"second", second)


def test_what_is_gone_is_not_replaced(store: DatasetStore) -> None:
    first = store.write("a.json", "first", seen=None)
    store.remove("a.json", seen=first)
    with pytest.raises(ConflictError):
        store.write("a.json", "second", seen=first)


def test_only_what_was_seen_is_removed(store: DatasetStore) -> None:
    first = store.write("a.json", "first", seen=None)
    store.write("a.json", "second", seen=WHATEVER)
    with pytest.raises(ConflictError):
        store.remove("a.json", seen=first)
    store.remove("a.json", seen=store.stamp("a.json"))
    store.remove("a.json", seen=first)
    assert store.stamp("a.json") is None


def test_nothing_is_left_of_a_file_that_was_not_published(store: DatasetStore) -> None:
    with store.stage(SHARD) as staged:
        staged.file.write(b"half")
    assert store.list_names("samples") == ()
    assert not list(staging_folder().glob("*"))


@pytest.mark.parametrize(
    "size", [0, 1000, pytest.param(ONE_REQUEST_BYTES + 1, marks=pytest.mark.long)]
)
def test_a_big_file_appears_whole(store: DatasetStore, size: int) -> None:
    data = os.urandom(size)
    with store.stage(SHARD) as staged:
        staged.file.write(data)
        assert store.stamp(SHARD) is None
        stamp = staged.publish(None)
    assert store.stamp(SHARD) == stamp
    with store.local_file(SHARD) as path:
        assert path.read_bytes() == data


def test_of_two_writers_the_first_to_publish_is_kept(store: DatasetStore) -> None:
    with store.stage(SHARD) as first, store.stage(SHARD) as second:
        first.file.write(b"first")
        second.file.write(b"second")
        first.publish(None)
        with pytest.raises(ConflictError):
            second.publish(None)
    with store.local_file(SHARD) as path:
        assert path.read_bytes() == b"first"


def test_a_place_that_can_be_written_to_is_not_refused(store: DatasetStore) -> None:
    store.require_writable()
    assert store.list_names("") == ()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            (403, FULL),
            "StorageError.*: the store is full, or over its quota .QuotaE.*Free space",
        ),
        ((507, b""), "StorageError.*: the store is full, or over its quota"),
        ((403, DENIED), "MachineError.*: access refused .AccessDenied.*what they may do with this"),
    ],
)
def test_a_store_that_takes_nothing_is_one_line(
    bucket: str, server: str, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes], said: str
) -> None:
    with faulty_gateway(server, Faults(answer_writes=answer)) as faults:
        use_store(monkeypatch, faults.address)
        with pytest.raises(MachineError, match=bucket) as refused:
            DatasetFolder.at(bucket).store.require_writable()
    shown = f"{refused.typename} {refused.value}"
    assert re.match(f"^{said}", shown)
    assert "127.0.0.1" not in shown
    assert "\n" not in shown


def test_a_missing_bucket_is_one_line(bucket: str) -> None:
    del bucket
    with pytest.raises(RequestError, match=r"^s3://nowhere/set: no such bucket .NoSuchBucket.; .*"):
        DatasetFolder.at("s3://nowhere/set").store.require_writable()


def test_an_endpoint_that_nobody_serves_is_one_line(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_store(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(MachineError, match=r"the store can't be reached .*AWS_ENDPOINT_URL"):
        DatasetFolder.at(bucket).store.require_writable()


def test_credentials_in_an_address_are_refused_and_not_repeated() -> None:
    with pytest.raises(RequestError, match="credentials or options in an address") as refused:
        DatasetFolder.at("s3://KEY:SECRET@bucket/set")
    assert "SECRET" not in str(refused.value)


def test_a_store_without_conditional_writes_is_refused() -> None:
    with pytest.raises(RequestError, match="are read from memory:// but not written there"):
        DatasetFolder.at("memory://set").store.require_writable()
