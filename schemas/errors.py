"""The one family of errors: the class says whose fault it was, the text says what to do.

Every message holds the thing, the value met, the value wanted and the way out. All of them
survive pickling, because they cross process borders.
"""

from typing import ClassVar, Literal

FailureKind = Literal["input", "environment"]


class ScanmillError(Exception):
    """Say what went wrong in four parts.

    thing: the file, sample or setting at fault. met: what was found there. wanted: what would
    have been right. way_out: what the user can do now.
    """

    kind: ClassVar[FailureKind] = "environment"

    def __init__(self, thing: str, *, met: str, wanted: str, way_out: str) -> None:
        """Keep the four parts for programs, and one sentence for people."""
        super().__init__(f"{thing}: {met}; wanted {wanted}. {way_out}")
        self.thing, self.met, self.wanted, self.way_out = thing, met, wanted, way_out

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the four parts, not by the joined sentence."""
        return _rebuild, (type(self), self.thing, self.met, self.wanted, self.way_out)


def _rebuild(
    kind: type[ScanmillError], thing: str, met: str, wanted: str, way_out: str
) -> ScanmillError:
    return kind(thing, met=met, wanted=wanted, way_out=way_out)


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
