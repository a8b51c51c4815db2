"""Faces of an OBJ file: corners written as v, v/t, v//n or v/t/n, counted from either end."""

import re
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int64, UInt8

from tasks.scans.lines import (
    DIGITS,
    Block,
    TextLines,
    Tokens,
    as_bytes,
    find_shape,
    find_tokens,
    is_blank,
    parse_ints,
    read_rows,
    refuse_line,
    take_lines,
)
from tasks.scans.polygons import TRIANGLE_CORNERS

SLASH = ord("/")
_UNIFORM_LINE = re.compile(rb" ( (//?))(\1)*\r?\n")


@dataclass(frozen=True, slots=True)
class Corners:
    """Face corners in file order: indices counted from 0, uv -1 where there is none.

    face: how many corners each face has. offset: of each face's line in the file.
    """

    vertex: Int64[np.ndarray, " C"]
    uv: Int64[np.ndarray, " C"]
    face: Int64[np.ndarray, " P"]
    offset: Int64[np.ndarray, " P"]
    names_uv: bool


@dataclass(frozen=True, slots=True)
class _Indices:
    """Indices as written. uv: of the corners that have one. per_face: corners of each face."""

    vertex: Int64[np.ndarray, " C"]
    uv: Int64[np.ndarray, " U"]
    has_uv: Bool[np.ndarray, " C"]
    per_face: Int64[np.ndarray, " P"]


def read_corners(
    lines: TextLines,
    is_face: Bool[np.ndarray, " L"],
    *,
    vertex_at: Int64[np.ndarray, " V"],
    uv_at: Int64[np.ndarray, " T"],
) -> Corners:
    """Read the corners of all face lines.

    vertex_at, uv_at: where the lines are that define vertices and texture coordinates.
    Raises InputError with the line whose corner is malformed or names what is not defined.
    """
    block = take_lines(lines, is_face, keyword_bytes=1)
    index = _read_uniform(block)
    if index is None:
        index = _read_mixed(lines, block)
    offset = np.repeat(block.offset, index.per_face)
    vertex = _resolve(lines, index.vertex, offset, vertex_at)
    uv = np.full(len(vertex), -1, np.int64)
    if uv_at.size:
        uv[index.has_uv] = _resolve(lines, index.uv, offset[index.has_uv], uv_at)
    return Corners(vertex, uv, index.per_face, block.offset, bool(index.uv.size))


def _read_uniform(block: Block) -> _Indices | None:
    """Read faces that are all v/t/n, or all v/t, of equally many corners; None for any other."""
    shape = find_shape(block, DIGITS)
    if shape is None or not _UNIFORM_LINE.fullmatch(shape):
        return None
    corners = shape.count(b" ") - 1
    fields = shape.count(b"/") // corners + 1
    rows = read_rows(block, np.int64, corners * fields)
    if rows is None:
        return None
    table = rows.reshape(-1, fields)
    per_face = np.full(len(rows), corners, np.int64)
    return _Indices(table[:, 0], table[:, 1], np.ones(len(table), bool), per_face)


def _read_mixed(lines: TextLines, block: Block) -> _Indices:
    """Read faces of any style, corner by corner."""
    tokens = find_tokens(block, is_blank(block.text) | (as_bytes(block.text) == SLASH))
    field = _find_fields(lines, block, tokens)
    values = parse_ints(lines, block, tokens)
    corner = np.flatnonzero(field == 0)
    has_uv: Bool[np.ndarray, " C"] = np.append(field, 0)[corner + 1] == 1
    per_face = np.diff(np.searchsorted(corner, tokens.first))
    return _Indices(values[corner], values[corner[has_uv] + 1], has_uv, per_face)


def _find_fields(lines: TextLines, block: Block, tokens: Tokens) -> UInt8[np.ndarray, " K"]:
    """Return what each number of a face is: 0 vertex, 1 texture coordinate, 2 normal.

    Decided by the slashes before it. Raises InputError for a line with slashes out of place.
    """
    text = as_bytes(block.text)
    before, two_before = text[tokens.start - 1], text[tokens.start - 2]
    gap = tokens.start - np.concatenate([np.zeros(1, np.int64), tokens.end[:-1]])
    is_vertex = before != SLASH
    after_vertex = np.concatenate([np.zeros(1, bool), is_vertex[:-1]])
    is_next = ~is_vertex & (gap == 1)
    is_uv = is_next & after_vertex
    after_uv = np.concatenate([np.zeros(1, bool), is_uv[:-1]])
    skips_uv = ~is_vertex & (gap == len("//")) & (two_before == SLASH) & after_vertex
    misplaced = np.flatnonzero(~(is_vertex | is_uv | skips_uv | (is_next & after_uv)))
    if misplaced.size:
        line = np.searchsorted(tokens.first, misplaced[0], side="right") - 1
        raise refuse_line(
            lines, int(block.offset[line]), "slashes out of place", "v, v/t, v//n or v/t/n"
        )
    field: UInt8[np.ndarray, " K"] = np.uint8(2) - 2 * is_vertex.view(np.uint8) - is_uv
    return field


def _resolve(
    lines: TextLines,
    index: Int64[np.ndarray, " C"],
    offset: Int64[np.ndarray, " C"],
    defined_at: Int64[np.ndarray, " N"],
) -> Int64[np.ndarray, " C"]:
    """Count indices from 0; negative ones count back from what is above their line.

    offset: of the line of each index. defined_at: of the lines that define what they mean.
    """
    resolved = index - 1
    back = np.flatnonzero(index < 0)
    resolved[back] = index[back] + np.searchsorted(defined_at, offset[back])
    bad = np.flatnonzero((resolved < 0) | (resolved >= len(defined_at)))
    if bad.size:
        found = f"index {index[bad[0]]}, with {len(defined_at)} defined"
        raise refuse_line(lines, int(offset[bad[0]]), found, "an index of something defined")
    return resolved


def drop_short_faces(corners: Corners) -> tuple[Corners, list[str]]:
    """Leave out faces of fewer than three corners, with a warning."""
    whole = corners.face >= TRIANGLE_CORNERS
    if whole.all():
        return corners, []
    kept = np.repeat(whole, corners.face)
    fewer = replace(
        corners,
        vertex=corners.vertex[kept],
        uv=corners.uv[kept],
        face=corners.face[whole],
        offset=corners.offset[whole],
    )
    return fewer, [f"{int((~whole).sum())} faces of fewer than three corners were dropped"]
