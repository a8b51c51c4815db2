"""Soft light from all around: how much of the sky each point of a person sees.

From each of some directions the highest point over every cell of a grid is noted; a point sees the
sky there when nothing is much higher over its cell. That is a shadow map for each direction.
"""

import numpy as np
from jaxtyping import Float32

from people.meshing import Faces, averaging_matrix

Points = Float32[np.ndarray, "V 3"]
Plane = Float32[np.ndarray, " V"]

DIRECTIONS, CELL_CM, BIAS_CM, SOFT_CM = 26, 1.1, 1.0, 2.2
SMOOTH_ROUNDS = 2
STRENGTH, FROM_ABOVE = 0.5, 0.05
OPEN_PERCENTILE = 85
"""Of what points see of the sky: those that see as much are not shaded."""


def sky_directions(count: int = DIRECTIONS) -> Float32[np.ndarray, "D 3"]:
    """Return unit directions spread over the sphere (a Fibonacci spiral), few from below."""
    order = np.arange(count) + 0.5
    height = 1 - 1.45 * order / count
    turn = np.pi * (1 + 5**0.5) * order
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], axis=1).astype(np.float32)


def soft_light(points: Points, normals: Points, faces: Faces) -> Plane:
    """Return what soft light leaves at each point, about 0.3 to 1.

    points: of all surfaces together, centimetres. normals: unit. faces: into points.
    """
    seen = np.zeros(len(points), np.float32)
    whole = np.full(len(points), 1e-6, np.float32)
    for direction in sky_directions():
        facing = np.clip(normals @ direction, 0, None)
        seen += facing * _sees(points, direction)
        whole += facing
    share = seen / whole
    mean = averaging_matrix(faces, len(points))
    for _ in range(SMOOTH_ROUNDS):
        share = 0.5 * (share + mean @ share)
    share = np.clip(share / np.percentile(share, OPEN_PERCENTILE), 0, 1)
    light = (1 - STRENGTH * (1 - share)) * (1 + FROM_ABOVE * normals[:, 1])
    return np.asarray(light, np.float32)


def _sees(points: Points, direction: Float32[np.ndarray, " 3"]) -> Plane:
    """Return 0 to 1: whether nothing is between each point and the sky in a direction."""
    helper = np.eye(3, dtype=np.float32)[int(np.abs(direction).argmin())]
    first = np.cross(direction, helper)
    first /= np.linalg.norm(first)
    second = np.cross(direction, first)
    flat = np.stack([points @ first, points @ second], axis=1) / np.float32(CELL_CM)
    cell = np.floor(flat - flat.min(axis=0)).astype(np.int64)
    key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
    height = points @ direction
    top = np.full(int(key.max()) + 1, -np.inf, np.float32)
    np.maximum.at(top, key, height)
    free = 1 - (top[key] - height - BIAS_CM) / np.float32(SOFT_CM)
    return np.asarray(np.clip(free, 0, 1), np.float32)
