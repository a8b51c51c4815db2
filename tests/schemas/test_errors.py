import pickle

import pytest

from schemas.errors import DependencyError, InputError, MachineError, RequestError, ScanmillError

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
