"""How a run ends: what it did and what is left, and how a flow fails when something is left."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from flows.progress import format_seconds
from schemas.manifest import Failure
from schemas.profiling import ProfileTable
from schemas.tolerance import Tolerance
from tasks.dataset.input_notice import InputNotice

SAID = {"rejects": "done with rejects"}
"""What people read for the states whose short names say too little."""


class RunSummary(BaseModel):
    """The data set after a run, and what the run did to it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: str
    uri: str
    worked_on: int = Field(description="shards that this run rendered")
    states: dict[str, int] = Field(description="shards of the data set by state, after the run")
    samples: int = Field(description="samples of the data set, after the run")
    rejected: int = Field(description="samples that their input forbids")
    accept_rejects: str = "0"
    failures: tuple[Failure, ...] = Field(description="all samples that are missing, and why")
    warnings: tuple[str, ...] = Field(description="of the shards that this run rendered")
    unfinished: tuple[str, ...] = Field(description="shards that are left to do, and why")
    bytes: int = Field(description="of the shards that this run wrote")
    seconds: float = Field(description="wall time of the run")
    stages: dict[str, float] = Field(description="seconds of work by stage, all workers together")
    inputs: InputNotice = Field(default=InputNotice(), description="as the run found them")
    workers: int = Field(default=1, description="that the run had at once")
    profile: ProfileTable | None = Field(
        default=None, description="where the time of all workers went, if asked"
    )

    @property
    def is_done(self) -> bool:
        """Return whether all that was asked is done: nothing is left, few enough are rejected."""
        accepted = Tolerance.parse(self.accept_rejects)
        return not self.unfinished and accepted.accepts(self.rejected, self.samples + self.rejected)

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return self._say(f"{self.worked_on} shards", "samples", "shards")

    def _say(self, worked_on: str, rows: str, units: str) -> str:
        named = ((SAID.get(name, name), count) for name, count in self.states.items())
        states = ", ".join(f"{count} {name}" for name, count in named) or "none"
        did = f"{worked_on} in {format_seconds(self.seconds)}"
        what = did if self.worked_on else "nothing was left to do"
        return f"{self.command}: {what}; {self.samples} {rows}, {units}: {states}."


class PairSummary(RunSummary):
    """The videos of a data set after a run, and what the run did to them; samples are pairs."""

    videos: int = Field(description="planned")
    frames: int = Field(description="written by this run")

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        return self._say(f"{self.worked_on} videos, {self.frames} frames", "pairs", "videos")


S = TypeVar("S", bound=RunSummary)


class UnfinishedWork(Exception):  # noqa: N818 - no error of the run: some of its work failed
    """Some work failed and is listed in the answer; makes the flow run count as failed."""

    def __init__(self, sentence: str, answer: BaseModel) -> None:
        """Keep the answer for whoever lists what failed."""
        super().__init__(sentence)
        self.answer = answer

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by sentence and answer."""
        return UnfinishedWork, (str(self), self.answer)


def judge(summary: S) -> S:
    """Return a summary; raises UnfinishedWork with it when not all that was asked is done."""
    if not summary.is_done:
        raise UnfinishedWork(summary.sentence, summary)
    return summary
