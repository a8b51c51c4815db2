"""Coloured point clouds of both surfaces, with and without layers at the sides.

The side layers lie between front and back in four rings along the silhouette. Each ring has its
own shares of the back, so that together they bend from one surface to the other.
Source: docs/reconstruction.md, "Point clouds".
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from tasks.reconstruction.surfaces import BACK_EROSIONS, KERNEL, Surfaces, erode, lift_to_world

SIDE_LAYERS: tuple[tuple[int, float], ...] = (
    (0, 0.5 / 7), (1, 1 / 6), (1, 1.5 / 6), (2, 2 / 5), (2, 2.5 / 5), (3, 3 / 4), (3, 3.5 / 4),
)  # fmt: skip
"""(ring, share of the back) of the seven layers. Ring 0 is the border of the back surface, rings 1
to 3 grow around it, up to the silhouette."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points in world axes (x right, y up, z to the viewer). normals: outwards, None: unknown."""

    points: Float[np.ndarray, "N 3"]
    colors: UInt8[np.ndarray, "N 3"]


def make_cloud(surfaces: Surfaces, scale: float) -> Cloud:
    """Return the points of front and back, times scale; back points in the image's colour."""
    masks = (surfaces.mask, surfaces.back_mask)
    depths = (surfaces.front, surfaces.back)
    return _join(
        [
            Cloud(lift_to_world(surfaces.camera, depth, where), surfaces.image[where])
            for depth, where in zip(depths, masks, strict=True)
        ],
        scale,
    )


def make_sides(surfaces: Surfaces, scale: float) -> Cloud:
    """Return the points of the seven side layers, times scale."""
    back = np.where(surfaces.back_mask, surfaces.back, 0)
    spread = [cv2.dilate(back, KERNEL, iterations=times) for times in range(BACK_EROSIONS + 1)]
    grown = [depth > 0 for depth in spread]
    inner = [erode(surfaces.mask, BACK_EROSIONS + 1), *grown[:-1]]
    layers = []
    for ring, share in SIDE_LAYERS:
        where = grown[ring] & ~inner[ring] & surfaces.mask
        depth = (1 - share) * surfaces.front + share * spread[ring]
        points = lift_to_world(surfaces.camera, depth, where)
        layers.append(Cloud(points, surfaces.image[where]))
    return _join(layers, scale)


def join_clouds(one: Cloud, other: Cloud) -> Cloud:
    """Return the points of both."""
    return _join([one, other], 1.0)


def _join(clouds: list[Cloud], scale: float) -> Cloud:
    points = np.concatenate([cloud.points for cloud in clouds]) * scale
    return Cloud(points, np.concatenate([cloud.colors for cloud in clouds]))
