"""Scans of THuman2.0's layout: a textured box with, or without, a fit."""

from pathlib import Path

import numpy as np

from schemas.scan import ScanRef
from tests.tasks.fits.fit_pickles import fit_arrays, write_release_a
from tests.tasks.scan_folders import QUADS, write_texture

HALF_SIZE = (0.12, 0.45, 0.06)
"""Of the box, file units: wide, high, deep."""


def thuman_ref(item: str = "0001") -> ScanRef:
    """Name a scan of THuman2.0."""
    return ScanRef(dataset="THuman2", item=item, subject=item, split="train")


def write_thuman_scan(
    data_root: Path,
    item: str = "0001",
    *,
    yaw_deg: float | None = None,
    scale: float = 0.45,
) -> Path:
    """Write a box whose person faces the given yaw, and its fit; None: a box without fit."""
    folder = data_root / "obj/THuman2/data" / item
    folder.mkdir(parents=True)
    turn = np.radians(yaw_deg or 0.0)
    matrix = np.array(
        [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    )
    signs = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
    corners = np.array(signs) * HALF_SIZE @ matrix.T
    lines = [f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in corners]
    lines += ["vt 0 0", "vt 1 0", "vt 1 1", "vt 0 1"]
    lines += ["f " + " ".join(f"{c}/{k}" for k, c in enumerate(quad, start=1)) for quad in QUADS]
    (folder / f"{item}.obj").write_text("\n".join(lines) + "\n")
    write_texture(folder / "material0.jpeg", seed=3)
    if yaw_deg is not None:
        arrays = fit_arrays(global_orient=(0.0, float(turn), 0.0))
        arrays |= {"scale": np.array([scale]), "translation": np.zeros(3)}
        write_release_a(data_root / "obj/THuman2/smplx" / item / "smplx_param.pkl", arrays)
    return folder
