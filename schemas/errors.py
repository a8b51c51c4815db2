"""The one family of errors: the class says whose fault it was, the text says what to do.

Every message holds the thing, the value found, the value expected and the hint. All of them
survive pickling, because they cross process borders.
"""

from typing import ClassVar, Literal

FailureKind = Literal["input", "environment"]


class ScanmillError(Exception):
    """Say what went wrong in four parts.

    thing: the file, sample or setting at fault. found: what is there. expected: what would
    have been right. hint: what the user can do now.
    """

    kind: ClassVar[FailureKind] = "environment"

    def __init__(self, thing: str, *, found: str, expected: str, hint: str) -> None:
        """Keep the four parts for programs, and one sentence for people."""
        super().__init__(f"{thing}: {found}; expected {expected}. {hint}")
        self.thing, self.found, self.expected, self.hint = thing, found, expected, hint

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the four parts, not by the joined sentence."""
        return _rebuild, (type(self), self.thing, self.found, self.expected, self.hint)


def _rebuild(
    kind: type[ScanmillError], thing: str, found: str, expected: str, hint: str
) -> ScanmillError:
    return kind(thing, found=found, expected=expected, hint=hint)


class InputError(ScanmillError):
    """A file from outside is missing, broken or hostile: the same bytes will fail again."""

    kind: ClassVar[FailureKind] = "input"


class RequestError(ScanmillError):
    """The request itself is wrong (flag, setting, folder that is no data set): exit code 2."""

    kind: ClassVar[FailureKind] = "input"


class MachineError(ScanmillError):
    """The machine failed (memory, disk, device, network): the same work may succeed later."""

    kind: ClassVar[FailureKind] = "environment"


class DependencyError(MachineError):
    """A library, program or extra that this work needs is not installed."""
