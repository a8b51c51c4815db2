"""Scans in the published layouts, small enough to draw in a blink: a textured box."""

import json
from pathlib import Path

import cv2
import numpy as np

CORNERS_CM = [(x, y, z) for x in (-20, 20) for y in (0, 170) for z in (-10, 10)]
QUADS = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
"""Corners of each side, counted from 1, seen from outside counter-clockwise."""

JOINT_COUNT = 133
BODY_CM = {
    5: (15, 140), 6: (-15, 140), 7: (17, 112), 8: (-17, 112), 9: (17, 88), 10: (-17, 88),
    11: (9, 90), 12: (-9, 90), 13: (9, 48), 14: (-9, 48), 15: (9, 8), 16: (-9, 8),
    17: (9, 3), 18: (12, 3), 19: (9, 4), 20: (-9, 3), 21: (-12, 3), 22: (-9, 4),
    **dict.fromkeys(range(91, 112), (17, 80)), **dict.fromkeys(range(112, 133), (-17, 80)),
}  # fmt: skip
"""x and height of COCO-WholeBody joints from the shoulders down; the others lie in the head."""


def write_scan(data_root: Path, item: str = "rp_box_posed_001", *, seed: int = 0) -> Path:
    """Write mesh, texture and joints of a box; returns the scan's folder."""
    folder = data_root / "obj/RP" / f"{item}_OBJ"
    (folder / "tex").mkdir(parents=True)
    write_box(folder / f"{item}_100k.obj")
    write_texture(folder / "tex" / f"{item}_dif_8k.jpg", seed)
    write_joints(data_root / "Joint3D/RP" / f"{item}.json")
    return folder


def write_thuman_scan(data_root: Path, item: str, *, seed: int = 0) -> Path:
    """Write mesh and texture of the box in THuman2.0's layout; returns the scan's folder."""
    folder = data_root / "obj/THuman2/data" / item
    folder.mkdir(parents=True)
    write_box(folder / f"{item}.obj")
    write_texture(folder / "material0.jpeg", seed)
    return folder


def write_box(path: Path) -> None:
    """Write the mesh of the box."""
    corners = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS_CM)
    texels = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    sides = "".join(
        "f " + " ".join(f"{corner}/{place}" for place, corner in enumerate(quad, start=1)) + "\n"
        for quad in QUADS
    )
    path.write_text(corners + texels + sides)


def write_texture(path: Path, seed: int) -> None:
    """Write an image of coarse random squares."""
    squares = np.random.default_rng(seed).integers(40, 220, (8, 8, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(squares, (64, 64), interpolation=cv2.INTER_NEAREST))


def write_joints(path: Path, *, seed: int = 1) -> None:
    """Write 133 joints of somebody who stands upright inside the box, one of them unseen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    positions = random.uniform((-3, 150, -3), (3, 165, 3), (JOINT_COUNT, 3))
    for joint, (x, height) in BODY_CM.items():
        positions[joint] = (x, height + random.uniform(-1, 1), random.uniform(-3, 3))
    visible = [1] * JOINT_COUNT
    visible[7] = 0
    path.write_text(json.dumps({"joint3d": positions.tolist(), "visible": visible}))
