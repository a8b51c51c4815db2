"""Surfaces whose true shape is known: a ball before the camera of 2K2K."""

import numpy as np

from schemas.camera import camera_2k2k, ray_directions
from tasks.reconstruction.surfaces import Surfaces

RADIUS = 0.1


def ball_surfaces(resolution: int, radius: float = RADIUS) -> Surfaces:
    """First and last hit of every ray with a ball around the scene's origin, in closed form."""
    camera = camera_2k2k(resolution)
    centre = np.array([0.0, 0.0, 1.0])
    along = ray_directions(camera) @ centre
    under = along**2 - (centre @ centre - radius**2)
    hit = under > 0
    half = np.sqrt(np.where(hit, under, 0))
    front, back = (np.where(hit, along + sign * half, 0).astype(np.float32) for sign in (-1, 1))
    rows, columns = np.indices((resolution, resolution))
    image = np.stack([rows * 255 // resolution, columns * 255 // resolution, rows * 0], axis=-1)
    return Surfaces(front, back, image.astype(np.uint8), camera)
