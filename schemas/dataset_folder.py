"""The names of everything that a data set holds, on a disk or in an object store.

dataset.json  README.md  backgrounds.json
plan/00000.json                      runs/<time>.json
samples/shard-00000.parquet          frames/ and pairs/ as samples/
manifests/samples/shard-00000.json   the commit record of a shard
failed/samples/shard-00000.json      why a shard could not be written
claims/samples/shard-00000.json      who is making a shard; gone when it is made

Source: docs/dataset-folder.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from schemas.addresses import is_address
from schemas.dataset_reader import (
    BACKGROUNDS_NAME,
    CARD_NAME,
    DESCRIPTION_NAME,
    PARTS,
    PLAN_FOLDER,
    RUNS_FOLDER,
    DatasetReader,
    Part,
    failure_name,
    manifest_name,
    shard_name,
)
from schemas.dataset_store import DatasetStore
from schemas.errors import RequestError
from schemas.local_store import LocalStore
from schemas.manifest import BackgroundList, DatasetDescription, FailedShard, Manifest, parse_record

__all__ = ["PARTS", "DatasetFolder", "Part"]


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """One data set. Owns: the names. Never reads images."""

    store: DatasetStore

    @staticmethod
    def at(uri: str | Path) -> "DatasetFolder":
        """Take a folder by path or file:// address, or a place in an object store.

        Nothing is asked of a store yet. Raises as schemas.object_store.open_system.
        """
        if is_address(uri):
            # Commands on local folders do without the drivers of stores.
            from schemas.s3_store import open_store  # noqa: PLC0415

            return DatasetFolder(open_store(str(uri)))
        return DatasetFolder(LocalStore(Path(str(uri).removeprefix("file://"))))

    @property
    def address(self) -> str:
        """Address of the data set as it was given."""
        return self.store.address

    @property
    def uri(self) -> str:
        """Address of the data set, the same from every working folder."""
        is_local = isinstance(self.store, LocalStore)
        return str(self.root.absolute()) if is_local else self.store.address

    @property
    def name(self) -> str:
        """The last part of its address."""
        is_local = isinstance(self.store, LocalStore)
        return self.root.resolve().name if is_local else self.store.address.rpartition("/")[2]

    @property
    def root(self) -> Path:
        """The folder of a data set on a disk; raises RequestError for one that is in a store."""
        if not isinstance(self.store, LocalStore):
            raise RequestError(
                self.store.address, found="a data set in an object store",
                expected="a folder on a local or mounted disk", hint="Copy it to a disk.",
            )  # fmt: skip
        return self.store.root

    @property
    def has_description(self) -> bool:
        """Whether there is a data set."""
        return self.store.stamp(DESCRIPTION_NAME) is not None

    @property
    def has_backgrounds(self) -> bool:
        """Whether the backgrounds are frozen."""
        return self.store.stamp(BACKGROUNDS_NAME) is not None

    @property
    def has_card(self) -> bool:
        """Whether there is a data set card."""
        return self.store.stamp(CARD_NAME) is not None

    def is_committed(self, shard_id: str, part: Part = "samples") -> bool:
        """Return whether a shard has a commit record."""
        return self.store.stamp(manifest_name(shard_id, part)) is not None

    def shard_path(self, shard_id: str, part: Part = "samples") -> Path:
        """<part>/<shard_id>.parquet, of a data set on a disk."""
        return self.root / shard_name(shard_id, part)

    @contextmanager
    def local_shard(self, shard_id: str, part: Part = "samples") -> Iterator[Path]:
        """Give the rows of a shard as a file on a disk for the length of a block.

        Raises FileNotFoundError at the latest when the file is opened.
        """
        with self.store.local_file(shard_name(shard_id, part)) as path:
            yield path

    def manifest_path(self, shard_id: str, part: Part = "samples") -> Path:
        """manifests/<part>/<shard_id>.json, of a data set on a disk."""
        return self.root / manifest_name(shard_id, part)

    @property
    def places(self) -> tuple[str, ...]:
        """Every folder that files are written to."""
        kinds = ("manifests", "failed", "claims")
        by_part = (f"{kind}/{part}" for kind in kinds for part in PARTS)
        return (".", PLAN_FOLDER, RUNS_FOLDER, *PARTS, *by_part)

    @property
    def reader(self) -> DatasetReader:
        """The data set as everything that only reads sees it."""
        return DatasetReader(self.store)

    def list_shards(self, part: Part = "samples") -> tuple[str, ...]:
        """List the names of the files in the folder of a part."""
        return tuple(sorted(self.store.list_names(part)))

    def committed_shards(self, part: Part = "samples") -> tuple[str, ...]:
        """List the ids of the shards whose manifest is there, in order."""
        return self.reader.committed_shards(part)

    def read_description(self) -> DatasetDescription:
        """Read dataset.json; raises RequestError when the folder is no data set."""
        return self.reader.read_description()

    def read_manifest(self, shard_id: str, part: Part = "samples") -> Manifest:
        """Read the commit record of a shard; raises FileNotFoundError."""
        return self.reader.read_manifest(shard_id, part)

    def read_backgrounds(self) -> BackgroundList:
        """Read the frozen backgrounds; none are frozen yet: black."""
        return self.reader.read_backgrounds() or BackgroundList(images=())

    def read_failure(self, shard_id: str, part: Part = "samples") -> FailedShard:
        """Read why a shard could not be written; raises FileNotFoundError."""
        name = failure_name(shard_id, part)
        return parse_record(FailedShard, self.store.read(name), source=self.store.where(name))
