"""PLY meshes, as 2K2K ships them: text or binary, vertex colours, polygons.

Our own reader, since trimesh takes 0.4 s to import and an inventory has to answer at once.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64, UInt8

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_FACES, MAX_MESH_BYTES, check_mesh_counts
from tasks.scans.files import describe_wrong_file
from tasks.scans.geometry import (
    Geometry,
    check_coordinates,
    check_geometry,
    check_indices,
    to_color_bytes,
)
from tasks.scans.polygons import TRIANGLE_CORNERS, triangulate

_OLD_TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"}
_SIZED_TYPES = {
    f"{kind}{8 * size}": f"{kind[0]}{size}" for kind in ("int", "uint") for size in (1, 2, 4)
}
_FLOAT_TYPES = {"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"}
_TYPES = _OLD_TYPES | _SIZED_TYPES | _FLOAT_TYPES
_ORDERS = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
"""Both: the PLY format (Turk, 1994), with the sized names that later programs write."""

_POSITION = ("x", "y", "z")
_COLORS = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
_NORMAL = ("nx", "ny", "nz")
_CORNERS = ("vertex_indices", "vertex_index")
_USED = frozenset((*_POSITION, *_NORMAL, *_COLORS[0], *_COLORS[1], *_CORNERS))
"""Columns whose values are kept: others may be as wide as they like."""

_HEADER = re.compile(rb"\Aply\s*?\r?\n(.*?)\bend_header[ \t]*\r?\n", re.DOTALL)
_MAX_HEADER_BYTES = 1 << 16
_COUNT = re.compile("[0-9]{1,15}")
_MAX_CORNERS = 1 << 16
_MAX_INDEX = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class _Property:
    """One column of an element. count: type of the length before a list, None for a scalar."""

    name: str
    type: str
    count: str | None = None


@dataclass(frozen=True, slots=True)
class _Element:
    """A table of the file: name, number of rows, columns."""

    name: str
    rows: int
    properties: tuple[_Property, ...]


@dataclass(frozen=True, slots=True)
class _Column:
    """Values of a column, one row after the other, and how many each row has."""

    values: Float64[np.ndarray, " K"]
    counts: Int64[np.ndarray, " N"]


def read_ply(path: Path) -> Geometry:
    """Read a PLY mesh. Raises InputError when it is missing, empty, cut or no mesh."""
    return parse_ply(read_whole(path, MAX_MESH_BYTES), str(path))


def parse_ply(data: bytes, name: str) -> Geometry:
    """Read the bytes of a PLY file; name: what errors call it."""
    tables = _read_tables(data, name)
    vertex, face = tables.get("vertex", {}), tables.get("face", {})
    corners = next((face[key] for key in _CORNERS if key in face), None)
    if corners is None or not set(_POSITION) <= vertex.keys():
        raise _refuse(name, "no table of vertices (x, y, z) or of faces (vertex_indices)")
    vertices = _stack(vertex, _POSITION)
    check_coordinates(name, vertices)
    is_whole = (np.abs(corners.values) <= _MAX_INDEX) & (corners.values % 1 == 0)
    if not is_whole.all():
        raise _refuse(name, "a face whose corners are no whole numbers")
    index, per_face, warnings = _drop_short(corners)
    check_indices(name, index, len(vertices), "vertex")
    triangle, _ = triangulate(vertices, index, per_face)
    geometry = Geometry(
        vertices=vertices,
        faces=index[triangle].astype(np.int32),
        vertex_colors=_read_colors(name, vertex),
        warnings=warnings,
    )
    return check_geometry(name, geometry)


def parse_ply_cloud(
    data: bytes, name: str
) -> tuple[Float64[np.ndarray, "V 3"], Float64[np.ndarray, "V 3"] | None]:
    """Read the vertices of a PLY file and their normals, as they are stored, where it has some.

    Raises InputError when it has no vertex, or one whose numbers are not finite.
    """
    vertex = _read_tables(data, name).get("vertex", {})
    if not set(_POSITION) <= vertex.keys() or not vertex["x"].values.size:
        raise _refuse(name, "no table of vertices (x, y, z)")
    points = _stack(vertex, _POSITION)
    check_coordinates(name, points)
    if not set(_NORMAL) <= vertex.keys():
        return points, None
    normals = _stack(vertex, _NORMAL)
    check_coordinates(name, normals)
    return points, normals


def _drop_short(
    corners: _Column,
) -> tuple[Int64[np.ndarray, " C"], Int64[np.ndarray, " P"], tuple[str, ...]]:
    """Return corners of faces with at least three, corners a face, and warnings."""
    whole = corners.counts >= TRIANGLE_CORNERS
    index = corners.values[np.repeat(whole, corners.counts)].astype(np.int64)
    per_face = corners.counts[whole]
    split, short = int((per_face > TRIANGLE_CORNERS).sum()), int((~whole).sum())
    warnings = [f"{split} polygons of more than three corners were split"] * (split > 0)
    warnings += [f"{short} faces of fewer than three corners were dropped"] * (short > 0)
    return index, per_face, tuple(warnings)


def _read_colors(name: str, vertex: dict[str, _Column]) -> UInt8[np.ndarray, "V 3"] | None:
    keys = next((keys for keys in _COLORS if set(keys) <= vertex.keys()), None)
    if keys is None:
        return None
    colors = _stack(vertex, keys)
    if not np.isfinite(colors).all():
        raise _refuse(name, "a vertex colour that is not finite")
    return to_color_bytes(colors)


def _stack(columns: dict[str, _Column], keys: tuple[str, ...]) -> Float64[np.ndarray, "V 3"]:
    return np.stack([columns[key].values for key in keys], axis=1)


def _read_tables(data: bytes, name: str) -> dict[str, dict[str, _Column]]:
    header = _HEADER.match(data[:_MAX_HEADER_BYTES])
    if header is None:
        raise _refuse(name, describe_wrong_file(data) or "no PLY header")
    order, elements = _parse_header(header.group(1).decode("ascii", "replace"), name)
    source = _open_body(data[header.end() :], order, name)
    tables: dict[str, dict[str, _Column]] = {}
    for element in elements:
        tables[element.name] = source.read(element)
        if {"vertex", "face"} <= tables.keys():
            break
    return tables


def _parse_header(text: str, name: str) -> tuple[str, list[_Element]]:
    order: str | None = None
    elements: list[_Element] = []
    for line in text.splitlines():
        words = line.split()
        match words:
            case ["format", str(kind), _] if kind in _ORDERS:
                order = _ORDERS[kind]
            case ["element", str(element), str(rows)] if _COUNT.fullmatch(rows):
                elements.append(_Element(element, int(rows), ()))
            case ["property", *rest] if elements and (column := _parse_property(rest)):
                last = elements[-1]
                elements[-1] = _Element(last.name, last.rows, (*last.properties, column))
            case [] | ["comment" | "obj_info", *_]:
                pass
            case _:
                raise _refuse(name, f"header line {line[:60]!a}")
    if order is None:
        raise _refuse(name, "a header without its format")
    for table in elements:
        what = "vertices" if table.name == "vertex" else "faces"
        check_mesh_counts(name, **{what: table.rows})
    return order, elements


def _parse_property(words: list[str]) -> _Property | None:
    match words:
        case ["list", str(count), str(kind), str(name)] if count in _TYPES and kind in _TYPES:
            return _Property(name, _TYPES[kind], _TYPES[count])
        case [str(kind), str(name)] if kind in _TYPES:
            return _Property(name, _TYPES[kind])
    return None


def _open_body(body: bytes, order: str, name: str) -> "_Body":
    if order:
        return _Body(name, body, order)
    try:
        numbers = np.fromstring(body, np.float64, sep=" ") if body.strip() else np.zeros(0)
    except (ValueError, DeprecationWarning) as error:
        raise _refuse(name, "text that is no number behind the header") from error
    # Text becomes a binary body of doubles, so that one reader serves both.
    return _Body(name, numbers.astype("<f8").tobytes(), "")


class _Body:
    """Owns: the bytes behind the header and the place in them. Reads one table after the other."""

    def __init__(self, name: str, data: bytes, order: str) -> None:
        self._name, self._data, self._order, self._at = name, data, order, 0

    def read(self, element: _Element) -> dict[str, _Column]:
        """Read all rows of an element; raises InputError when the file ends before."""
        if not element.rows or not element.properties:
            empty = _Column(np.zeros(0), np.zeros(0, np.int64))
            return {column.name: empty for column in element.properties}
        columns = self._read_equal(element)
        return self._read_unequal(element) if columns is None else columns

    def _type(self, kind: str) -> np.dtype[np.generic]:
        return np.dtype(self._order + kind if self._order else "<f8")

    def _read_equal(self, element: _Element) -> dict[str, _Column] | None:
        """Read rows whose lists are all as long as those of the first; None when they are not."""
        fields: list[tuple[str, np.dtype[np.generic], int]] = []
        at, counts = self._at, []
        for k, column in enumerate(element.properties):
            length = 1
            if column.count:
                length, at = self._read_count(column.count, at)
                counts.append((f"count{k}", length))
                fields.append((f"count{k}", self._type(column.count), 1))
            fields.append((f"value{k}", self._type(column.type), length))
            at += length * self._type(column.type).itemsize
        row = np.dtype([(name, kind, (length,)) for name, kind, length in fields])
        self._need(self._at, self._min_bytes(element) * element.rows)
        if self._at + row.itemsize * element.rows > len(self._data):
            return None
        table = np.frombuffer(self._data, row, element.rows, self._at)
        if any((table[name] != length).any() for name, length in counts):
            return None
        self._at += table.nbytes
        return {
            column.name: _Column(
                np.ascontiguousarray(table[f"value{k}"], np.float64).ravel(),
                np.full(element.rows, table[f"value{k}"].shape[1], np.int64),
            )
            for k, column in enumerate(element.properties)
            if column.name in _USED
        }

    def _read_unequal(self, element: _Element) -> dict[str, _Column]:
        """Read rows one by one."""
        if element.rows * len(element.properties) > MAX_FACES:
            raise _refuse(self._name, f"{element.rows} rows of unequal lists in {element.name}")
        pieces: list[list[np.ndarray]] = [[] for _ in element.properties]
        for _ in range(element.rows):
            for column, piece in zip(element.properties, pieces, strict=True):
                length = 1
                if column.count:
                    length, self._at = self._read_count(column.count, self._at)
                kind = self._type(column.type)
                self._need(self._at, length * kind.itemsize)
                piece.append(np.frombuffer(self._data, kind, length, self._at))
                self._at += length * kind.itemsize
        return {
            column.name: _Column(
                np.concatenate(piece).astype(np.float64),
                np.array([len(values) for values in piece], np.int64),
            )
            for column, piece in zip(element.properties, pieces, strict=True)
            if column.name in _USED
        }

    def _read_count(self, kind: str, at: int) -> tuple[int, int]:
        """Return the length of the list at a place, and the place behind it."""
        count = self._type(kind)
        self._need(at, count.itemsize)
        value = float(np.frombuffer(self._data, count, 1, at)[0])
        if not (value.is_integer() and 0 <= value <= _MAX_CORNERS):
            raise _refuse(self._name, f"a list of {value:g} values")
        return int(value), at + count.itemsize

    def _min_bytes(self, element: _Element) -> int:
        return sum(self._type(c.count or c.type).itemsize for c in element.properties)

    def _need(self, at: int, count: int) -> None:
        if at + count > len(self._data):
            raise _refuse(self._name, "the end of the file in the middle of a table: it was cut")


def _refuse(name: str, found: str) -> InputError:
    return InputError(
        name,
        found=found,
        expected="a whole PLY mesh with vertices and faces",
        hint="Fetch or export the scan again.",
    )
