"""Pictures and predicted normals of one frame in a published folder: there, and well-formed."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from schemas.errors import ScanmillError
from schemas.pairing import FRAME_SIDE_PX
from tasks.checks.sample_checks import Breach
from tasks.hdnet.layout import PICTURE_FOLDERS, HdnetFolder
from tasks.hdnet.text import read_grid
from tasks.video.pictures import read_color, read_iuv, read_mask

LENGTH_TOLERANCE = 0.02
"""Of a unit normal printed with at least two decimals."""

_FRAME = re.compile(r"^[0-9]{7}\.png$")
_WANTED_SIZE = f"{FRAME_SIDE_PX} x {FRAME_SIDE_PX} pixels"
_SHAPE = (FRAME_SIDE_PX, FRAME_SIDE_PX)


def list_numbers(folder: HdnetFolder) -> tuple[int, ...]:
    """List the frames of a set: what any of its picture folders has seven digits for."""
    stems = {
        path.stem
        for name in PICTURE_FOLDERS
        for path in (folder.root / name).glob("*.png")
        if _FRAME.match(path.name)
    }
    return tuple(sorted(int(stem) for stem in stems))


def check_video_frame(folder: HdnetFolder, number: int) -> Iterator[Breach]:
    """Check the pictures of one frame of the TikTok set, and its predicted normals if any."""
    yield from check_pictures(folder, number)
    if (folder.root / "pred_normals").is_dir():
        paths = folder.normals("pred_normals", number)
        try:
            planes = [read_grid(path, " ", side=FRAME_SIDE_PX) for path in paths]
        except ScanmillError as error:
            yield _from_error(error)
        else:
            yield from check_unit_length(np.stack(planes, axis=-1).reshape(-1, 3))
    if (folder.root / "pred_normals_png").is_dir():
        yield from check_size(folder.picture("pred_normals_png", number))


def check_pictures(folder: HdnetFolder, number: int) -> Iterator[Breach]:
    """Check what both sets have: colour, colour on white, mask, DensePose where there is any."""
    for name in ("color", "color_WO_bg"):
        yield from check_size(folder.picture(name, number))
    try:
        mask = read_mask(folder.picture("mask", number))
        if mask.shape != _SHAPE or not mask.any():
            met = f"{mask.shape[1]} x {mask.shape[0]}, {int(mask.sum())} inside"
            yield Breach("mask", met, f"{_WANTED_SIZE} with a person above level 100")
        if (folder.root / "densepose").is_dir():
            yield from _check_densepose(folder.picture("densepose", number))
    except ScanmillError as error:
        yield _from_error(error)


def check_unit_length(normals: Float64[np.ndarray, "N 3"]) -> Iterator[Breach]:
    """Check that normals have unit length, or are 0."""
    lengths = np.linalg.norm(normals, axis=-1)
    off = np.abs(lengths[lengths > 0] - 1)
    if off.size and off.max() > LENGTH_TOLERANCE:
        met = f"{int((off > LENGTH_TOLERANCE).sum())} lengths off by up to {off.max():.3f}"
        yield Breach("normals", met, "unit length, or 0 outside")


def check_size(path: Path) -> Iterator[Breach]:
    """Check that a picture can be read and has the one size."""
    try:
        picture = read_color(path)
    except ScanmillError as error:
        yield _from_error(error)
        return
    if picture.shape[:2] != _SHAPE:
        met = f"{picture.shape[1]} x {picture.shape[0]} pixels"
        yield Breach(path.parent.name, met, _WANTED_SIZE)


def _check_densepose(path: Path) -> Iterator[Breach]:
    found = read_iuv(path)
    if found.iuv.shape[:2] != _SHAPE:
        met = f"{found.iuv.shape[1]} x {found.iuv.shape[0]} pixels"
        yield Breach("densepose", met, _WANTED_SIZE)
    if found.order != "VUI":
        wanted = "blue, green, red = I, U, V, as the published reader takes them"
        yield Breach("densepose", "red, green, blue = I, U, V", wanted)


def _from_error(error: ScanmillError) -> Breach:
    path = Path(error.thing)
    return Breach(f"{path.parent.name}/{path.name}", error.met, error.wanted)
