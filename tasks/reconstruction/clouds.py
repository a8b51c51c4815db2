"""Coloured point clouds of both surfaces, with and without layers at the sides.

The side layers lie between front and back in four rings along the silhouette. Each ring has its
own shares of the back, so that together they bend from one surface to the other.
Source: docs/reconstruction.md, "Point clouds".
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from schemas.camera import ray_directions
from tasks.reconstruction.surfaces import BACK_EROSIONS, KERNEL, Surfaces, erode, lift_to_world

SIDE_LAYERS: tuple[tuple[int, float], ...] = (
    (0, 0.5 / 7), (1, 1 / 6), (1, 1.5 / 6), (2, 2 / 5), (2, 2.5 / 5), (3, 3 / 4), (3, 3.5 / 4),
)  # fmt: skip
"""(ring, share of the back) of the seven layers. Ring 0 is the border of the back surface, rings 1
to 3 grow around it, up to the silhouette."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """Points in world axes (x right, y up, z to the viewer).

    outwards: a direction that leaves the body at each point, of any length; no normal.
    """

    points: Float[np.ndarray, "N 3"]
    colors: UInt8[np.ndarray, "N 3"]
    outwards: Float[np.ndarray, "N 3"]


def make_cloud(surfaces: Surfaces, scale: float) -> Cloud:
    """Return the points of front and back, times scale; back points in the image's colour."""
    rays = _world_rays(surfaces)
    front, back = surfaces.mask, surfaces.back_mask
    return join_clouds(
        [
            _points(surfaces, surfaces.front, front, -rays[front], scale),
            _points(surfaces, surfaces.back, back, rays[back], scale),
        ]
    )


def make_sides(surfaces: Surfaces, scale: float) -> Cloud:
    """Return the points of the seven side layers, times scale."""
    rays, aside = _world_rays(surfaces), _away_from_person(surfaces.mask)
    back = np.where(surfaces.back_mask, surfaces.back, 0)
    spread = [cv2.dilate(back, KERNEL, iterations=times) for times in range(BACK_EROSIONS + 1)]
    grown = [depth > 0 for depth in spread]
    inner = [erode(surfaces.mask, BACK_EROSIONS + 1), *grown[:-1]]
    layers = []
    for ring, share in SIDE_LAYERS:
        where = grown[ring] & ~inner[ring] & surfaces.mask
        depth = (1 - share) * surfaces.front + share * spread[ring]
        outwards = aside[where] + (2 * share - 1) * rays[where]
        layers.append(_points(surfaces, depth, where, outwards, scale))
    return join_clouds(layers)


def join_clouds(clouds: Sequence[Cloud]) -> Cloud:
    """Return the points of all clouds, in order."""
    return Cloud(
        np.concatenate([cloud.points for cloud in clouds]),
        np.concatenate([cloud.colors for cloud in clouds]),
        np.concatenate([cloud.outwards for cloud in clouds]),
    )


def _points(
    surfaces: Surfaces,
    depth: Float[np.ndarray, "R R"],
    where: Bool[np.ndarray, "R R"],
    outwards: Float[np.ndarray, "N 3"],
    scale: float,
) -> Cloud:
    points = lift_to_world(surfaces.camera, depth, where) * scale
    return Cloud(points, surfaces.image[where], outwards)


def _world_rays(surfaces: Surfaces) -> Float[np.ndarray, "R R 3"]:
    rays: Float[np.ndarray, "R R 3"] = (
        ray_directions(surfaces.camera) @ surfaces.camera.world_to_camera[:3, :3]
    )
    return rays


def _away_from_person(mask: Bool[np.ndarray, "R R"]) -> Float[np.ndarray, "R R 3"]:
    """Return for each pixel the direction to the nearest border, in the plane of the image."""
    distance = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    down, right = np.gradient(distance.astype(np.float64))
    return np.stack([-right, down, np.zeros_like(right)], axis=-1)
