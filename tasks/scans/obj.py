"""Wavefront OBJ as real files are: polygons, every index style, several materials, any line ends.

Normals are passed over, since the contract makes its own. Nothing named in the file is opened.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_MESH_BYTES, MAX_VERTICES, check_mesh_counts
from tasks.scans.files import describe_wrong_file
from tasks.scans.geometry import Geometry, check_geometry, to_color_bytes
from tasks.scans.lines import (
    DECIMAL_DIGITS,
    Block,
    TextLines,
    as_bytes,
    find_shape,
    find_tokens,
    is_blank,
    parse_floats,
    read_rows,
    refuse_line,
    split_lines,
    take_lines,
)
from tasks.scans.obj_faces import drop_short_faces, read_corners
from tasks.scans.polygons import TRIANGLE_CORNERS, triangulate

_COLOR_COLUMNS = {6: 3, 7: 4}
"""Numbers on a vertex line, and where the colour begins: x y z r g b and x y z w r g b."""

MAX_LINES = 4 * MAX_VERTICES
"""v, vt, vn and f lines of the largest mesh that is read."""

_NUMBER, _CORNER = rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", rb"-?\d+(/-?\d+|/-?\d*/-?\d+)?"
_WHOLE_VALUES = {
    b"v": re.compile(rb"%s( %s){2,}" % (_NUMBER, _NUMBER)),
    b"vt": re.compile(rb"%s( %s)*" % (_NUMBER, _NUMBER)),
    b"f": re.compile(rb"%s( %s){2,}" % (_CORNER, _CORNER)),
}
"""What a last line without line end must look like to be used."""

_DECIMALS_LINE = re.compile(rb" {1,2}( \.)+\r?\n")
"""A line without keyword and digits: one decimal point in every number, one blank before it."""


@dataclass(frozen=True, slots=True)
class _Kinds:
    """Which lines define vertices, texture coordinates and faces, and which name materials."""

    vertex: Bool[np.ndarray, " L"]
    uv: Bool[np.ndarray, " L"]
    face: Bool[np.ndarray, " L"]
    named: Bool[np.ndarray, " L"]


def read_obj(path: Path) -> Geometry:
    """Read an OBJ file.

    Raises InputError when it is missing, empty, cut, no OBJ, or holds numbers that make no mesh;
    names the line.
    """
    return parse_obj(read_whole(path, MAX_MESH_BYTES), str(path))


def parse_obj(data: bytes, name: str) -> Geometry:
    """Read the bytes of an OBJ file; name: what errors call it.

    `v x y z [w] [r g b]` with w ignored, `vt u [v [w]]`, `f` with v, v/t, v//n or v/t/n, positive
    or negative (counted back from what is defined so far). Polygons become triangles.
    """
    if b"\0" in data:
        raise _refuse(name, "bytes that no text has", "an OBJ text file")
    if data.count(b"\n") > MAX_LINES:
        raise _refuse(name, f"more than {MAX_LINES} lines", "an OBJ file of one scan")
    lines, cut = _drop_cut_line(split_lines(name, data))
    kinds = _classify(lines)
    check_mesh_counts(name, vertices=int(kinds.vertex.sum()), faces=int(kinds.face.sum()))
    if not (kinds.vertex.any() and kinds.face.any()):
        found = f"{kinds.vertex.sum()} vertex lines and {kinds.face.sum()} faces"
        found = describe_wrong_file(data) or found
        raise _refuse(name, found, "an OBJ file with vertices (v x y z) and faces (f ...)")
    vertices, colors, color_warnings = _read_vertices(lines, kinds.vertex)
    uv = _read_uv(lines, kinds.uv)
    corners, short = drop_short_faces(
        read_corners(
            lines,
            kinds.face,
            vertex_at=lines.start[kinds.vertex],
            uv_at=lines.start[kinds.uv],
        )
    )
    triangle, source = triangulate(vertices, corners.vertex, corners.face)
    faces = corners.vertex[triangle].astype(np.int32)
    uv_faces, uv_warnings = _choose_uv(corners.uv[triangle], names_uv=corners.names_uv)
    used, libraries = _read_names(lines, kinds.named)
    names, face_material = _assign_materials(used, corners.offset[source])
    warnings = [*cut, *color_warnings, *short, *_warn_polygons(corners.face), *uv_warnings]
    geometry = Geometry(
        vertices=vertices,
        faces=faces,
        uv=None if uv_faces is None else uv,
        uv_faces=uv_faces,
        face_material=face_material,
        vertex_colors=colors,
        materials=names,
        libraries=libraries,
        warnings=tuple(warnings),
    )
    return check_geometry(name, geometry)


def _classify(lines: TextLines) -> _Kinds:
    text = as_bytes(lines.text + b"  ")
    one, two, three = (text[lines.first + k] for k in range(3))
    is_v, two_blank, three_blank = one == ord("v"), _is_gap(two), _is_gap(three)
    return _Kinds(
        vertex=is_v & two_blank,
        uv=is_v & (two == ord("t")) & three_blank,
        face=(one == ord("f")) & two_blank,
        named=((one == ord("u")) & (two == ord("s"))) | ((one == ord("m")) & (two == ord("t"))),
    )


def _is_gap(characters: UInt8[np.ndarray, " L"]) -> Bool[np.ndarray, " L"]:
    gap: Bool[np.ndarray, " L"] = (characters == ord(" ")) | (characters == ord("\t"))
    return gap


def _read_vertices(
    lines: TextLines, chosen: Bool[np.ndarray, " L"]
) -> tuple[Float64[np.ndarray, "V 3"], UInt8[np.ndarray, "V 3"] | None, list[str]]:
    if not chosen.any():
        raise _refuse(
            lines.name, "no vertex lines (v x y z)", "an OBJ file with vertices and faces"
        )
    block = take_lines(lines, chosen, keyword_bytes=1)
    values, first = _read_numbers(lines, block, at_least=3)
    vertices = values[first[:-1, None] + np.arange(3)]
    _refuse_unusable(lines, block, vertices)
    colors, warnings = _read_colors(lines, block, values, first)
    return vertices, colors, warnings


def _read_colors(
    lines: TextLines,
    block: Block,
    values: Float64[np.ndarray, " K"],
    first: Int64[np.ndarray, " N1"],
) -> tuple[UInt8[np.ndarray, "V 3"] | None, list[str]]:
    """Read the colours behind the coordinates, if every vertex has one."""
    columns = np.diff(first)
    begin = np.zeros(len(columns), np.int64)
    for count, column in _COLOR_COLUMNS.items():
        begin[columns == count] = column
    colored = int((begin > 0).sum())
    if colored < len(begin):
        return None, [f"{colored} of {len(begin)} vertices have a colour: unused"] * (colored > 0)
    colors = values[(first[:-1] + begin)[:, None] + np.arange(3)]
    _refuse_unusable(lines, block, colors)
    return to_color_bytes(colors), []


def _read_uv(lines: TextLines, chosen: Bool[np.ndarray, " L"]) -> Float32[np.ndarray, "T 2"] | None:
    if not chosen.any():
        return None
    block = take_lines(lines, chosen, keyword_bytes=2)
    values, first = _read_numbers(lines, block, at_least=1)
    uv = np.zeros((len(first) - 1, 2))
    uv[:, 0] = values[first[:-1]]
    has_v = np.diff(first) > 1
    uv[has_v, 1] = values[first[:-1][has_v] + 1]
    _refuse_unusable(lines, block, uv)
    return uv.astype(np.float32)


def _read_numbers(
    lines: TextLines, block: Block, *, at_least: int
) -> tuple[Float64[np.ndarray, " K"], Int64[np.ndarray, " N1"]]:
    """Return all numbers of a block, and where those of each line begin (and the total)."""
    uniform = _read_uniform(block, at_least)
    if uniform is not None:
        return uniform.ravel(), np.arange(len(uniform) + 1) * uniform.shape[1]
    tokens = find_tokens(block, is_blank(block.text))
    short = np.flatnonzero(tokens.per_line < at_least)
    if short.size:
        found = f"{tokens.per_line[short[0]]} numbers"
        raise refuse_line(lines, int(block.offset[short[0]]), found, f"at least {at_least}")
    return parse_floats(lines, block, tokens), tokens.first


def _read_uniform(block: Block, at_least: int) -> Float64[np.ndarray, "N C"] | None:
    """Read lines of equally many decimals with one blank before each; None for any others."""
    shape = find_shape(block, DECIMAL_DIGITS)
    if shape is None or not _DECIMALS_LINE.fullmatch(shape):
        return None
    per_line = shape.count(b".")
    return read_rows(block, np.float64, per_line) if per_line >= at_least else None


def _refuse_unusable(lines: TextLines, block: Block, rows: Float64[np.ndarray, "N C"]) -> None:
    """Raise InputError naming the line of the first row that float32 can't hold."""
    bad = np.flatnonzero(~(np.abs(rows) <= np.finfo(np.float32).max).all(axis=1))
    if bad.size:
        found = f"{rows[bad[0]].tolist()}"
        raise refuse_line(lines, int(block.offset[bad[0]]), found, "finite numbers")


def _choose_uv(
    uv_faces: Int64[np.ndarray, "F 3"], *, names_uv: bool
) -> tuple[Int32[np.ndarray, "F 3"] | None, list[str]]:
    """Return texture coordinates of faces that have them in all corners; -1 for the others."""
    bare: Bool[np.ndarray, " F"] = np.less(uv_faces, 0).any(axis=1)
    if bare.all():
        return None, ["faces name texture coordinates, but none are defined"] * names_uv
    chosen = np.where(bare[:, None], -1, uv_faces).astype(np.int32)
    count = int(bare.sum())
    return chosen, [f"{count} faces have no texture coordinates"] * (count > 0)


def _read_names(
    lines: TextLines, named: Bool[np.ndarray, " L"]
) -> tuple[list[tuple[int, str]], tuple[str, ...]]:
    """Return the offset and name of every `usemtl`, and the names behind `mtllib`."""
    used: list[tuple[int, str]] = []
    libraries: list[str] = []
    for line in np.flatnonzero(named).tolist():
        text = lines.text[lines.first[line] : lines.end[line]].decode("utf-8", "surrogateescape")
        keyword, _, name = text.strip().replace("\t", " ").partition(" ")
        if keyword == "usemtl":
            used.append((int(lines.start[line]), name.strip()))
        elif keyword == "mtllib" and name.strip():
            libraries.append(name.strip())
    return used, tuple(dict.fromkeys(libraries))


def _assign_materials(
    used: list[tuple[int, str]], offset: Int64[np.ndarray, " F"]
) -> tuple[tuple[str, ...], Int32[np.ndarray, " F"]]:
    """Return the names of the materials that faces have, and the material of each face."""
    begin = np.array([start for start, _ in used], np.int64)
    declared = {name: k for k, name in enumerate(dict.fromkeys(name for _, name in used))}
    numbers = np.array([-1, *(declared[name] for _, name in used)], np.int32)
    material: Int32[np.ndarray, " F"] = numbers[np.searchsorted(begin, offset, side="right")]
    return tuple(declared), material


def _warn_polygons(corners_per_face: Int64[np.ndarray, " P"]) -> list[str]:
    split = int((corners_per_face > TRIANGLE_CORNERS).sum())
    return [f"{split} polygons of more than three corners were split"] * (split > 0)


def _drop_cut_line(lines: TextLines) -> tuple[TextLines, list[str]]:
    """Leave out a last line that was cut off in the middle, with a warning."""
    if not lines.is_cut:
        return lines, []
    if _is_whole(lines.text[lines.first[-1] : lines.end[-1]]):
        return lines, ["the last line has no line end: the file may have been cut"]
    shorter = replace(lines, start=lines.start[:-1], first=lines.first[:-1], end=lines.end[:-1])
    return shorter, ["the last line was cut off in the middle and is unused"]


def _is_whole(line: bytes) -> bool:
    """Return whether a line can be used as it is; lines other than v, vt, f always can."""
    keyword, *values = line.partition(b"#")[0].split() or [b""]
    pattern = _WHOLE_VALUES.get(keyword)
    if pattern is None:
        return True
    is_uniform = len({value.count(b"/") for value in values}) == 1
    return is_uniform and bool(pattern.fullmatch(b" ".join(values)))


def _refuse(name: str, found: str, expected: str) -> InputError:
    return InputError(
        name,
        found=found,
        expected=expected,
        hint="Fetch or export the scan again: this file is no use.",
    )
