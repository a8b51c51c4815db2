from pathlib import Path

import pytest

from schemas.errors import InputError
from tasks.scans.mtl import MtlMaterial, parse_mtl, read_mtl, split_options


def parse(text: str) -> dict[str, MtlMaterial]:
    return parse_mtl(text.encode(), "a.mtl")[0]


def test_color_and_texture_belong_to_their_material() -> None:
    materials = parse("newmtl a\nKd 1 0.5 0\nmap_Kd a.jpg\nnewmtl b b\nKd 0 0 1\n")
    assert materials == {
        "a": MtlMaterial("a", (255, 128, 0), "a.jpg"),
        "b b": MtlMaterial("b b", (0, 0, 255), None),
    }


@pytest.mark.parametrize(
    "rest",
    [
        "tex/my skin.jpg",
        "  -s 1 1 1 tex/my skin.jpg ",
        "-s 1 1 1 -o 0 0 -blendu on -mm 0 1 tex/my skin.jpg",
        "-bm 0.5 -imfchan r -t 0 tex/my skin.jpg",
    ],
)
def test_options_before_the_name_are_passed_over(rest: str) -> None:
    assert split_options(rest) == ("tex/my skin.jpg", "")


def test_a_name_may_begin_with_a_dash() -> None:
    assert split_options("-skin-.jpg") == ("-skin-.jpg", "")


def test_options_that_move_the_image_are_warned_of() -> None:
    _, warnings = parse_mtl(b"newmtl a\nmap_Kd -s 2 2 1 a.jpg\n", "a.mtl")
    assert warnings == ("a.mtl, line 2: map_Kd -s moves or scales the image: unused",)


@pytest.mark.parametrize("text", ["Kd 1 1", "Kd", "Kd spectral a.rfl", "Kd nan 0 0", "Kd 1 x 1"])
def test_a_color_that_is_none_is_warned_of(text: str) -> None:
    materials, warnings = parse_mtl(f"newmtl a\n{text}\n".encode(), "a.mtl")
    assert materials["a"].color is None
    assert "line 2: Kd" in warnings[0]


def test_one_number_is_a_grey() -> None:
    assert parse("newmtl a\nKd 0.2\n")["a"].color == (51, 51, 51)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_marks_make_no_difference(line_end: str) -> None:
    text = "\ufeffnewmtl a\nmap_kd x.jpg\n".replace("\n", line_end)
    assert parse(text)["a"].texture == "x.jpg"


def test_lines_before_any_material_are_passed_over() -> None:
    assert parse("Kd 1 1 1\nmap_Kd a.jpg\n") == {}


def test_bytes_of_another_encoding_are_no_error() -> None:
    ((name, material),) = parse_mtl(b"newmtl h\xfclle\nKd 1 1 1\n", "a.mtl")[0].items()
    assert name.encode(errors="surrogateescape") == b"h\xfclle"
    assert material.color == (255, 255, 255)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mtl: no such file"):
        read_mtl(tmp_path / "none.mtl")
