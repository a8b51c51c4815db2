"""What must hold within one stored row of `frames`; every breach names what was met."""

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
from jaxtyping import UInt8

from schemas.camera import camera_hdnet
from schemas.codecs import decode_front_normals, decode_image, decode_mask
from schemas.errors import InputError, ScanmillError
from schemas.frames import PART_COUNT, frame_id
from schemas.pairing import FRAME_SIDE_PX
from schemas.scan import VideoRef
from schemas.size_limits import PNG_START
from tasks.checks.findings import Breach

Row = Mapping[str, object]
LENGTH_TOLERANCE = 0.05
CAMERA_TOLERANCE = 1e-9
_SHAPE = (FRAME_SIDE_PX, FRAME_SIDE_PX)
_IMAGES = ("color", "mask", "iuv")


def check_frame(row: Row, ref: VideoRef) -> tuple[Breach, ...]:
    """Check one stored frame; a check that can't be made is a breach too."""
    try:
        return (*_check_names(row, ref), *_check_images(row), *_check_normals(row))
    except ScanmillError as error:
        return (Breach(error.thing, error.found, error.expected),)
    except (ValueError, TypeError, KeyError) as error:
        return (Breach("frame", str(error), "values that can be checked"),)


def decode_iuv(row: Row) -> UInt8[np.ndarray, "H W 3"]:
    """Decode the canonical IUV image of a row."""
    return decode_image(_encoded(row, "iuv"))


def _check_names(row: Row, ref: VideoRef) -> Iterator[Breach]:
    expected = frame_id(str(row["video"]), cast("int", row["frame"]))
    if row["frame_id"] != expected:
        yield Breach("frame_id", str(row["frame_id"]), expected)
    if (row["video"], row["split"]) != (ref.video, ref.split):
        yield Breach("video, split", f"{row['video']}, {row['split']}", f"{ref.video}, {ref.split}")
    K = np.asarray(row["intrinsics"], np.float64).reshape(3, 3)
    if not np.allclose(K, camera_hdnet(np.eye(4)).K, rtol=CAMERA_TOLERANCE, atol=CAMERA_TOLERANCE):
        yield Breach("intrinsics", str(K.ravel().tolist()), "those of HDNet's camera")
    _, _, width, height = (float(value) for value in cast("list[float]", row["crop"]))
    if not (np.isfinite(cast("list[float]", row["crop"])).all() and width > 0 and height > 0):
        yield Breach("crop", str(row["crop"]), "left, top, and a size above 0")


def _check_images(row: Row) -> Iterator[Breach]:
    for name in _IMAGES:
        data = _encoded(row, name)
        shape = decode_image(data).shape[:2]
        if shape != _SHAPE or not data.startswith(PNG_START):
            yield Breach(name, f"{shape[1]} x {shape[0]}, {data[:4]!r}", "a PNG of 256 x 256")
    levels = np.unique(decode_image(_encoded(row, "mask")))
    if not np.isin(levels, (0, 255)).all() or not decode_mask(_encoded(row, "mask")).any():
        yield Breach("mask", f"levels {levels[:8].tolist()}", "0 and 255, with a person")
    iuv = decode_iuv(row)
    if iuv[..., 0].max() > PART_COUNT or iuv[iuv[..., 0] == 0].any():
        found = f"part {iuv[..., 0].max()}, or U and V outside"
        yield Breach("iuv", found, "parts 0 to 24 in the first channel, 0 outside")


def _check_normals(row: Row) -> Iterator[Breach]:
    if row["pred_normals"] is None:
        return
    normals = decode_front_normals(cast("bytes", row["pred_normals"]))
    lengths = np.linalg.norm(normals[normals.any(axis=-1)], axis=-1)
    off = float(np.abs(lengths - 1).max()) if lengths.size else 0.0
    if normals.shape[:2] != _SHAPE or not off <= LENGTH_TOLERANCE:
        found = f"{normals.shape[1]} x {normals.shape[0]}, length off by {off:.3f}"
        yield Breach("pred_normals", found, "unit length on 256 x 256, 0 outside")


def _encoded(row: Row, column: str) -> bytes:
    cell = row[column]
    data = cell["bytes"] if isinstance(cell, dict) else None
    if data is None:
        raise InputError(
            column, found="null", expected="an image", hint="Run `scanmill rerun` on the data set."
        )
    return cast("bytes", data)
