import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec import AbstractFileSystem, filesystem

from schemas.dataset_reader import DatasetReader, LocalFiles
from schemas.errors import MachineError, RequestError
from schemas.object_store import ObjectStoreFiles, open_dataset

WITHOUT_DRIVER = """
import sys
sys.modules["s3fs"] = None
from schemas.errors import DependencyError
from schemas.object_store import open_dataset
try:
    open_dataset("s3://bucket/set")
except DependencyError as error:
    print(error)
"""


@pytest.fixture
def memory() -> Iterator[str]:
    """Two manifests, one of them unfinished, and no description."""
    store = filesystem("memory")
    for name in ("shard-00001.json", "shard-00000.json", ".tmp-shard-00002.json"):
        store.pipe_file(f"/set/manifests/samples/{name}", b"{}")
    yield "memory://set"
    store.rm("/set", recursive=True)


@pytest.mark.parametrize("uri", ["some/where", "file://some/where"])
def test_a_path_and_a_file_address_are_folders(uri: str) -> None:
    assert open_dataset(uri) == DatasetReader(LocalFiles(Path("some/where")))


def test_any_scheme_that_fsspec_knows_is_read(memory: str) -> None:
    assert open_dataset(memory).committed_shards() == ("shard-00000", "shard-00001")


def test_a_part_that_is_not_there_has_no_shards(memory: str) -> None:
    assert open_dataset(memory).committed_shards("pairs") == ()


def test_a_store_without_a_description_is_refused(memory: str) -> None:
    with pytest.raises(RequestError, match=r"memory://set: no dataset\.json in it"):
        open_dataset(memory).read_description()


def test_a_store_without_backgrounds_has_none(memory: str) -> None:
    assert open_dataset(memory).read_backgrounds() is None


def test_a_place_with_nothing_in_it_is_refused() -> None:
    with pytest.raises(RequestError, match="memory://nowhere: no such bucket or prefix"):
        open_dataset("memory://nowhere").files.require()


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(RequestError, match="Protocol not known: carrier-pigeon"):
        open_dataset("carrier-pigeon://far/away")


def test_without_the_driver_the_extra_is_named() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith(
        "s3://bucket/set: Install s3fs to access S3; expected the driver"
    )
    assert "pip install 'scanmill[s3]'" in answer.stdout


class Failing(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A store that answers every request with one error."""

    cachable = False

    def __init__(self, error: Exception) -> None:
        """Take what is raised."""
        super().__init__()
        self.error = error

    def cat_file(self, *_: object, **__: object) -> bytes:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError("no"), "access refused .PermissionError.; "),
        (TimeoutError("slow"), "the store does not answer in time .TimeoutError."),
        (RuntimeError("a driver's own"), "RuntimeError: a driver's own"),
    ],
)
def test_what_a_driver_raises_is_the_machines_fault(error: Exception, said: str) -> None:
    files = ObjectStoreFiles("s3://b/set", Failing(error), "b/set")
    with pytest.raises(MachineError, match=f"s3://b/set/dataset.json: {said}"):
        files.read("dataset.json")
