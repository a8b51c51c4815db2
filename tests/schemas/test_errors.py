import pickle
import struct

import cv2
import pytest

from schemas.errors import (
    DependencyError,
    InputError,
    MachineError,
    RequestError,
    ScanmillError,
    kind_of,
)

KINDS = [InputError, RequestError, MachineError, DependencyError]


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_pickling_with_all_four_parts(kind: type[ScanmillError]) -> None:
    error = kind("scan.obj", found="nothing", expected="faces", hint="Export it again.")
    back = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes, made a line above
    assert type(back) is kind
    assert (back.thing, back.found, back.expected, back.hint) == (
        "scan.obj", "nothing", "faces", "Export it again.",
    )  # fmt: skip


def test_the_sentence_holds_thing_met_wanted_and_way_out() -> None:
    error = InputError("a.obj", found="0 faces", expected="a mesh", hint="Replace it.")
    assert str(error) == "a.obj: 0 faces; expected a mesh. Replace it."


@pytest.mark.parametrize(("kind", "fault"), [(InputError, "input"), (MachineError, "environment")])
def test_the_class_says_whose_fault_it_was(kind: type[ScanmillError], fault: str) -> None:
    assert kind.kind == fault


def _opencv(code: int) -> cv2.error:
    error = cv2.error("of OpenCV")
    error.code = code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InputError("a", found="b", expected="c", hint="d"), "input"),
        (RequestError("a", found="b", expected="c", hint="d"), "input"),
        (MachineError("a", found="b", expected="c", hint="d"), "environment"),
        (DependencyError("a", found="b", expected="c", hint="d"), "environment"),
        (MemoryError(), "environment"),
        (OSError(28, "No space left on device"), "environment"),
        (RuntimeError("CUDA out of memory"), "environment"),
        (_opencv(-4), "environment"),
        (_opencv(-215), "input"),
        (ZeroDivisionError(), "input"),
        (ValueError("Exceeds the limit (4300 digits) for integer string conversion"), "input"),
        (KeyError("vertex"), "input"),
        (RecursionError(), "input"),
        (struct.error("unpack requires 4 bytes"), "input"),
    ],
)
def test_the_class_of_an_error_says_whose_fault_it_was(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind


def test_a_name_that_is_not_utf8_can_be_stored_in_a_message() -> None:
    error = InputError("a\udcff", found="b", expected="c", hint="d")
    assert str(error).encode() == b"a\\udcff: b; expected c. d"
