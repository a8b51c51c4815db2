"""The JSON files of a data set: its description, its plan, the commit record of each shard.

Every value is frozen, refuses unknown keys, and carries the format version it was written in.
Source: docs/dataset-folder.md, "A data set on disk".
"""

from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field

from schemas.errors import FailureKind, InputError, as_utf8, kind_of
from schemas.fits import FitCheck
from schemas.pairing import PairSettings
from schemas.profiling import ProfileTable
from schemas.samples import FORMAT_VERSION
from schemas.scan import InputFile, ScanRef, VideoRef
from schemas.settings import RenderSettings
from schemas.worker_use import WorkerUse, sum_uses

R = TypeVar("R", bound=BaseModel)
ShardState = Literal["done", "rejects", "failed", "missing", "corrupt", "stale", "orphaned"]
Stage = Literal[
    "read", "place", "draw", "iuv", "light", "composite", "keypoints", "match", "encode", "write"
]


class _Record(BaseModel):
    # Keys in files keep the names that format version 1 gave them, by aliases.
    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)


class Failure(_Record):
    """One sample that could not be made, and why."""

    sample_id: str
    stage: Stage
    kind: FailureKind
    error: str = Field(description="class of the error")
    message: str

    @staticmethod
    def of(
        sample_id: str,
        error: Exception,
        stage: Stage = "read",
        *,
        kind: FailureKind | None = None,
    ) -> "Failure":
        """Record an error; kind: by default as schemas.errors.kind_of decides."""
        return Failure(
            sample_id=sample_id, stage=stage, kind=kind or kind_of(error),
            error=type(error).__name__, message=as_utf8(str(error)),
        )  # fmt: skip


class Manifest(_Record):
    """The commit record of one shard: its appearance is the commit."""

    format_version: int = FORMAT_VERSION
    shard_id: str = Field(description="as in shard-00000")
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0, description="size of the Parquet file")
    sha256: str = Field(description="of the Parquet file, hex")
    settings_digest: str
    code_digest: str
    renderer: str = Field(description="GL renderer string")
    versions: dict[str, str] = Field(description="of the libraries that decide bytes")
    inputs: tuple[InputFile, ...]
    sample_ids: tuple[str, ...] = Field(description="of the rows, in their order")
    warnings: tuple[str, ...] = Field(default=(), description="each begins with the scan's id")
    failures: tuple[Failure, ...] = ()
    fits: tuple[FitCheck, ...] = Field(default=(), description="of scans with a fitted body")
    backgrounds_version: int = Field(default=1, ge=1, description="of backgrounds.json")
    predicted_by: str | None = Field(
        default=None, description="digest of the weights that predicted the normals of its frames"
    )
    attempt: int = Field(default=1, ge=1)
    started: str = Field(description="UTC, ISO 8601")
    ended: str = Field(description="UTC, ISO 8601")
    seconds: dict[str, float] = Field(description="wall seconds by stage")
    host: str

    @property
    def state(self) -> ShardState:
        """Return what the shard is as long as its file and its inputs are unchanged."""
        return state_by_failures(self.failures)


def state_by_failures(failures: tuple[Failure, ...]) -> ShardState:
    """Done, done with rejects (all failures lie in the input), or failed."""
    if any(failure.kind == "environment" for failure in failures):
        return "failed"
    return "rejects" if failures else "done"


class FailedShard(_Record):
    """failed/<part>/<shard_id>.json: why a planned shard could not be written at all.

    part: the first of the shard's parts. Counts only while the shard has no manifest; the next
    commit removes it. Data sets without the folder failed/ are read as before.
    """

    format_version: int = FORMAT_VERSION
    shard_id: str = Field(description="as in shard-00000")
    attempt: int = Field(ge=1, description="the one that failed")
    failures: tuple[Failure, ...] = Field(min_length=1, description="one for each sample or video")
    ended: str = Field(description="UTC, ISO 8601")
    host: str


class Planned(_Record):
    """One planned shard."""

    shard_id: str

    @property
    def names(self) -> tuple[str, ...]:
        """What it holds, as people name it."""
        raise NotImplementedError


class PlannedShard(Planned):
    """Which scans belong to a shard."""

    scans: tuple[ScanRef, ...] = Field(min_length=1)

    @property
    def names(self) -> tuple[str, ...]:
        """Ids of the scans, <dataset>/<item>."""
        return tuple(ref.scan_id for ref in self.scans)


class PlannedVideo(Planned):
    """Which video a shard of frames and the shard of pairs of the same name belong to."""

    video: VideoRef

    @property
    def names(self) -> tuple[str, ...]:
        """Name of the video."""
        return (self.video.video,)


class PlanSegment(_Record):
    """An immutable piece of the plan; new scans and videos go to new shards in a new segment.

    Shards of scans and shards of videos are numbered apart.
    """

    format_version: int = FORMAT_VERSION
    segment: int = Field(ge=0)
    shards: tuple[PlannedShard, ...]
    videos: tuple[PlannedVideo, ...] = ()


class Background(_Record):
    """One usable background image."""

    path: str = Field(description="below the background root, forward slashes")
    sha256: str
    width: int = Field(gt=0, description="pixels")
    height: int = Field(gt=0, description="pixels")


class RefusedBackground(_Record):
    """One image that can't serve, and why."""

    path: str
    reason: str


class BackgroundList(_Record):
    """The backgrounds, frozen by the first run, in the order in which samples draw from them.

    A refreshed list is a new version; shards that were drawn over an older one are stale.
    """

    format_version: int = FORMAT_VERSION
    version: int = Field(default=1, ge=1)
    images: tuple[Background, ...] = Field(
        validation_alias=AliasChoices("pictures", "images"), serialization_alias="pictures"
    )
    refused: tuple[RefusedBackground, ...] = ()


class DatasetDescription(_Record):
    """dataset.json: what all shards of the data set share, and its totals."""

    format_version: int = FORMAT_VERSION
    scanmill: str = Field(description="version that made the data set")
    settings: RenderSettings
    settings_digest: str
    renders: bool = Field(
        default=True, description="False: no scan was rendered yet; settings are the defaults"
    )
    pairing: PairSettings | None = Field(default=None, description="null: holds no video")
    pairing_digest: str | None = None
    totals: dict[str, int] = Field(default_factory=dict)


class RunRecord(_Record):
    """runs/<time>.json: what one run did."""

    format_version: int = FORMAT_VERSION
    run: str = Field(default="", description="its token; of two records of a run the later counts")
    state: Literal["ended", "stopped", "crashed"] = Field(
        default="ended", description="stopped: by an error or Ctrl-C; crashed: its process died"
    )
    command: str
    started: str
    ended: str
    seconds: float
    workers: int
    host: str
    roots: dict[str, str] = Field(
        default_factory=dict,
        description="of inputs, by name, as data/RP: what `rerun` goes by",
    )
    shards: dict[str, str] = Field(description="state of each shard that the run worked on")
    samples: int
    failures: int
    bytes: int = Field(default=0, ge=0, description="of the shards that it committed")
    use: Annotated[tuple[WorkerUse, ...], AfterValidator(sum_uses)] = Field(
        default=(), description="what each worker process took"
    )
    profile: ProfileTable | None = Field(
        default=None, description="where the time of all workers went, if it was asked for"
    )


def utc_now() -> str:
    """Return the time as records write it: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def parse_record(kind: type[R], text: str | bytes, *, source: str) -> R:
    """Read one record; raises InputError naming the file, and both versions when they differ."""
    try:
        record = kind.model_validate_json(text)
    except ValueError as error:
        raise InputError(
            source,
            found=f"no readable {kind.__name__}: {_first_line(error)}",
            expected=f"a {kind.__name__} of format version {FORMAT_VERSION}",
            hint="Restore the file from a copy, or render into another folder.",
        ) from error
    version = getattr(record, "format_version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise InputError(
            source,
            found=f"format version {version}",
            expected=f"format version {FORMAT_VERSION}",
            hint="Use the scanmill version that made the data set.",
        )
    return record


def _first_line(error: ValueError) -> str:
    lines = str(error).splitlines()
    return "; ".join(line.strip() for line in lines[1:3]) if len(lines) > 1 else lines[0]
