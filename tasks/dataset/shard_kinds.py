"""What is particular to a kind of shards: the rows of one table.

    kind     parts          planned by       where
    SAMPLES  samples        scans            tasks.samples.sample_shards
    VIDEOS   frames, pairs  a video each     tasks.video.video_shards

How shards are committed (`commit`), what each one is (`states`), and how runs go through them
(`flows.runs`) is one piece of code for all of them. A row says what shards hold, not who made it:
imported samples and videos are shards of these kinds, and differ by ShardJob.maker and by
RenderSettings.origin or VideoRef.layout alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from schemas.dataset_folder import DatasetFolder, Part
from schemas.manifest import DatasetDescription, Failure, Planned
from schemas.pairing import PairSettings
from schemas.settings import RenderSettings
from schemas.work import Job
from tasks.dataset.shards import ShardFormat
from tasks.scans.input_files import Roots

P = TypeVar("P", bound=Planned)
RunRoots = Mapping[str, Path | None]
"""Folders that the inputs of a run come from, by their names in tasks.dataset.run_records."""


class ShardJob(Job):
    """Everything that a worker must know to make a shard.

    data_root: folder that the paths of the inputs count from. run: the run that claims the shard;
    "": none does. waits: until another run that makes the shard ends, or falls silent. lost:
    samples that are not tried again, because they stopped or killed a worker. profiled: its time is
    counted, step by step.
    """

    kind: ClassVar["ShardKind[Any]"]

    run: str = ""
    waits: bool = False

    uri: str
    data_root: Path
    shard: Planned
    settings: RenderSettings | PairSettings
    lost: tuple[Failure, ...] = ()
    profiled: bool = False

    @property
    @abstractmethod
    def maker(self) -> Literal["render", "pair", "import"]:
        """What makes the shard's rows."""

    @property
    def name(self) -> str:
        """Name its task run as its shard."""
        return self.shard.shard_id

    @property
    def roots(self) -> Roots:
        """Folders of the inputs, by the names that schemas.scan.InputFile.root gives them."""
        return {"data": self.data_root}

    @property
    def formats(self) -> Mapping[Part, ShardFormat]:
        """The files that it writes, by part."""
        return self.kind.formats

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """What is lost when the shard can't be written at all."""
        return self.shard.names


class ShardKind(ABC, Generic[P]):
    """One row of the table.

    unit: what its plan names, singular. label: what distinguishes its shards from those of
    samples in run records and caches; empty for samples. formats: its files in the order of
    writing; rows of the last one are what people count. has_views: its rows are views of scans,
    over backgrounds.
    """

    unit: ClassVar[str]
    label: ClassVar[str]
    formats: ClassVar[Mapping[Part, ShardFormat]]
    has_views: ClassVar[bool]

    @abstractmethod
    def code_digest(self) -> str:
        """Return the digest of the code that decides its bytes."""

    @abstractmethod
    def settings_digest(self, description: DatasetDescription) -> str | None:
        """Return the digest of the settings that decide its bytes; None: none are chosen yet."""

    @abstractmethod
    def read_plan(self, folder: DatasetFolder) -> tuple[P, ...]:
        """Read which of its shards are planned, in the order of planning."""

    @abstractmethod
    def roots_of(self, shard: P, roots: RunRoots) -> Roots:
        """Choose the roots of a planned shard's inputs, by the names that InputFile.root gives."""

    @abstractmethod
    def list_gone(self, shard: P, data_root: Path) -> tuple[str, ...]:
        """Name what is planned and no longer in the data root."""

    def list_unplanned(self, plan: Sequence[P], roots: RunRoots) -> tuple[str, ...]:
        """Name what the data roots hold and no shard is planned for; by default not known."""
        del plan, roots
        return ()

    def find_new(self, shard: P, data_root: Path, recorded: frozenset[str]) -> tuple[str, ...]:
        """Name the inputs that exist now and are not recorded; by default none can."""
        del shard, data_root, recorded
        return ()

    @abstractmethod
    def make_job(
        self,
        uri: str,
        shard: P,
        roots: RunRoots,
        *,
        description: DatasetDescription,
        attempt: int,
    ) -> ShardJob | None:
        """Describe the work on a shard; None when its data root is not known."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its files, in the order of writing."""
        return tuple(self.formats)

    def title(self, shard_id: str, names: tuple[str, ...]) -> str:
        """Name a shard as people know it; names: of what it holds."""
        del names
        return shard_id

    def record_name(self, shard_id: str) -> str:
        """Name a shard in the records of runs: `shard-00000`, `video shard-00000`."""
        return f"{self.label} {shard_id}".strip()

    def cache_name(self, shard_id: str) -> str:
        """Name a shard's fingerprints: `shard-00000`, `video-shard-00000`."""
        return f"{self.label}-{shard_id}".strip("-")
