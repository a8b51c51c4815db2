"""Clouds and meshes as bytes: PLY, OBJ, GLB, each with a colour a vertex.

Source: the PLY format (Turk, 1994); Wavefront OBJ with the common colours behind the coordinates;
glTF 2.0, "GLB File Format Specification".
"""

import json
import struct

import numpy as np
from jaxtyping import Float, UInt8, UInt16

from tasks.reconstruction.clouds import Cloud
from tasks.reconstruction.sheets import ColoredMesh

WHITE, MAX_SHORT = 255, 65535
_POINT = np.dtype([("place", "<f4", 3), ("color", "u1", 3)])
_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])
_FLOAT, _UINT, _USHORT = 5126, 5125, 5123
_VERTICES, _INDICES = 34962, 34963
"""Component types and buffer targets of glTF."""

GAMMA = 2.4


def format_cloud(cloud: Cloud) -> bytes:
    """Return a binary PLY of points."""
    return _ply_head(len(cloud.points), 0) + _points(cloud.points, cloud.colors).tobytes()


def format_ply(mesh: ColoredMesh) -> bytes:
    """Return a binary PLY of a mesh."""
    faces = np.zeros(len(mesh.faces), _FACE)
    faces["count"], faces["corners"] = 3, mesh.faces
    points = _points(mesh.vertices, mesh.colors)
    return _ply_head(len(points), len(faces)) + points.tobytes() + faces.tobytes()


def format_obj(mesh: ColoredMesh) -> bytes:
    """Return an OBJ whose vertices carry colours in 0..1 behind their coordinates."""
    rows = np.column_stack([mesh.vertices, mesh.colors / WHITE]).tolist()
    vertex, face = "v {:.6f} {:.6f} {:.6f} {:.4f} {:.4f} {:.4f}".format, "f {} {} {}".format
    vertices = "\n".join(vertex(*row) for row in rows)
    faces = "\n".join(face(*row) for row in (mesh.faces + 1).tolist())
    return f"# scanmill; y up, z towards the viewer\n{vertices}\n{faces}\n".encode()


def format_glb(mesh: ColoredMesh) -> bytes:
    """Return a binary glTF; its colours are linear, as glTF asks, and its faces two-sided."""
    parts = (
        (mesh.vertices.astype("<f4"), _VERTICES), (_linear(mesh.colors), _VERTICES),
        (mesh.faces.astype("<u4"), _INDICES),
    )  # fmt: skip
    views, body = [], b""
    for array, target in parts:
        data = array.tobytes()
        view = {"buffer": 0, "byteOffset": len(body), "byteLength": len(data), "target": target}
        views.append(view)
        body += data + b"\0" * (-len(data) % 4)
    bounds = (mesh.vertices.min(axis=0), mesh.vertices.max(axis=0))
    low, high = (bound.astype("<f4").tolist() for bound in bounds)
    document = {
        "asset": {"version": "2.0", "generator": "scanmill"},
        "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0, "name": "person"}],
        "meshes": [{"primitives": [{
            "attributes": {"POSITION": 0, "COLOR_0": 1}, "indices": 2, "material": 0,
        }]}],
        "materials": [{
            "doubleSided": True,
            "pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 1},
        }],
        "buffers": [{"byteLength": len(body)}], "bufferViews": views,
        "accessors": [
            {"bufferView": 0, "componentType": _FLOAT, "count": len(mesh.vertices), "type": "VEC3",
             "min": low, "max": high},
            {"bufferView": 1, "componentType": _USHORT, "normalized": True,
             "count": len(mesh.vertices), "type": "VEC4"},
            {"bufferView": 2, "componentType": _UINT, "count": mesh.faces.size, "type": "SCALAR"},
        ],
    }  # fmt: skip
    return _glb(json.dumps(document, separators=(",", ":")).encode(), body)


def _glb(document: bytes, body: bytes) -> bytes:
    document += b" " * (-len(document) % 4)
    total = 12 + 8 + len(document) + 8 + len(body)
    head = struct.pack("<4sII", b"glTF", 2, total)
    return head + _chunk(b"JSON", document) + _chunk(b"BIN\0", body)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("<I4s", len(data), kind) + data


def _linear(colors: UInt8[np.ndarray, "V 3"]) -> UInt16[np.ndarray, "V 4"]:
    """Return linear colours and opacity, of 16 bits: 8 would show steps in the dark."""
    share = np.arange(WHITE + 1) / WHITE
    table = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** GAMMA)  # noqa: PLR2004 - of sRGB, IEC 61966-2-1
    linear = np.rint(table * MAX_SHORT).astype("<u2")[colors]
    return np.column_stack([linear, np.full(len(colors), MAX_SHORT, "<u2")])


def _points(points: Float[np.ndarray, "N 3"], colors: UInt8[np.ndarray, "N 3"]) -> np.ndarray:
    rows = np.zeros(len(points), _POINT)
    rows["place"], rows["color"] = points, colors
    return rows


def _ply_head(vertices: int, faces: int) -> bytes:
    lines = [
        "ply", "format binary_little_endian 1.0", "comment scanmill; y up, z towards the viewer",
        f"element vertex {vertices}", *(f"property float {axis}" for axis in "xyz"),
        *(f"property uchar {channel}" for channel in ("red", "green", "blue")),
    ]  # fmt: skip
    if faces:
        lines += [f"element face {faces}", "property list uchar int vertex_indices"]
    return "\n".join([*lines, "end_header\n"]).encode()
