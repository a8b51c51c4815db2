"""What a mesh file holds before its textures are read, and the checks every mesh must pass."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt8

from schemas.errors import InputError
from schemas.scan import FACES_AT_ONCE

MAX_COORDINATE = 1e9
"""Scans are at most hundreds of units tall; beyond this, areas lose their digits."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """A triangle mesh as its file describes it.

    Arrays as in schemas.scan.Mesh. materials: names in order of first use; face_material indexes
    them, -1 for none. libraries: names of the material files it asks for, as written.
    """

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    uv: Float32[np.ndarray, "T 2"] | None = None
    uv_faces: Int32[np.ndarray, "F 3"] | None = None
    face_material: Int32[np.ndarray, " F"] | None = None
    vertex_colors: UInt8[np.ndarray, "V 3"] | None = None
    materials: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def check_geometry(name: str, geometry: Geometry) -> Geometry:
    """Return the geometry without faces that cover nothing, with a warning for what was dropped.

    Raises InputError for coordinates that are not finite or absurd, and when no face is left.
    """
    check_coordinates(name, geometry.vertices)
    keep = _area_is_positive(geometry.vertices, geometry.faces)
    if not keep.any():
        raise InputError(
            name,
            found=f"{len(keep)} faces, none of them covering any area",
            expected="a mesh with faces",
            hint="Export the scan again, with its faces.",
        )
    dropped = int((~keep).sum())
    if not dropped:
        return geometry
    warning = f"{dropped} faces without area were dropped"
    return replace(_keep_faces(geometry, keep), warnings=(*geometry.warnings, warning))


def check_coordinates(name: str, vertices: Float64[np.ndarray, "V 3"]) -> None:
    """Raise InputError for the first vertex that is not finite or absurdly far away."""
    good = (np.abs(vertices) <= MAX_COORDINATE).all(axis=1)
    if not good.all():
        bad = int(np.flatnonzero(~good)[0])
        raise InputError(
            name,
            found=f"vertex {bad} (counted from 0) at {vertices[bad].tolist()}",
            expected=f"finite coordinates up to {MAX_COORDINATE:g}",
            hint="Export the scan again, or fix that vertex.",
        )


def check_indices(name: str, indices: Int64[np.ndarray, " N"], count: int, what: str) -> None:
    """Raise InputError when an index points outside what the file defines (0 to count - 1)."""
    if indices.size and (indices.min() < 0 or indices.max() >= count):
        bad = indices[(indices < 0) | (indices >= count)][0]
        raise InputError(
            name,
            found=f"a face uses {what} {bad}, counted from 0",
            expected=f"indices below {count}",
            hint="Fetch or export the scan again: the file may be cut.",
        )


def to_color_bytes(colors: Float64[np.ndarray, "N 3"]) -> UInt8[np.ndarray, "N 3"]:
    """Turn colours written as 0..1 or as 0..255 into bytes; beyond either, they are clipped."""
    scale = 255.0 if colors.size and colors.max() <= 1.0 else 1.0
    rounded: UInt8[np.ndarray, "N 3"] = np.clip(np.rint(colors * scale), 0, 255).astype(np.uint8)
    return rounded


def _area_is_positive(
    vertices: Float64[np.ndarray, "V 3"], faces: Int32[np.ndarray, "F 3"]
) -> Bool[np.ndarray, " F"]:
    positive: Bool[np.ndarray, " F"] = np.empty(len(faces), bool)
    for begin in range(0, len(faces), FACES_AT_ONCE):
        some = np.s_[begin : begin + FACES_AT_ONCE]
        a, b, c = (vertices[faces[some, k]] for k in range(3))
        positive[some] = np.abs(np.cross(b - a, c - a)).sum(axis=1) > 0
    return positive


def _keep_faces(geometry: Geometry, keep: Bool[np.ndarray, " F"]) -> Geometry:
    uv_faces, face_material = geometry.uv_faces, geometry.face_material
    return replace(
        geometry,
        faces=geometry.faces[keep],
        uv_faces=None if uv_faces is None else uv_faces[keep],
        face_material=None if face_material is None else face_material[keep],
    )
