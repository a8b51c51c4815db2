"""Scans of other sizes made from one in RenderPeople's layout: what benchmarks/render.py draws.

Larger meshes are written as 2K2K's present release has them, PLY with coloured vertices: triangles
are divided at the middles of their edges until there are as many as asked for.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import trimesh

from benchmarks.whole_scan import Work
from schemas.codecs import decode_image, encode_jpeg

MILLION = 1_000_000
JPEG_QUALITY = 90
TEXTURE_SIDES = (8192, 4096, 2048, 1024)
TRIANGLES = (100_000, 300_000, 600_000, MILLION)
"""Four textured scans and four coloured ones: eight of mixed size."""


def make_mixed(root: Path, work: Work) -> list[Work]:
    """Write eight scans of mixed size below a root, large and small in turn."""
    textured = [make_textured(root, work, side) for side in TEXTURE_SIDES]
    colored = [make_colored(root, work, triangles) for triangles in TRIANGLES[::-1]]
    return [one for pair in zip(textured, colored, strict=True) for one in pair]


def make_textured(root: Path, work: Work, side: int) -> Work:
    """Copy a scan with its texture scaled to a side, in pixels."""
    item = f"rp_side{side}_posed_001"
    old, new = (
        base / f"obj/RP/{name}_OBJ" for base, name in ((work.data, work.item), (root, item))
    )
    (new / "tex").mkdir(parents=True, exist_ok=True)
    for path in old.rglob("*.*"):
        target = new / str(path.relative_to(old)).replace(work.item, item)
        if path.suffix == ".mtl":
            target.write_text(path.read_text().replace(work.item, item))
        elif path.suffix == ".jpg":
            image = decode_image(path.read_bytes())
            scaled = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
            target.write_bytes(encode_jpeg(scaled, JPEG_QUALITY))
        else:
            shutil.copyfile(path, target)
    _copy_joints(root, work, f"RP/{item}")
    return replace(work, data=root, item=item)


def make_colored(root: Path, work: Work, triangles: int) -> Work:
    """Write a scan of so many triangles as PLY with coloured vertices."""
    item = f"{triangles:08d}"
    place = root / f"obj/2K2K/{item}/{item}.ply"
    place.parent.mkdir(parents=True, exist_ok=True)
    mesh: Any = trimesh.load(mesh_path(work), process=False, force="mesh")
    image = np.asarray(mesh.visual.material.image.convert("RGB"))
    height, width = image.shape[:2]
    columns, rows = (mesh.visual.uv * (1, -1) % 1 * (width, height)).astype(int).T
    vertices = np.hstack([mesh.vertices, image[rows % height, columns % width]])
    faces = mesh.faces
    divide: Any = trimesh.remesh.subdivide
    while len(faces) < triangles:
        chosen = np.arange(min(len(faces), (triangles - len(faces)) // 3 + 1))
        vertices, faces = divide(vertices, faces, face_index=chosen)
    colors = np.rint(vertices[:, 3:]).astype(np.uint8)
    made = trimesh.Trimesh(vertices[:, :3], faces, vertex_colors=colors, process=False)
    made.export(place)
    _copy_joints(root, work, f"2K2K/{item}")
    return replace(work, data=root, item=item, dataset="2K2K")


def mesh_path(work: Work) -> Path:
    """Return where a scan's mesh is."""
    if work.dataset == "2K2K":
        return work.data / f"obj/2K2K/{work.item}/{work.item}.ply"
    return work.data / f"obj/RP/{work.item}_OBJ/{work.item}_100k.obj"


def _copy_joints(root: Path, work: Work, name: str) -> None:
    found, target = work.data / f"Joint3D/RP/{work.item}.json", root / f"Joint3D/{name}.json"
    if found.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, target)
