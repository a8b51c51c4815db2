"""Small scans on disk, written without the code under test."""

import json
from pathlib import Path

import cv2
import numpy as np

TETRAHEDRON_VERTICES = ((0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
TETRAHEDRON_FACES = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))
TETRAHEDRON_UV = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


def tetrahedron_obj(*, head: str = "", material: str = "") -> str:
    """Write a tetrahedron as v/t; head stands first, material before the faces."""
    lines = [head] if head else []
    lines += [f"v {x} {y} {z}" for x, y, z in TETRAHEDRON_VERTICES]
    lines += [f"vt {u} {v}" for u, v in TETRAHEDRON_UV]
    lines += [material] if material else []
    lines += ["f " + " ".join(f"{k + 1}/{k + 1}" for k in face) for face in TETRAHEDRON_FACES]
    return "\n".join(lines) + "\n"


def plain_image(color: tuple[int, int, int], side: int = 8) -> np.ndarray:
    """Make a square RGB image of one colour."""
    return np.full((side, side, 3), color, np.uint8)


def encode_image(image_rgb: np.ndarray, ending: str) -> bytes:
    """Encode RGB as .jpg or .png."""
    return cv2.imencode(ending, cv2.cvtColor(image_rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def write(path: Path, content: str | bytes) -> Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def write_rp_scan(
    root: Path, item: str = "rp_ada_posed_001", *, obj: str | None = None, joints: bool = True
) -> Path:
    """Write a scan in RenderPeople's layout; returns its folder."""
    folder = root / f"obj/RP/{item}_OBJ"
    write(folder / f"{item}_100k.obj", tetrahedron_obj() if obj is None else obj)
    image = encode_image(plain_image((200, 100, 50)), ".jpg")
    write(folder / f"tex/{item}_dif_8k.jpg", image)
    if joints:
        write(root / f"Joint3D/RP/{item}.json", joints_json())
    return folder


def joints_json(count: int = 133) -> str:
    """Write an annotation: joint k stands at (k, 0, 0); the even ones are visible."""
    rows = [[float(k), 0.0, 0.0] for k in range(count)]
    return json.dumps({"joint3d": rows, "visible": [(k + 1) % 2 for k in range(count)]})
