from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.scans.geometry import Geometry
from tasks.scans.obj import parse_obj, read_obj
from tests.fixtures_meshes import TETRAHEDRON_FACES, TETRAHEDRON_UV, tetrahedron_obj

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"
SQUARE_UV = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"


def parse(text: str) -> Geometry:
    return parse_obj(text.encode(), "a.obj")


def test_vertices_keep_every_digit() -> None:
    vertices = parse(SQUARE + "v 0.1 -1.25e-3 163.935595\nf 1 2 5\n").vertices
    assert vertices[4].tolist() == [0.1, -1.25e-3, 163.935595]


def test_faces_count_from_zero() -> None:
    assert parse(tetrahedron_obj()).faces.tolist() == [list(face) for face in TETRAHEDRON_FACES]


def test_texture_coordinates_have_their_own_indices() -> None:
    geometry = parse(SQUARE + SQUARE_UV + "f 1/4 2/3 3/2\n")
    assert geometry.uv_faces is not None
    assert geometry.uv_faces.tolist() == [[3, 2, 1]]


@pytest.mark.parametrize(
    "face",
    ["1 2 3", "1/1 2/2 3/3", "1//7 2//8 3//9", "1/1/7 2/2/8 3/3/9", "-4 -3 -2",
     "-4//-9 -3//-9 -2//-9", "-4/-4/-1 -3/-3/-1 -2/-2/-1", "1/ 2/ 3/",
     " 1\t2   3 ", "+1 2 3", "1 2 3 # 4"],
)  # fmt: skip
def test_every_index_style_means_the_same_triangle(face: str) -> None:
    assert parse(SQUARE + SQUARE_UV + f"f {face}\n").faces.tolist() == [[0, 1, 2]]


def test_normal_indices_are_no_texture_coordinates() -> None:
    assert parse(SQUARE + SQUARE_UV + "f 1//1 2//2 3//3\n").uv_faces is None


def test_relative_indices_count_from_what_stands_above() -> None:
    text = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\nv 0 0 5\nv 1 0 5\nv 0 1 5\nf -3 -2 -1\n"
    assert parse(text).faces.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_relative_texture_indices_count_from_what_stands_above() -> None:
    text = SQUARE + "vt 0 0\nvt 1 0\nvt 0 1\nf 1/-3 2/-2 3/-1\nvt 1 1\nf 1/-3 3/-2 4/-1\n"
    uv_faces = parse(text).uv_faces
    assert uv_faces is not None
    assert uv_faces.tolist() == [[0, 1, 2], [1, 2, 3]]


def test_definitions_may_stand_between_faces_and_below_them() -> None:
    text = "f 1 2 3\nv 0 0 0\nvn 0 0 1\nv 1 0 0\nvn 0 0 1\nv 0 1 0\n"
    assert parse(text).faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", " \n", "\n\n"])
def test_line_ends_make_no_difference(line_end: str) -> None:
    geometry = parse(tetrahedron_obj().replace("\n", line_end))
    assert geometry.faces.tolist() == [list(face) for face in TETRAHEDRON_FACES]


@pytest.mark.parametrize(
    "head", ["\ufeff# Bürgerin", "# 人物 \u2028 x", "g Ä ö\no 人", "s off\nl 1 2"]
)
def test_comments_groups_and_byte_order_marks_are_passed_over(head: str) -> None:
    faces = parse(tetrahedron_obj(head=head)).faces
    assert faces.tolist() == [list(face) for face in TETRAHEDRON_FACES]


def test_a_backslash_continues_a_line() -> None:
    assert parse(SQUARE + "f 1 2 \\\n  3\n").faces.tolist() == [[0, 1, 2]]


def test_a_backslash_at_the_end_of_a_comment_continues_nothing() -> None:
    assert parse("# from C:\\scans\\\n" + SQUARE + "f 1 2 3\n").vertices.shape == (4, 3)


def test_indented_lines_are_read() -> None:
    text = SQUARE.replace("v", "  v").replace("  v 1 1", "\tv 1 1") + "   f 1 2 3\n"
    assert parse(text).faces.tolist() == [[0, 1, 2]]


def test_the_normals_may_be_broken() -> None:
    whole, broken = parse(tetrahedron_obj()), parse(tetrahedron_obj(head="vn nan what"))
    assert broken.faces.tolist() == whole.faces.tolist()
    assert broken.vertices.tolist() == whole.vertices.tolist()


@pytest.mark.parametrize("numbers", ["0 0 0 1 0.5 0", "0 0 0 1.0 1 0.5 0"])
def test_vertex_colors_of_zero_to_one(numbers: str) -> None:
    row = f"v {numbers}\n"
    colors = parse(
        row + row.replace("0 0 0", "1 0 0", 1) + row.replace("0 0 0", "0 1 0", 1) + "f 1 2 3\n"
    )
    assert colors.vertex_colors is not None
    assert colors.vertex_colors[0].tolist() == [255, 128, 0]


def test_vertex_colors_of_zero_to_255() -> None:
    text = "v 0 0 0 255 128 0\nv 1 0 0 0 0 1\nv 0 1 0 0 0 0\nf 1 2 3\n"
    colors = parse(text).vertex_colors
    assert colors is not None
    assert colors.tolist() == [[255, 128, 0], [0, 0, 1], [0, 0, 0]]


def test_colors_of_some_vertices_only_are_unused_with_a_warning() -> None:
    geometry = parse("v 0 0 0 1 1 1\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    assert geometry.vertex_colors is None
    assert geometry.warnings == ("1 of 3 vertices have a colour: unused",)


def test_a_fourth_coordinate_is_ignored() -> None:
    assert parse("v 1 2 3 1.0\nv 2 2 3 1\nv 1 3 3 1\nf 1 2 3\n").vertices[0].tolist() == [1, 2, 3]


def test_texture_coordinates_may_have_one_or_three_numbers() -> None:
    uv = parse(SQUARE + "vt 0.25\nvt 0.5 0.75 9\nvt 1 1\nf 1/1 2/2 3/3\n").uv
    assert uv is not None
    assert uv.tolist() == [[0.25, 0.0], [0.5, 0.75], [1.0, 1.0]]


def test_faces_belong_to_the_material_named_above_them() -> None:
    text = tetrahedron_obj()
    head, *faces = text.split("f ")
    text = f"{head}f {faces[0]}usemtl skin\nf {faces[1]}usemtl Blaue Hose\nf {faces[2]}"
    text += f"usemtl skin\nf {faces[3]}"
    geometry = parse(text)
    assert geometry.materials == ("skin", "Blaue Hose")
    assert geometry.face_material is not None
    assert geometry.face_material.tolist() == [-1, 0, 1, 0]


def test_material_libraries_are_named_but_not_opened() -> None:
    assert parse(tetrahedron_obj(head="mtllib a b.mtl\nmtllib /etc/passwd")).libraries == (
        "a b.mtl",
        "/etc/passwd",
    )


def test_a_quad_becomes_two_triangles_with_a_warning() -> None:
    geometry = parse(SQUARE + "f 1 2 3 4\n")
    assert geometry.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert geometry.warnings == ("1 polygons of more than three corners were split",)


def test_triangles_of_polygons_keep_texture_coordinates_and_material() -> None:
    geometry = parse(SQUARE + SQUARE_UV + "usemtl a\nf 1/1 2/2 3/3\nusemtl b\nf 1/4 2/3 3/2 4/1\n")
    assert geometry.uv_faces is not None
    assert geometry.face_material is not None
    assert geometry.uv_faces.tolist() == [[0, 1, 2], [3, 2, 1], [3, 1, 0]]
    assert geometry.face_material.tolist() == [0, 1, 1]


def test_a_concave_quad_is_split_inside_its_outline() -> None:
    arrow = "v 0 0 0\nv 2 2 0\nv 0 1 0\nv -2 2 0\nf 4 1 2 3\n"
    faces = parse(arrow).faces
    assert {frozenset(face) for face in faces.tolist()} == {
        frozenset({0, 1, 2}),
        frozenset({0, 2, 3}),
    }


def test_faces_without_area_are_dropped_with_a_warning() -> None:
    geometry = parse(SQUARE + "f 1 2 3\nf 1 1 2\nf 1 3 3\n")
    assert geometry.faces.tolist() == [[0, 1, 2]]
    assert geometry.warnings == ("2 faces without area were dropped",)


def test_faces_of_two_corners_are_dropped_with_a_warning() -> None:
    geometry = parse(SQUARE + "f 1 2\nf 1 2 3\nf \n")
    assert geometry.faces.tolist() == [[0, 1, 2]]
    assert geometry.warnings == ("2 faces of fewer than three corners were dropped",)


def test_faces_without_texture_coordinates_are_kept_with_a_warning() -> None:
    geometry = parse(SQUARE + SQUARE_UV + "f 1/1 2/2 3/3\nf 1 3 4\nf 1/1 2/2 4\n")
    assert geometry.uv_faces is not None
    assert geometry.uv_faces.tolist() == [[0, 1, 2], [-1, -1, -1], [-1, -1, -1]]
    assert geometry.warnings == ("2 faces have no texture coordinates",)


def test_texture_indices_without_any_coordinates_are_ignored_with_a_warning() -> None:
    geometry = parse(SQUARE + "f 1/1 2/2 3/3\n")
    assert geometry.uv_faces is None
    assert geometry.warnings == ("faces name texture coordinates, but none are defined",)


@pytest.mark.parametrize(
    "cut", ["f 1 3 4/", "f 1 3", "f 1/1/1 2/2/2 3/3", "v 1 2", "v 1 2 -", "vt", "vt ."]
)
def test_a_cut_last_line_is_dropped_with_a_warning(cut: str) -> None:
    geometry = parse(SQUARE + f"f 1 2 3\n{cut}")
    assert len(geometry.faces) == 1
    assert "the last line was cut off in the middle and is unused" in geometry.warnings


def test_a_last_line_without_line_end_is_used_with_a_warning() -> None:
    geometry = parse(SQUARE + "f 1 2 3\nf 1 3 4")
    assert geometry.faces.tolist() == [[0, 1, 2], [0, 2, 3]]
    assert geometry.warnings == ("the last line has no line end: the file may have been cut",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SQUARE, r"a\.obj: 4 vertex lines and 0 faces"),
        ("f 1 2 3\n", r"a\.obj: 0 vertex lines and 1 faces"),
        ("<!DOCTYPE html>\n<html>\n", "an HTML page"),
        ("version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer, not the file itself"),
        (SQUARE + "f 1 2 5\n", r"a\.obj, line 5: index 5, with 4 defined"),
        (SQUARE + "f 1 2 -5\n", r"line 5: index -5, with 4 defined"),
        (SQUARE + "f 0 1 2\n", r"line 5: index 0, with 4 defined"),
        (SQUARE + "vt 0 0\nf 1/1 2/1 3/2\n", r"line 6: index 2, with 1 defined"),
        (SQUARE + "f 1 2 99999999999999999999\n", "line 5: index 9223372036854775807"),
        ("v 0 0 0\nv 1 nan 0\nv 0 1 0\nf 1 2 3\n", r"line 2: \[1\.0, nan, 0\.0\]; expected finite"),
        ("v 0 0 0\nv 1 0 inf\nv 0 1 0\nf 1 2 3\n", r"line 2: \[1\.0, 0\.0, inf\]"),
        (
            "v 0 0 0\nv 1 0 2e9\nv 0 1 0\nf 1 2 3\n",
            r"vertex 1 .* expected finite coordinates up to 1e\+09",
        ),
        (SQUARE + "vt nan 0\nf 1/1 2/1 3/1\n", r"line 5: \[nan, 0\.0\]"),
        ("v 0 0 0 1 nan 1\n" + "v 1 0 0 1 1 1\nv 0 1 0 1 1 1\nf 1 2 3\n", r"line 1: \[1\.0, nan"),
        ("v 0 0 0\nv 1 x 0\nv 0 1 0\nf 1 2 3\n", "line 2: 'x'; expected a number"),
        ("v 0 0 0\nv 1,5 2,5 3,5\nv 0 1 0\nf 1 2 3\n", "line 2: '1,5'; expected a number"),
        ("v 0 0 0\nv 1.2.3 0 0\nv 0 1 0\nf 1 2 3\n", r"line 2: '1\.2\.3'; expected a number"),
        ("v 0.0 0.0 0.0\nv 1.2.3 0. 0.\nv 0. 1. \nf 1 2 3\n", r"line 3: 2 numbers"),
        ("v 0.0 0.0 0.0\nv 1.0 . 0.0\nv 0. 1. 0.\nf 1 2 3\n", r"line 2: '\.'; expected a number"),
        (SQUARE + SQUARE_UV + "f 1/1 2/2 3/\nf 1/1 2/2 /3\n", "line 10: slashes out of place"),
        ("v 0 0 0\nv 1 0\nv 0 1 0\nf 1 2 3\n", "line 2: 2 numbers; expected at least 3"),
        (SQUARE + "vt \nf 1 2 3\n", "line 5: 0 numbers; expected at least 1"),
        (SQUARE + "f 1 2 3.5\n", r"line 5: '3\.5'; expected a whole number"),
        (SQUARE + "f 1 2 x\n", "line 5: 'x'; expected a whole number"),
        (SQUARE + "f 1 2 -\n", "line 5: '-'; expected a whole number"),
        (SQUARE + "f -  1 2 3\n", "line 5: '-'; expected a whole number"),
        (SQUARE + "f 1 2 /3\n", "line 5: slashes out of place; expected v, v/t, v//n or v/t/n"),
        (SQUARE + "f 1/2/3/4 2 3\n", "line 5: slashes out of place"),
        (SQUARE + "f 1/2//3 2 3\n", "line 5: slashes out of place"),
        (SQUARE + "f 1 1 1\n", "1 faces, none of them covering any area"),
        (SQUARE + "f 1 2\n", "0 faces, none of them covering any area"),
        ("v 0 0 0\n\0\n", "bytes that no text has"),
    ],
)
def test_broken_files_are_refused_with_the_line(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text)


def test_lines_are_counted_over_continuations_and_byte_order_marks() -> None:
    text = "\ufeff# head\r\n" + SQUARE.replace("\n", "\r\n") + "f 1 2 \\\r\n 3\r\nf 1 2 9\r\n"
    with pytest.raises(InputError, match=r"line 8: index 9"):
        parse(text)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.obj: no such file"):
        read_obj(tmp_path / "none.obj")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.obj"
    path.touch()
    with pytest.raises(InputError, match=r"empty\.obj: 0 bytes"):
        read_obj(path)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, pipe or device; expected a regular file"):
        read_obj(tmp_path)


def test_uv_values_are_kept_as_written() -> None:
    uv = parse(tetrahedron_obj()).uv
    assert uv is not None
    np.testing.assert_array_equal(uv, np.array(TETRAHEDRON_UV, np.float32))


def test_more_lines_than_any_scan_has_are_refused_before_they_are_split(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.scans.obj.MAX_LINES", 5)
    with pytest.raises(InputError, match="more than 5 lines"):
        parse_obj(b"v 0 0 0\n" * 6, "a.obj")
