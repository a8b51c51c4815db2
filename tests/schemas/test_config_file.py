"""YAML that users hand in: what it may hold, and texts made to exhaust the machine."""

import time
from pathlib import Path

import pytest

from schemas.config_file import MAX_BYTES, MAX_DEPTH, MAX_NODES, load_yaml, read_config
from schemas.errors import RequestError

KNOWN = ("yaws", "seed", "max_enlargement", "a")
BILLION_LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 10)
)
HOSTILE: dict[str, tuple[str, str]] = {
    "billion laughs": (BILLION_LAUGHS, "more than 20,000 values, aliases written out"),
    "deep flow": ("a: " + "[" * 100_000, "nested more than 16 deep"),
    "deep block": ("".join(" " * n + "a:\n" for n in range(1000)), "nested more than 16 deep"),
    "an anchor in itself": ("a: &a [*a]", "the alias 'a' of what is not complete"),
    "an alias of nothing": ("a: *b", "the alias 'b' of what is not complete"),
    "a huge integer": ("seed: " + "9" * 100_000, "more than 65,536 characters"),
    "a large integer": ("seed: " + "9" * 5_000, "a value that can't be read"),
    "sixty to the many": ("a: !!int 1" + ":00" * 300_000, "more than 65,536 characters"),
    "a large file": ("a: " + "x" * MAX_BYTES, "1000003 bytes"),
    "many values": ("a: [" + "1," * 100_000 + "]", "more than 20,000 values"),
    "a date that is none": ("a: 2001-99-99", "a value that can't be read"),
    "a tag that lies": ("a: !!timestamp x", "a value that can't be read"),
    "another tag that lies": ("a: !!bool x", "a value that can't be read"),
    "a program": ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    "a key of many bits": ("? 0x" + "f" * 50_000 + "\n: 1", "the unknown name 'an integer of"),
    "two documents": ("a: 1\n---\na: 2", "expected a single document"),
    "a NUL": ("a: \0", "control characters are not allowed"),
    "a list": ("- a", "a list"),
    "nothing": ("", "0 bytes"),
    "a comment": ("# x", "nothing"),
    "a merge of a number": ("<<: 5", "expected a mapping or list of mappings"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_text_is_refused_in_one_short_line_and_at_once(tmp_path: Path, case: str) -> None:
    text, said = HOSTILE[case]
    path = tmp_path / "night.yaml"
    path.write_text(text)
    began_s = time.monotonic()
    with pytest.raises(RequestError) as refused:
        read_config(path, KNOWN)
    assert time.monotonic() - began_s < 2
    assert f"--config {path}: " in str(refused.value)
    assert said in str(refused.value)
    assert len(str(refused.value).removeprefix(f"--config {path}")) < 400
    assert len(str(refused.value).splitlines()) == 1


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_bytes(b"a: \xed\xa0\x80")
    with pytest.raises(RequestError, match="byte 3 is no text"):
        read_config(path, KNOWN)


def test_range_of_angles_is_no_number_to_the_base_of_60(tmp_path: Path) -> None:
    path = tmp_path / "night.yaml"
    path.write_text("yaws: -30:30:10\nseed: 7\nmax-enlargement: 2.5\n")
    assert read_config(path, KNOWN) == {"yaws": "-30:30:10", "seed": 7, "max_enlargement": 2.5}


def test_anchors_that_expand_to_little_are_read() -> None:
    assert load_yaml("a: &a [1, 2]\nb: *a\nc: {<<: {d: 3}}", "x") == {
        "a": [1, 2], "b": [1, 2], "c": {"d": 3},
    }  # fmt: skip


@pytest.mark.parametrize(("more", "is_read"), [(-2, True), (1, False)])
def test_values_are_counted_to_the_limit(more: int, *, is_read: bool) -> None:
    text = "[" + "1," * (MAX_NODES + more) + "]"
    if is_read:
        assert load_yaml(text, "x") == [1] * (MAX_NODES + more)
    else:
        with pytest.raises(RequestError, match="more than 20,000 values"):
            load_yaml(text, "x")


def test_depth_is_counted_to_the_limit() -> None:
    load_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH, "x")
    with pytest.raises(RequestError, match="nested more than 16 deep"):
        load_yaml("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "x")
