"""A scan's mesh as the shaders want it: centred, scaled to about one unit, face by face.

Done once a scan, in float64, so that float32 never meets a big coordinate: files may count in
centimetres and lie far from their origin.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int32, UInt8

from renderers.mesh_normals import vertex_normals
from schemas.errors import InputError
from schemas.scan import Mesh

TEXELS_A_FACE = 6

DEFAULT_COLOR = (204, 204, 204)
"""Of faces without texture, vertex colours and material. Source: schemas.scan.Material."""


@dataclass(frozen=True, slots=True)
class MeshBuffers:
    """What is uploaded for one mesh.

    local_to_mesh: local coordinates (within -1..1) to those of the file.
    positions: local. face_data: per face (corner 0, u0) (edge to 1, v0) (edge to 2, u1 - u0)
    (normal 0, v1 - v0) (normal 1, u2 - u0) (normal 2, v2 - v0).
    face_slots: which of `images` a face is painted with, len(images) for colours; None where
    all faces share slot 0. corner_colors: RGBA of every corner, None where nothing needs it.
    """

    local_to_mesh: Float64[np.ndarray, "4 4"]
    positions: Float32[np.ndarray, "V 3"]
    faces: Int32[np.ndarray, "F 3"]
    face_data: Float32[np.ndarray, "F 6 4"]
    face_slots: Int32[np.ndarray, " F"]
    corner_colors: UInt8[np.ndarray, "F 3 4"] | None
    images: tuple[UInt8[np.ndarray, "_ _ 3"], ...]


def pack_mesh(mesh: Mesh) -> MeshBuffers:
    """Pack a mesh; raise InputError where it has no faces, or numbers or indices that break GL."""
    _check_mesh(mesh)
    local_to_mesh = _local_frame(mesh.vertices)
    positions = (mesh.vertices - local_to_mesh[:3, 3]) / local_to_mesh[0, 0]
    images, slots = _assign_slots(mesh)
    data = np.zeros((len(mesh.faces), TEXELS_A_FACE, 4), np.float32)
    first = positions[mesh.faces[:, 0]]
    data[:, 0, :3] = first
    for corner in (1, 2):
        data[:, corner, :3] = positions[mesh.faces[:, corner]] - first
    data[:, 3:, :3] = vertex_normals(positions, mesh.faces)[mesh.faces]
    data[:, :, 3] = _corner_uv(mesh).reshape(-1, TEXELS_A_FACE)
    return MeshBuffers(
        local_to_mesh=local_to_mesh,
        positions=positions.astype(np.float32),
        faces=mesh.faces,
        face_data=data,
        face_slots=slots,
        corner_colors=_corner_colors(mesh) if (slots == len(images)).any() else None,
        images=images,
    )


def _check_mesh(mesh: Mesh) -> None:
    if len(mesh.faces) == 0:
        raise InputError(
            "mesh", found="no faces", expected="triangles", hint="Export it with its faces."
        )
    _check_indices("faces", mesh.faces, lowest=0, count=len(mesh.vertices))
    if mesh.uv is not None and mesh.uv_faces is not None:
        _check_indices("uv_faces", mesh.uv_faces, lowest=-1, count=len(mesh.uv))
    if mesh.face_material is not None:
        _check_indices("face_material", mesh.face_material, lowest=-1, count=len(mesh.materials))
    if not np.isfinite(mesh.vertices).all():
        where = int(np.flatnonzero(~np.isfinite(mesh.vertices).all(axis=1))[0])
        raise InputError(
            f"vertex {where}",
            found=f"{mesh.vertices[where].tolist()}",
            expected="finite coordinates",
            hint="Fix the file, or leave this scan out.",
        )


def _check_indices(
    name: str, indices: Int32[np.ndarray, "..."], *, lowest: int, count: int
) -> None:
    low, high = int(indices.min()), int(indices.max())
    if low < lowest or high >= count:
        raise InputError(
            f"mesh {name}",
            found=f"indices {low}..{high}",
            expected=f"{lowest}..{count - 1}",
            hint="The file names things it does not hold: export it again.",
        )


def _local_frame(vertices: Float64[np.ndarray, "V 3"]) -> Float64[np.ndarray, "4 4"]:
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    frame: Float64[np.ndarray, "4 4"] = np.diag([*[float((high - low).max()) / 2 or 1.0] * 3, 1.0])
    frame[:3, 3] = (low + high) / 2
    return frame


def _assign_slots(
    mesh: Mesh,
) -> tuple[tuple[UInt8[np.ndarray, "_ _ 3"], ...], Int32[np.ndarray, " F"]]:
    """Give each distinct texture a slot, and each face the slot that paints it."""
    images: list[UInt8[np.ndarray, "_ _ 3"]] = []
    slot_of_material = []
    for material in mesh.materials:
        known = [i for i, image in enumerate(images) if image is material.texture]
        if material.texture is not None and not known:
            images.append(material.texture)
            known = [len(images) - 1]
        slot_of_material.append(known[0] if known else -1)
    table = np.array([*slot_of_material, -1], np.int32)  # the last one serves material -1
    slots = table[_face_materials(mesh)]
    if mesh.uv is None or mesh.uv_faces is None:
        slots = np.full_like(slots, -1)
    else:
        slots = np.where(mesh.uv_faces.min(axis=1) < 0, np.int32(-1), slots)
    return tuple(images), np.where(slots < 0, len(images), slots).astype(np.int32)


def _face_materials(mesh: Mesh) -> Int32[np.ndarray, " F"]:
    """Return each face's material; a mesh that does not say uses its first one."""
    if mesh.face_material is not None:
        return mesh.face_material
    return np.full(len(mesh.faces), 0 if mesh.materials else -1, np.int32)


def _corner_uv(mesh: Mesh) -> Float[np.ndarray, "F 3 2"]:
    """Return u0 v0, then what leads to corners 1 and 2; whole turns of the texture taken off."""
    if mesh.uv is None or mesh.uv_faces is None or len(mesh.uv) == 0:
        return np.zeros((len(mesh.faces), 3, 2), np.float32)
    uv: Float[np.ndarray, "F 3 2"] = mesh.uv.astype(np.float64)[mesh.uv_faces]
    uv[:, 1:] -= uv[:, :1]
    uv[:, 0] -= np.floor(uv[:, 0])
    finite: Float[np.ndarray, "F 3 2"] = np.nan_to_num(uv, posinf=0, neginf=0)
    return finite


def _corner_colors(mesh: Mesh) -> UInt8[np.ndarray, "F 3 4"]:
    colors = np.full((len(mesh.faces), 3, 4), 255, np.uint8)
    if mesh.vertex_colors is not None:
        colors[..., :3] = mesh.vertex_colors[mesh.faces]
        return colors
    table = np.array([*(m.color for m in mesh.materials), DEFAULT_COLOR], np.uint8)
    colors[..., :3] = table[_face_materials(mesh)][:, None]
    return colors
