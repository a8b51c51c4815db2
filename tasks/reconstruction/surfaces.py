"""Front and back surface of a person, from what the nets of 2K2K predicted.

Source: docs/reconstruction.md, "From depth to surfaces"; docs/networks.md, "Network units".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8

from schemas.camera import Camera, camera_2k2k, crop_camera, lift
from schemas.codecs import bounding_window
from schemas.errors import InputError
from tasks.formats.twok2k.depth16 import UNITS_PER_PIXEL

NETWORK_UNITS_PER_SIDE = 4
"""A side of the image, as depth, is this many network units."""

BACK_EROSIONS = 3
"""How often the front silhouette is eroded by 3 x 3 before it cuts the back surface."""

KERNEL = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Both surfaces of a person before one camera.

    front, back: ray length in scene units, 0 outside; both have one silhouette. image: RGB, the
    colours of both. camera: 2K2K's, at the resolution of the maps.
    """

    front: Float32[np.ndarray, "R R"]
    back: Float32[np.ndarray, "R R"]
    image: UInt8[np.ndarray, "R R 3"]
    camera: Camera

    @property
    def mask(self) -> Bool[np.ndarray, "R R"]:
        """Return where there is a person."""
        inside: Bool[np.ndarray, "R R"] = self.front > 0
        return inside

    @property
    def back_mask(self) -> Bool[np.ndarray, "R R"]:
        """Return where the back surface is kept: inside the silhouette, eroded three times."""
        return erode(self.mask, BACK_EROSIONS)


def erode(mask: Bool[np.ndarray, "R R"], times: int) -> Bool[np.ndarray, "R R"]:
    """Erode by 3 x 3; what lies beyond the image counts as outside."""
    eroded = cv2.erode(
        mask.astype(np.uint8), KERNEL, iterations=times,
        borderType=cv2.BORDER_CONSTANT, borderValue=0,
    )  # fmt: skip
    return eroded > 0


def make_surfaces(
    predicted: Mapping[str, np.ndarray],
    image: UInt8[np.ndarray, "R R 3"],
    mask: Bool[np.ndarray, "R R"] | None,
) -> Surfaces:
    """Turn predicted depth (network units) into ray length.

    Dropped are pixels whose front is behind the back (so the background goes), those outside a
    known mask, and depths that 16 bits can't hold. Raises InputError when nothing is left.
    """
    resolution = image.shape[0]
    camera = camera_2k2k(resolution)
    pixels = [predicted[name] * (resolution / NETWORK_UNITS_PER_SIDE) for name in ("front", "back")]
    inside = pixels[0] <= pixels[1]
    for depth in pixels:
        units = depth * UNITS_PER_PIXEL
        inside &= (units >= 1) & (units <= UNITS_PER_PIXEL * resolution - 1)
    if mask is not None:
        inside &= mask
    if not inside.any():
        raise InputError(
            "the prediction", found="no pixel whose front lies before its back",
            expected="a person", hint="Train longer, or give a photograph as in training.",
        )  # fmt: skip
    front, back = (
        np.where(inside, to_ray_length(predicted[name], camera), 0).astype(np.float32)
        for name in ("front", "back")
    )
    return Surfaces(front, back, image, camera)


def to_ray_length(depth: Float[np.ndarray, "R R"], camera: Camera) -> Float[np.ndarray, "R R"]:
    """Turn depth in network units into ray length in scene units."""
    pixels = depth * (camera.width / NETWORK_UNITS_PER_SIDE)
    length: Float[np.ndarray, "R R"] = (pixels - camera.width / 2) / camera.focal_px + 1
    return length


def lift_to_world(
    camera: Camera, depth: Float[np.ndarray, "R R"], where: Bool[np.ndarray, "R R"]
) -> Float[np.ndarray, "N 3"]:
    """Return the surface points of these pixels in world axes, scene units, row by row."""
    left, top, right, bottom = bounding_window(where)
    window = np.s_[top : bottom + 1, left : right + 1]
    seen = crop_camera(camera, left, top, right - left + 1, bottom - top + 1)
    points = lift(seen, depth[window].astype(np.float64))[where[window]]
    turn, shift = camera.world_to_camera[:3, :3], camera.world_to_camera[:3, 3]
    world: Float[np.ndarray, "N 3"] = (points - shift) @ turn
    return world
