"""Meshes, point clouds and scans as files: OBJ, PLY, GLB, or the folder of a scan.

OBJ and PLY go through the readers of scans; GLB through trimesh, after its header was judged.
Nothing that a file names is opened: shapes need no texture.
"""

import io
import json
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from jaxtyping import Float64

from renderers.placement import METRES_PER_FILE_UNIT
from schemas.errors import InputError
from schemas.file_status import is_readable_file
from schemas.regular_files import read_whole
from schemas.size_limits import MAX_FACES, MAX_MESH_BYTES, MAX_TEXT_BYTES, MAX_VERTICES
from tasks.evaluation.surface import ShapeSurface
from tasks.scans.geometry import Geometry, check_coordinates, check_indices
from tasks.scans.layouts import LAYOUTS
from tasks.scans.obj import parse_obj
from tasks.scans.ply import parse_ply, parse_ply_cloud

SUFFIXES = (".obj", ".ply", ".glb")
_HAS_FACES = re.compile(rb"^element face\s+0*[1-9]", re.MULTILINE)
_PLY_HEADER_BYTES = 1 << 16
_CM_PER_METRE = 100.0
_GLB_MAGIC, _GLB_VERSION, _GLB_JSON = 0x46546C67, 2, 0x4E4F534A
"""Source: glTF 2.0 specification, section 4.4, "Binary glTF Layout"."""

_GLB_START = struct.Struct("<5I")
_MAX_NODES = 1000


@dataclass(frozen=True, slots=True)
class ShapeFile:
    """A shape that was read. cm_per_unit: of its layout, None where the file has no unit."""

    path: Path
    surface: ShapeSurface
    cm_per_unit: float | None
    warnings: tuple[str, ...]


def find_shape_file(path: Path) -> Path:
    """Return the file of a shape: the path itself, or the mesh in a scan's folder.

    Raises InputError naming what is missing.
    """
    if not path.is_dir():
        return path
    names = [
        folder_pattern.replace("{item}", path.name.removesuffix(layout.folder_ending))
        for layout in LAYOUTS.values()
        for folder_pattern in layout.meshes
    ]
    found = [path / name for name in names if is_readable_file(path / name)]
    if not found:
        found = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
    if len(set(found)) != 1 and not any(one.name in names for one in found):
        raise InputError(
            str(path), found=f"{len(found)} files of shapes in this folder",
            expected="a scan's folder, or a folder with one OBJ, PLY or GLB",
            hint="Name the file itself.",
        )  # fmt: skip
    return found[0]


def read_shape(path: Path) -> ShapeFile:
    """Read a mesh or a point cloud; raises InputError when it is missing, broken or too big."""
    file = find_shape_file(path)
    suffix, name = file.suffix.lower(), str(file)
    if suffix not in SUFFIXES:
        raise InputError(
            name, found=f"a file that ends in {suffix or 'nothing'}",
            expected="one of .obj, .ply, .glb", hint="Convert it, or give a scan's folder.",
        )  # fmt: skip
    data = read_whole(file, MAX_MESH_BYTES)
    unit = _unit_of(file)
    if suffix == ".glb":
        return ShapeFile(file, parse_glb(data, name), unit, ())
    if suffix == ".ply" and not _HAS_FACES.search(data[:_PLY_HEADER_BYTES]):
        points, normals = parse_ply_cloud(data, name)
        return ShapeFile(file, ShapeSurface(points, None, _unit_vectors(normals)), unit, ())
    geometry = parse_obj(data, name) if suffix == ".obj" else parse_ply(data, name)
    return ShapeFile(file, _surface_of(geometry), unit, geometry.warnings)


def parse_glb(data: bytes, name: str) -> ShapeSurface:
    """Read all triangles of a binary glTF file, at their places in its scene."""
    _check_glb(data, name)
    try:
        scene: Any = trimesh.load_scene(io.BytesIO(data), file_type="glb", skip_materials=True)
        mesh = scene.to_mesh()
        vertices = np.asarray(mesh.vertices, np.float64)
        faces = np.asarray(mesh.faces, np.int64)
    except Exception as error:
        raise _refuse_glb(name, f"{type(error).__name__}: {error!s:.80}") from error
    if not len(faces):
        raise _refuse_glb(name, "no triangle")
    check_coordinates(name, vertices)
    check_indices(name, faces.ravel(), len(vertices), "vertex")
    return ShapeSurface(vertices, faces)


def _surface_of(geometry: Geometry) -> ShapeSurface:
    return ShapeSurface(geometry.vertices, geometry.faces.astype(np.int64))


def _unit_of(file: Path) -> float | None:
    """Return the centimetres of a file's unit where its layout has a metric one."""
    for dataset, layout in LAYOUTS.items():
        metres = METRES_PER_FILE_UNIT.get(dataset)
        ending = layout.folder_ending
        if metres is None or not ending or not file.parent.name.endswith(ending):
            continue
        item = file.parent.name.removesuffix(ending)
        if file.name in {pattern.replace("{item}", item) for pattern in layout.meshes}:
            return metres * _CM_PER_METRE
    return None


def _unit_vectors(
    normals: Float64[np.ndarray, "V 3"] | None,
) -> Float64[np.ndarray, "V 3"] | None:
    """Return normals of length 1; None where one of them has no direction."""
    if normals is None:
        return None
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return None if (length == 0).any() else normals / length


def _check_glb(data: bytes, name: str) -> None:
    """Refuse a file that is cut, points outside itself, or asks for too much; decodes no array."""
    if len(data) < _GLB_START.size:
        raise _refuse_glb(name, f"{len(data)} bytes")
    magic, version, total, size, kind = _GLB_START.unpack_from(data)
    if (magic, version, kind) != (_GLB_MAGIC, _GLB_VERSION, _GLB_JSON) or total != len(data):
        raise _refuse_glb(name, "no whole file of version 2")
    if size > min(MAX_TEXT_BYTES, len(data) - _GLB_START.size):
        raise _refuse_glb(name, f"a header of {size} bytes")
    try:
        header = json.loads(data[_GLB_START.size : _GLB_START.size + size])
        counts = [int(one["count"]) for one in header.get("accessors", ())]
        has_buffers = all("bufferView" in one for one in header.get("accessors", ()))
        outside = [one for one in header.get("buffers", ()) if "uri" in one]
        nodes = len(header.get("nodes", ()))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _refuse_glb(name, "a header that is no glTF") from error
    if outside or not has_buffers:
        raise _refuse_glb(name, "numbers that are not in the file itself")
    if min(counts, default=0) < 0 or max(counts, default=0) > 3 * MAX_FACES:
        raise _refuse_glb(name, f"an array of {max(counts)} rows")
    if sum(counts) > 3 * MAX_FACES + 4 * MAX_VERTICES or nodes > _MAX_NODES:
        raise _refuse_glb(name, f"{sum(counts)} rows and {nodes} nodes")


def _refuse_glb(name: str, found: str) -> InputError:
    return InputError(
        name, found=found, expected="a whole binary glTF 2.0 file with triangles",
        hint="Export it again, with its arrays inside, uncompressed.",
    )  # fmt: skip
