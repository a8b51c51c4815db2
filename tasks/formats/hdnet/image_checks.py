"""Images and predicted normals of one frame in a published folder: there, and well-formed."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from schemas.errors import ScanmillError
from schemas.pairing import FRAME_SIDE_PX
from tasks.checks.findings import Breach
from tasks.formats.hdnet.hdnet_layout import IMAGE_FOLDERS, HdnetFolder
from tasks.video.images import read_color, read_iuv, read_mask
from tasks.video.number_grids import read_grid

LENGTH_TOLERANCE = 0.02
"""Of a unit normal printed with at least two decimals."""

_FRAME = re.compile(r"^[0-9]{7}\.png$")
_WANTED_SIZE = f"{FRAME_SIDE_PX} x {FRAME_SIDE_PX} pixels"
_SHAPE = (FRAME_SIDE_PX, FRAME_SIDE_PX)


def list_numbers(folder: HdnetFolder) -> tuple[int, ...]:
    """List the frames of a set: what any of its image folders has seven digits for."""
    stems = {
        path.stem
        for name in IMAGE_FOLDERS
        for path in (folder.root / name).glob("*.png")
        if _FRAME.match(path.name)
    }
    return tuple(sorted(int(stem) for stem in stems))


def check_video_frame(folder: HdnetFolder, number: int) -> Iterator[Breach]:
    """Check the images of one frame of the TikTok set, and its predicted normals if any."""
    yield from check_images(folder, number)
    if (folder.root / "pred_normals").is_dir():
        paths = folder.normals("pred_normals", number)
        try:
            planes = [read_grid(path, " ", side=FRAME_SIDE_PX) for path in paths]
        except ScanmillError as error:
            yield _from_error(error)
        else:
            yield from check_unit_length(np.stack(planes, axis=-1).reshape(-1, 3))
    if (folder.root / "pred_normals_png").is_dir():
        yield from check_size(folder.image("pred_normals_png", number))


def check_images(folder: HdnetFolder, number: int) -> Iterator[Breach]:
    """Check what both sets have: colour, colour on white, mask, DensePose where there is any."""
    for name in ("color", "color_WO_bg"):
        yield from check_size(folder.image(name, number))
    try:
        mask = read_mask(folder.image("mask", number))
        if mask.shape != _SHAPE or not mask.any():
            found = f"{mask.shape[1]} x {mask.shape[0]}, {int(mask.sum())} inside"
            yield Breach("mask", found, f"{_WANTED_SIZE} with a person above level 100")
        if (folder.root / "densepose").is_dir():
            yield from _check_densepose(folder.image("densepose", number))
    except ScanmillError as error:
        yield _from_error(error)


def check_unit_length(normals: Float64[np.ndarray, "N 3"]) -> Iterator[Breach]:
    """Check that normals have unit length, or are 0."""
    lengths = np.linalg.norm(normals, axis=-1)
    off = np.abs(lengths[lengths > 0] - 1)
    if off.size and off.max() > LENGTH_TOLERANCE:
        found = f"{int((off > LENGTH_TOLERANCE).sum())} lengths off by up to {off.max():.3f}"
        yield Breach("normals", found, "unit length, or 0 outside")


def check_size(path: Path) -> Iterator[Breach]:
    """Check that an image can be read and has the one size."""
    try:
        image = read_color(path)
    except ScanmillError as error:
        yield _from_error(error)
        return
    if image.shape[:2] != _SHAPE:
        found = f"{image.shape[1]} x {image.shape[0]} pixels"
        yield Breach(path.parent.name, found, _WANTED_SIZE)


def _check_densepose(path: Path) -> Iterator[Breach]:
    found = read_iuv(path)
    if found.iuv.shape[:2] != _SHAPE:
        size = f"{found.iuv.shape[1]} x {found.iuv.shape[0]} pixels"
        yield Breach("densepose", size, _WANTED_SIZE)
    if found.order != "VUI":
        expected = "blue, green, red = I, U, V, as the published reader takes them"
        yield Breach("densepose", "red, green, blue = I, U, V", expected)


def _from_error(error: ScanmillError) -> Breach:
    path = Path(error.thing)
    return Breach(f"{path.parent.name}/{path.name}", error.found, error.expected)
