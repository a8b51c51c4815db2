"""Images as the published sets hold them, from ours, and back."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

WHITE = 255


def encode_densepose(iuv: UInt8[np.ndarray, "H W 3"]) -> bytes:
    """Encode canonical I, U, V as the published PNG: blue, green, red are I, U, V."""
    _, data = cv2.imencode(".png", np.ascontiguousarray(iuv))  # OpenCV takes the first for blue
    return data.tobytes()


def lay_on_white(
    color: UInt8[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the person on white."""
    return np.where(mask[..., None], color, np.uint8(WHITE))


def image_of_normals(
    normals: Float[np.ndarray, "H W 3"], mask: Bool[np.ndarray, "H W"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Paint normals: x, y, z from -1..1 to red, green, blue from 0..255; black outside."""
    levels = np.rint((np.clip(normals, -1, 1) + 1) * (WHITE / 2)).astype(np.uint8)
    return np.where(mask[..., None], levels, np.uint8(0))
