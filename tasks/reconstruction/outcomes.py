"""What became of the photographs of a reconstruction."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

State = Literal["done", "already done", "failed"]


class PhotoOutcome(BaseModel):
    """One photograph. folder: of its files, empty where it failed. reason: why it failed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    photo: str
    state: State
    folder: str = ""
    reason: str = ""
    seconds: float = Field(default=0.0, description="to make the files, without the nets")


class ReconstructSummary(BaseModel):
    """What a reconstruction made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    out: str
    photos: tuple[PhotoOutcome, ...]
    memory_mib: int = Field(default=0, description="largest memory of the program with the nets")
    seconds: float = 0.0

    @property
    def failed(self) -> tuple[PhotoOutcome, ...]:
        """Return those that failed."""
        return tuple(one for one in self.photos if one.state == "failed")

    @property
    def passed(self) -> bool:
        """Whether every photograph is done."""
        return not self.failed

    @property
    def sentence(self) -> str:
        """What was done, in one line."""
        counts = dict.fromkeys(("done", "already done", "failed"), 0)
        for one in self.photos:
            counts[one.state] += 1
        said = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
        return f"reconstruct: {said} of {len(self.photos)} photographs, in {self.out}."
