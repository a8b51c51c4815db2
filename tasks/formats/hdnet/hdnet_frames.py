"""The files of one frame or one pair of HDNet's published sets, written and read.

Normals are camera axes, 0 where there is none; depth is z in metres, 0 outside. Numbers of rows
and columns count from 1 in the text of a pair, rows of its limits from 0.
Source: docs/hdnet-dataset.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float64, Int, UInt8

from schemas.codecs import encode_mask, encode_png
from schemas.errors import InputError
from schemas.frames import PART_COUNT
from schemas.pairing import FRAME_SIDE_PX
from tasks.formats.hdnet.hdnet_layout import HdnetFolder
from tasks.video.images import IuvImage, read_color, read_iuv, read_mask
from tasks.video.match_rules import StoredMatches
from tasks.video.number_grids import format_grid, format_integers, read_grid, read_integers

WHITE = 255
DECIMALS = 6
"""Of the printed numbers."""

MATCH_COLUMNS, LIMIT_COLUMNS = 5, 3
_SIDE = FRAME_SIDE_PX


@dataclass(frozen=True, slots=True)
class PublishedFrame:
    """One frame as both sets hold it; None: without that file."""

    color: UInt8[np.ndarray, "256 256 3"]
    color_on_white: UInt8[np.ndarray, "256 256 3"]
    mask: Bool[np.ndarray, "256 256"]
    iuv: UInt8[np.ndarray, "256 256 3"] | None
    normals: Float[np.ndarray, "256 256 3"] | None
    depth_m: Float64[np.ndarray, "256 256"] | None = None


def write_frame(folder: HdnetFolder, number: int, frame: PublishedFrame) -> None:
    """Write all files of one frame."""
    images = {
        "color": encode_png(frame.color),
        "color_WO_bg": encode_png(frame.color_on_white),
        "mask": encode_mask(frame.mask),
    }
    if frame.iuv is not None:  # OpenCV takes the first channel for blue: blue, green, red = I, U, V
        images["densepose"] = cv2.imencode(".png", np.ascontiguousarray(frame.iuv))[1].tobytes()
    texts: dict[Path, str] = {}
    if frame.normals is not None:
        images[folder.kind.normals_image] = encode_png(image_of_normals(frame.normals))
        planes = np.moveaxis(round_unit(frame.normals), -1, 0)
        for path, plane in zip(folder.normals(number), planes, strict=True):
            texts[path] = format_grid(plane, folder.kind.separator)
    if frame.depth_m is not None:
        texts[folder.depth(number)] = format_grid(frame.depth_m, ",")
    write_files({folder.image(name, number): data for name, data in images.items()})
    write_files({path: text.encode() for path, text in texts.items()})


def write_pair(folder: HdnetFolder, frame_i: int, frame_j: int, matches: StoredMatches) -> None:
    """Write the correspondence file and the limit file of one pair."""
    rows = np.column_stack([matches.part, matches.pixels + 1])
    limits = np.column_stack([np.arange(1, PART_COUNT + 1), matches.limits])
    write_files({
        folder.matches(frame_i, frame_j): format_integers(rows.tolist()).encode(),
        folder.limits(frame_i, frame_j): format_integers(limits.tolist()).encode(),
    })  # fmt: skip


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write files below a folder that is not in place yet."""
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def round_unit(normals: Float[np.ndarray, "H W 3"]) -> Float64[np.ndarray, "H W 3"]:
    """Normalise to unit length and round to six decimals, so that no length exceeds 1; 0 stays 0.

    Half floats alone leave lengths of 0.9996 to 1.0004, and above 1 the published angle loss
    takes the arc cosine of more than 1. What rounding would make longer is cut towards zero.
    """
    exact = normals.astype(np.float64)
    lengths = np.linalg.norm(exact, axis=-1, keepdims=True)
    digits = np.divide(exact, lengths, out=np.zeros_like(exact), where=lengths > 0) * 10**DECIMALS
    nearest, cut = np.rint(digits).astype(np.int64), np.trunc(digits).astype(np.int64)
    is_longer = (nearest**2).sum(axis=-1, keepdims=True) > 10 ** (2 * DECIMALS)
    rounded: Float64[np.ndarray, "H W 3"] = np.where(is_longer, cut, nearest) / 10**DECIMALS
    return rounded


def image_of_normals(normals: Float[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """Paint normals: x, y, z from -1..1 to red, green, blue from 0..255; black where none."""
    levels = np.rint((np.clip(normals, -1, 1) + 1) * (WHITE / 2)).astype(np.uint8)
    return np.where(normals.any(axis=-1, keepdims=True), levels, np.uint8(0))


def lay_on_white(
    color: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the person on white."""
    return np.where(mask[..., None], color, np.uint8(WHITE))


def read_colors(folder: HdnetFolder, number: int, name: str) -> UInt8[np.ndarray, "256 256 3"]:
    """Read an RGB image; raises InputError when it is broken or has another size."""
    path = folder.image(name, number)
    return _require_side(path, read_color(path))


def read_person(folder: HdnetFolder, number: int) -> Bool[np.ndarray, "256 256"]:
    """Read the mask; raises InputError when it is broken or has another size."""
    path = folder.image("mask", number)
    return _require_side(path, read_mask(path))


def read_densepose(folder: HdnetFolder, number: int) -> IuvImage:
    """Read IUV in canonical order; raises InputError when it is broken or has another size."""
    path = folder.image("densepose", number)
    found = read_iuv(path)
    _require_side(path, found.iuv)
    return found


def read_normals(folder: HdnetFolder, number: int) -> Float64[np.ndarray, "256 256 3"]:
    """Read x, y, z as they are printed; raises InputError naming file and line."""
    paths = folder.normals(number)
    planes = [read_grid(path, folder.kind.separator, side=_SIDE) for path in paths]
    normals: Float64[np.ndarray, "256 256 3"] = np.stack(planes, axis=-1)
    return normals


def read_depth(folder: HdnetFolder, number: int) -> Float64[np.ndarray, "256 256"]:
    """Read z in metres; raises InputError naming file and line."""
    return read_grid(folder.depth(number), ",", side=_SIDE)


def read_pair_list(folder: HdnetFolder) -> Int[np.ndarray, "N C"]:
    """Read corr_mat.txt: a frame a row, then its neighbours."""
    return read_integers(folder.pair_list)


def read_pair(folder: HdnetFolder, frame_i: int, frame_j: int) -> StoredMatches:
    """Read the matches of one pair, counted from 0.

    Raises InputError naming the file when it holds no whole numbers, or not the 24 parts.
    """
    table = read_integers(folder.matches(frame_i, frame_j), columns=MATCH_COLUMNS)
    path = folder.limits(frame_i, frame_j)
    limits = read_integers(path, columns=LIMIT_COLUMNS)
    if limits[:, 0].tolist() != list(range(1, PART_COUNT + 1)):
        raise break_rule(path, f"{len(limits)} rows", "rows of parts 1 to 24")
    return StoredMatches(table[:, 0], table[:, 1:] - 1, limits[:, 1:])


def break_rule(path: Path, found: str, expected: str) -> InputError:
    """Make the error of a file that breaks a rule of the published reader."""
    return InputError(
        str(path), found=found, expected=expected,
        hint="Run `scanmill validate --layout hdnet` for all that is wrong in the folder.",
    )  # fmt: skip


def _require_side(path: Path, image: np.ndarray) -> np.ndarray:
    if image.shape[:2] != (_SIDE, _SIDE):
        found = f"{image.shape[1]} x {image.shape[0]} pixels"
        raise break_rule(path, found, f"{_SIDE} x {_SIDE} pixels")
    return image
