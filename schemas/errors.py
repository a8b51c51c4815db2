"""The one family of errors: the class says whose fault it was, the text says what to do.

Every message holds the thing, the value found, the value expected and the hint. All of them
survive pickling, because they cross process borders.
"""

import struct
import zlib
from typing import ClassVar, Literal, TypeVar
from zipfile import BadZipFile

FailureKind = Literal["input", "environment"]

_SAME_AGAIN = (
    ArithmeticError, AssertionError, AttributeError, BadZipFile, EOFError, LookupError,
    RecursionError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What the same bytes raise again, wherever it comes from; memory, disk and GL are not among it."""

_OPENCV_NO_MEMORY = -4


E = TypeVar("E", bound="ScanmillError")


class ScanmillError(Exception):
    """Say what went wrong in four parts.

    thing: the file, sample or setting at fault. found: what is there. expected: what would
    have been right. hint: what the user can do now.
    """

    kind: ClassVar[FailureKind] = "environment"

    def __init__(self, thing: str, *, found: str, expected: str, hint: str) -> None:
        """Keep the four parts for programs, and one sentence for people."""
        parts = map(as_utf8, (thing, found, expected, hint))
        self.thing, self.found, self.expected, self.hint = parts
        parts_said = f"{self.thing}: {self.found}; expected {self.expected}. {self.hint}"
        super().__init__(parts_said if self.found else self.thing)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by the four parts, not by the joined sentence."""
        return _rebuild, (type(self), self.thing, self.found, self.expected, self.hint)


def _rebuild(
    kind: type[ScanmillError], thing: str, found: str, expected: str, hint: str
) -> ScanmillError:
    return kind(thing, found=found, expected=expected, hint=hint)


def quote(kind: type[E], sentence: str) -> E:
    """Make the error whose text is a sentence that another program ended with, as it is."""
    return kind(sentence, found="", expected="", hint="")


class InputError(ScanmillError):
    """A file from outside is missing, broken or hostile: the same bytes will fail again."""

    kind: ClassVar[FailureKind] = "input"


class RequestError(ScanmillError):
    """The request itself is wrong (flag, setting, folder that is no data set): exit code 2."""

    kind: ClassVar[FailureKind] = "input"


class MachineError(ScanmillError):
    """The machine failed (memory, disk, device, network): the same work may succeed later."""

    kind: ClassVar[FailureKind] = "environment"


class StorageError(MachineError):
    """A place takes no more files: it is full, out of inodes or quota, or mounted read-only."""


class DependencyError(MachineError):
    """A library, program or extra that this work needs is not installed."""


def kind_of(error: BaseException) -> FailureKind:
    """Return whether the same bytes would fail again.

    Errors of our own say it themselves; of others, those that a parser raises over its data would
    be raised again, and all else may be the machine.
    """
    if isinstance(error, ScanmillError):
        return error.kind
    is_opencv = type(error).__module__ == "cv2"
    is_data = is_opencv and getattr(error, "code", None) != _OPENCV_NO_MEMORY
    return "input" if is_data or isinstance(error, _SAME_AGAIN) else "environment"


def as_utf8(text: str) -> str:
    """Return a text that can be stored: bytes of a file name that are no UTF-8 are escaped.

    Python holds such bytes as lone surrogates, which no JSON file can hold.
    """
    return text.encode("utf-8", "backslashreplace").decode()
