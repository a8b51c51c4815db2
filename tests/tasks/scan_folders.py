"""Scans of RenderPeople's layout, small enough to draw in a blink: a textured box."""

import json
from pathlib import Path

import cv2
import numpy as np

CORNERS_CM = [(x, y, z) for x in (-20, 20) for y in (0, 170) for z in (-10, 10)]
QUADS = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
"""Corners of each side, counted from 1, seen from outside counter-clockwise."""

JOINT_COUNT = 133


def write_scan(data_root: Path, item: str = "rp_box_posed_001", *, seed: int = 0) -> Path:
    """Write mesh, texture and joints of a box; returns the scan's folder."""
    folder = data_root / "obj/RP" / f"{item}_OBJ"
    (folder / "tex").mkdir(parents=True)
    corners = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS_CM)
    texels = "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    sides = "".join(
        "f " + " ".join(f"{corner}/{place}" for place, corner in enumerate(quad, start=1)) + "\n"
        for quad in QUADS
    )
    (folder / f"{item}_100k.obj").write_text(corners + texels + sides)
    write_texture(folder / "tex" / f"{item}_dif_8k.jpg", seed)
    write_joints(data_root / "Joint3D/RP" / f"{item}.json")
    return folder


def write_texture(path: Path, seed: int) -> None:
    """Write a picture of coarse random squares."""
    squares = np.random.default_rng(seed).integers(40, 220, (8, 8, 3)).astype(np.uint8)
    cv2.imwrite(str(path), cv2.resize(squares, (64, 64), interpolation=cv2.INTER_NEAREST))


def write_joints(path: Path, *, seed: int = 1) -> None:
    """Write 133 joints inside the box, one of them unseen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    positions = np.random.default_rng(seed).uniform((-19, 1, -9), (19, 169, 9), (JOINT_COUNT, 3))
    visible = [1] * JOINT_COUNT
    visible[7] = 0
    path.write_text(json.dumps({"joint3d": positions.tolist(), "visible": visible}))
