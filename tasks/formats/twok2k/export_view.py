"""One stored sample as the files of the published 2K2K layout.

Images that are stored as 8-bit RGB PNG already are copied byte for byte.
"""

import io
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import cast

import numpy as np
from jaxtyping import Float64, UInt8

from renderers.projected_joints import draw_overlay
from schemas.atomic_files import write_atomically
from schemas.codecs import encode_png
from schemas.scan import DatasetName
from schemas.views import View
from tasks.dataset.stored_sample import StoredSample
from tasks.formats.twok2k.depth16 import encode_depth16, encode_png16
from tasks.formats.twok2k.part_transforms import find_singular_parts
from tasks.formats.twok2k.twok2k_layout import SIDES, ViewFiles, check_item

_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_DEPTH_AND_COLOR = slice(24, 26)
_EIGHT_BIT_RGB = b"\x08\x02"
"""Bit depth 8, colour type 2. Source: PNG, 3rd ed., 11.2.1."""


@dataclass(frozen=True, slots=True)
class ExportedView:
    """What one sample became.

    line: its line of the lists, empty for orthographic views. unlisted_because: why it is in no
    list all the same, empty: it is listed.
    """

    sample_id: str
    dataset: DatasetName
    split: str
    line: str
    unlisted_because: str = ""


def export_view(sample: StoredSample, root: Path) -> ExportedView:
    """Write all files of one view below root.

    Raises InputError when its depth or its name can't be stored.
    """
    files = _name_files(sample)
    contents: dict[PurePosixPath, bytes] = {
        files.color("front"): _image(sample, "color_front"),
        files.color("back"): _image(sample, "color_back"),
        files.shaded: _image(sample, "shaded"),
    }
    for side, depth in zip(SIDES, sample.depth, strict=True):
        stored = encode_depth16(depth, sample.camera, is_front=side == "front")
        contents[files.depth(side)] = encode_png16(stored)
    unlisted_because = ""
    if files.branch == "PERS":
        contents[files.keypoints] = _npy(sample.keypoints)
        contents[files.overlay] = encode_png(_draw_joints(sample))
        unlisted_because = explain_unlisted(sample.keypoints, sample.camera.width)
    for name, data in contents.items():
        write_atomically(root / name, data)
    return ExportedView(
        sample.sample_id, files.dataset, str(sample.row["split"]), files.list_line,
        unlisted_because,
    )  # fmt: skip


def explain_unlisted(keypoints_px: Float64[np.ndarray, "31 3"], resolution: int) -> str:
    """Say why the published loader can't read a view of these joints; empty: it can."""
    if not keypoints_px.any():
        return "no joints: the published loader can't invert its part transforms"
    parts = find_singular_parts(keypoints_px, resolution)
    return f"no joints to align {', '.join(parts)}: a singular matrix" if parts else ""


def _name_files(sample: StoredSample) -> ViewFiles:
    item = str(sample.row["item"])
    check_item(item)
    dataset = cast("DatasetName", sample.row["dataset"])
    view = sample.view or View(
        float(cast("float", sample.row["yaw"])),
        float(cast("float", sample.row["pitch"])),
        sample.camera.name,
    )
    return ViewFiles(dataset, item, view)


def _image(sample: StoredSample, column: str) -> bytes:
    data = sample.encoded(column)
    if data.startswith(_PNG_START) and data[_PNG_DEPTH_AND_COLOR] == _EIGHT_BIT_RGB:
        return data
    return encode_png(sample.image(column))


def _draw_joints(sample: StoredSample) -> UInt8[np.ndarray, "H W 3"]:
    occluded = sample.numbers("keypoint_occluded").astype(np.uint8)
    return draw_overlay(sample.image("shaded"), sample.keypoints.astype(np.float32), occluded)


def _npy(keypoints: Float64[np.ndarray, "31 3"]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(keypoints, np.float64), allow_pickle=False)
    return buffer.getvalue()
