"""Ray length as a 16-bit number, and back.

    stored = round_down(32 * ((length - 1) * f + resolution / 2)), 0 where there is no surface

One unit is 1 / (32 f) of scene length; length 1 is stored as 16 * resolution.
Source: docs/2k2k-dataset.md, "Depth encoding".
"""

import cv2
import numpy as np
from jaxtyping import Float32, Float64, UInt16

from schemas.camera import CAMERA_DISTANCE, Camera
from schemas.errors import InputError, RequestError

UNITS_PER_PIXEL = 32
MAX_STORED = np.iinfo(np.uint16).max
MAX_RESOLUTION = 2048
"""Above it 16 bits overflow within a placed person. Source: docs/2k2k-dataset.md."""


def encode_depth16(
    depth: Float32[np.ndarray, "H W"], camera: Camera, *, is_front: bool
) -> UInt16[np.ndarray, "H W"]:
    """Encode a depth map; 0 outside, and on the front wherever published code leaves 0.

    Raises InputError when a length does not fit into 16 bits or would read as no surface:
    it is never wrapped or clipped.
    """
    inside = depth > 0
    units = np.floor(_to_units(depth[inside].astype(np.float64), camera))
    if is_front:
        units[units >= UNITS_PER_PIXEL * camera.width] = 0
    bad = (units > MAX_STORED) | (units < (0 if is_front else 1))
    if bad.any():
        raise InputError(
            "depth",
            found=f"{int(bad.sum())} lengths that would be stored as {units[bad].min():.0f} to "
            f"{units[bad].max():.0f}",
            expected=f"1 to {MAX_STORED}",
            hint="Export views of the 2K2K cameras at 2048 pixels or less.",
        )
    stored = np.zeros(depth.shape, np.uint16)
    stored[inside] = units
    return stored


def decode_depth16(stored: UInt16[np.ndarray, "H W"], camera: Camera) -> Float32[np.ndarray, "H W"]:
    """Decode to ray length, the middle of what rounds down to the stored number; 0 outside."""
    pixels = (stored.astype(np.float64) + 0.5) / UNITS_PER_PIXEL
    length = (pixels - camera.width / 2) / camera.focal_px + CAMERA_DISTANCE
    return np.where(stored > 0, length, 0).astype(np.float32)


def encode_png16(stored: UInt16[np.ndarray, "H W"]) -> bytes:
    """Encode as 16-bit grey PNG."""
    _, data = cv2.imencode(".png", stored)
    return data.tobytes()


def refuse_resolution(resolution: int, *, allow_other: bool) -> None:
    """Refuse to export what the published code can't read; raises RequestError."""
    if resolution > MAX_RESOLUTION:
        raise RequestError(
            "2k2k", found=f"images of {resolution} pixels",
            expected=f"at most {MAX_RESOLUTION}: beyond, sixteen bits can't hold the depth",
            hint="Render a data set with --resolution 2048.",
        )  # fmt: skip
    if resolution != MAX_RESOLUTION and not allow_other:
        raise RequestError(
            "2k2k", found=f"images of {resolution} pixels",
            expected=f"{MAX_RESOLUTION}, which the published training code takes for granted",
            hint="Give --allow-other-resolution for readers that know better, or render with "
            "--resolution 2048.",
        )  # fmt: skip


def _to_units(length: Float64[np.ndarray, " N"], camera: Camera) -> Float64[np.ndarray, " N"]:
    units: Float64[np.ndarray, " N"] = UNITS_PER_PIXEL * (
        (length - CAMERA_DISTANCE) * camera.focal_px + camera.width / 2
    )
    return units
