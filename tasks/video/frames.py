"""One frame: its images in, cropped and canonical, and out as a row of `frames`."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.camera import camera_hdnet
from schemas.codecs import encode_front_normals, encode_mask, encode_png
from schemas.errors import InputError
from schemas.frames import frame_id
from schemas.pairing import FRAME_SIDE_PX
from schemas.scan import VideoRef
from tasks.video.cropping import Crop, crop_color, crop_iuv, crop_mask
from tasks.video.images import read_color, read_iuv, read_mask
from tasks.video.number_grids import read_grid
from tasks.video.sequences import FrameFiles

LENGTH_TOLERANCE = 0.05
"""Of a predicted normal; networks and printed decimals round, other quantities are far off."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, 256 x 256, IUV canonical. pred_normals: camera axes, 0 outside, None unknown."""

    number: int
    color: UInt8[np.ndarray, "256 256 3"]
    mask: Bool[np.ndarray, "256 256"]
    iuv: UInt8[np.ndarray, "256 256 3"]
    crop: Crop
    pred_normals: Float32[np.ndarray, "256 256 3"] | None


def read_frame(files: FrameFiles, crop: Crop) -> Frame:
    """Read, crop and scale one frame; raises InputError naming the file at fault."""
    color, mask = read_color(files.images["color"]), read_mask(files.images["mask"])
    if color.shape[:2] != mask.shape:
        raise InputError(
            str(files.images["color"]), found=f"{color.shape[1]} x {color.shape[0]} pixels",
            expected=f"{mask.shape[1]} x {mask.shape[0]}, the size of the mask",
            hint="Make all images of a frame of one size.",
        )  # fmt: skip
    return Frame(
        number=files.number,
        color=crop_color(color, crop),
        mask=crop_mask(mask, crop),
        iuv=crop_iuv(read_iuv(files.images["densepose"]).iuv, crop),
        crop=crop,
        pred_normals=_read_normals(files),
    )


def frame_row(frame: Frame, ref: VideoRef) -> dict[str, object]:
    """Encode a frame as a row of `frames`."""
    return {
        "frame_id": frame_id(ref.video, frame.number),
        "video": ref.video,
        "frame": frame.number,
        "color": _image(encode_png(frame.color)),
        "mask": _image(encode_mask(frame.mask)),
        "iuv": _image(encode_png(frame.iuv)),
        "pred_normals": _encode_normals(frame.pred_normals),
        "intrinsics": camera_hdnet(np.eye(4)).K.ravel(),
        "crop": list(frame.crop.window),
        "split": ref.split,
    }


def _encode_normals(normals: Float32[np.ndarray, "256 256 3"] | None) -> bytes | None:
    if normals is None:
        return None
    inside: Bool[np.ndarray, "256 256"] = np.any(normals, axis=-1)
    return encode_front_normals(normals, inside)


def _image(data: bytes) -> dict[str, object]:
    return {"bytes": data, "path": None}


def _read_normals(files: FrameFiles) -> Float32[np.ndarray, "256 256 3"] | None:
    """Read predicted normals of the cropped frame, None where the files are not all there."""
    if not files.normals:
        return None
    planes = [read_grid(path, " ", side=FRAME_SIDE_PX) for path in files.normals]
    normals = np.stack(planes, axis=-1).astype(np.float32)
    lengths = np.linalg.norm(normals[normals.any(axis=-1)], axis=-1)
    if lengths.size and np.abs(lengths - 1).max() > LENGTH_TOLERANCE:
        raise InputError(
            str(files.normals[0]),
            found=f"normals of length {lengths.min():.3f} to {lengths.max():.3f}",
            expected="unit length, or 0 outside the person",
            hint="Predict the normals again, or take the files out.",
        )
    return normals
