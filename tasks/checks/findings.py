"""What a check finds: breaches of a rule, findings that name the place, and the sum of them."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ScanmillError


class Finding(BaseModel):
    """One thing that does not hold: where, what, the value found, the value expected."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: str = Field(description="sample id, else a path below the folder that is checked")
    what: str
    found: str
    expected: str


@dataclass(frozen=True, slots=True)
class Breach:
    """One rule that does not hold, wherever: what, the value found, the value expected."""

    what: str
    found: str
    expected: str

    def at(self, where: str) -> Finding:
        """Name the sample or the file that breaks the rule."""
        return Finding(where=where, what=self.what, found=self.found, expected=self.expected)


class Checked(BaseModel):
    """The answer of every check: it passes when there are no findings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether everything holds."""
        return not self.findings

    @property
    def lines(self) -> tuple[str, ...]:
        """What was read, for people."""
        return ()


def unreadable(where: str, error: Exception, expected: str = "a file that can be read") -> Finding:
    """Make a finding of a file that could not be read."""
    found = error.found if isinstance(error, ScanmillError) else str(error)
    return Breach("file", found, expected).at(where)
