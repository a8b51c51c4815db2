"""What became of an export or an import, and of a check of a published folder.

Every answer says in `passed` whether all that was asked is done: the one rule of the exit codes
(0 or 1) of `export`, `import` and `validate`.
"""

from pydantic import BaseModel, ConfigDict, Field

from schemas.manifest import Failure
from tasks.checks.findings import Checked


class FolderCheck(Checked):
    """What a check of a published folder saw.

    notes: what the published reader will miss, where nothing is wrong in itself.
    """

    path: str
    notes: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """What was read, in one line; formats count it."""
        return f"validate: {self.path} read."

    @property
    def lines(self) -> tuple[str, ...]:
        """The notes, and what was read."""
        return (*(f"note  {note}" for note in self.notes), self.sentence)


class SampleReason(BaseModel):
    """One sample, and why it was not exported or not listed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample_id: str
    message: str


class ExportOutcome(BaseModel):
    """What an export wrote, and what it could not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: str
    failures: tuple[SampleReason, ...] = Field(default=(), description="not written, and why")
    missing: tuple[str, ...] = Field(
        default=(), description="planned shards that are missing: <data set>: <shard>"
    )
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every sample with a place in the layout was written."""
        return not self.failures and not self.missing

    @property
    def reasons(self) -> dict[str, tuple[SampleReason, ...]]:
        """The samples that something is said of, by what it is."""
        return {"samples could not be exported": self.failures}

    @property
    def sentence(self) -> str:
        """What was written, in one line; formats count it."""
        return f"export: written to {self.to}."


class ImportOutcome(BaseModel):
    """What an import made; samples, frames and pairs count what this run wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    scans: int = Field(default=0, description="scans or labelled frames that were read")
    samples: int = 0
    videos: int = 0
    frames: int = 0
    pairs: int = 0
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = Field(default=(), description="shards left to do, and why")

    @property
    def passed(self) -> bool:
        """Whether all that the folder holds is in the data set."""
        return not self.failures and not self.unfinished

    @property
    def sentence(self) -> str:
        """What was imported, in one line."""
        counts = [f"{self.samples} samples of {self.scans} scans"] * bool(self.scans)
        if self.videos:
            counts.append(f"{self.frames} frames and {self.pairs} pairs of {self.videos} videos")
        return f"import: {' and '.join(counts) or 'nothing new'} in {self.uri}."
