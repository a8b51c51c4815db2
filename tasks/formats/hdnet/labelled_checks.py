"""What must hold of one frame of the labelled set.

Source: docs/hdnet-dataset.md, "Labelled set".
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from schemas.errors import ScanmillError
from schemas.pairing import FRAME_SIDE_PX
from tasks.checks.findings import Breach
from tasks.formats.hdnet.hdnet_layout import HdnetFolder
from tasks.formats.hdnet.image_checks import check_images, check_size, check_unit_length
from tasks.formats.hdnet.labelled_sample import FARTHEST_M, NEAREST_M
from tasks.video.images import read_mask
from tasks.video.number_grids import read_grid

MAX_LOST = 0.05
"""Share of the person that may lack depth or normals: borders of masks differ by a pixel."""

FACING_SHARE = 0.9
"""Share of the normals that have n_z < 0. The camera is off axis: a few at the rim may not."""


def check_labelled_frame(folder: HdnetFolder, number: int) -> Iterator[Breach]:
    """Check images, depth and normals of one frame."""
    yield from check_images(folder, number)
    yield from check_size(folder.image("normal_png", number))
    try:
        mask = read_mask(folder.image("mask", number))
        depth = read_grid(folder.depth(number), ",", side=FRAME_SIDE_PX)
        paths = folder.normals("normal", number)
        planes = [read_grid(path, ",", side=FRAME_SIDE_PX) for path in paths]
    except ScanmillError as error:
        yield Breach(Path(error.thing).name, error.found, error.expected)
        return
    if mask.shape == depth.shape and mask.any():
        yield from _check_depth(depth[mask])
        yield from _check_normals(np.stack(planes, axis=-1)[mask])


def _check_depth(depth_m: Float64[np.ndarray, " N"]) -> Iterator[Breach]:
    used = (depth_m >= NEAREST_M) & (depth_m <= FARTHEST_M)
    lost = 1 - float(used.mean())
    if lost > MAX_LOST:
        yield Breach(
            "depth",
            f"{lost:.0%} of the person outside: {depth_m.min():.3g} to {depth_m.max():.3g}",
            f"z in metres, {NEAREST_M:g} to {FARTHEST_M:g}: else it is not used",
        )  # fmt: skip


def _check_normals(normals: Float64[np.ndarray, "N 3"]) -> Iterator[Breach]:
    yield from check_unit_length(normals)
    given: Bool[np.ndarray, " N"] = np.any(normals, axis=-1)
    if 1 - float(given.mean()) > MAX_LOST:
        yield Breach("normals", f"none for {1 - given.mean():.0%} of the person", "a normal each")
    elif (facing := float((normals[given, 2] < 0).mean())) < FACING_SHARE:
        yield Breach("normals", f"n_z < 0 for {facing:.0%} only", "n_z < 0 towards the camera")
