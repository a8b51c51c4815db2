"""Cameras to look at the test shapes with, and what their rays meet, worked out by hand."""

import math

import numpy as np
from jaxtyping import Bool, Float64

from schemas.camera import Camera, camera_2k2k, camera_hdnet, camera_orthographic, ray_directions

HDNET_DISTANCE = 1.2


def make_camera(name: str, resolution: int = 256) -> Camera:
    """Make one of the three cameras; HDNet's stands so that its crop's centre shows the origin."""
    if name == "hdnet":
        view = np.diag([1.0, -1.0, -1.0, 1.0])
        crop = camera_hdnet(view)
        middle = (np.array([128.0, 128.0]) - crop.K[:2, 2]) / np.diag(crop.K)[:2]
        view[:3, 3] = HDNET_DISTANCE * np.array([*middle, 1.0])
        return camera_hdnet(view)
    return {"2k2k": camera_2k2k, "orthographic": camera_orthographic}[name](resolution)


def pixel_rays(camera: Camera) -> tuple[Float64[np.ndarray, "H W 3"], Float64[np.ndarray, "H W 3"]]:
    """Return origin and unit direction of every pixel's centre ray, world axes."""
    to_world = np.linalg.inv(camera.world_to_camera)
    rays = ray_directions(camera) @ to_world[:3, :3].T
    starts = np.zeros((camera.height, camera.width, 3))
    if camera.projection == "orthographic":
        columns, rows = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
        starts[..., 0] = (columns - camera.K[0, 2]) / camera.K[0, 0]
        starts[..., 1] = (rows - camera.K[1, 2]) / camera.K[1, 1]
    return starts @ to_world[:3, :3].T + to_world[:3, 3], rays


def to_camera_axes(camera: Camera, normals: Float64[np.ndarray, "... 3"]) -> np.ndarray:
    """Turn directions from world to camera axes."""
    return normals @ camera.world_to_camera[:3, :3].T


def inner(mask: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """Keep pixels whose eight neighbours are inside too: those not on an edge."""
    padded = np.pad(mask, 1)
    rows, columns = mask.shape
    around = [
        padded[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
        for y in (-1, 0, 1)
        for x in (-1, 0, 1)
    ]
    kept: Bool[np.ndarray, "H W"] = np.logical_and.reduce(around)
    return kept


def angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the angle between vectors, exact for small angles too."""
    cross = np.linalg.norm(np.cross(one, other), axis=-1)
    return np.degrees(np.arctan2(cross, (one * other).sum(-1)))


def sphere_hits(
    camera: Camera, radius: float
) -> tuple[Bool[np.ndarray, "H W"], Float64[np.ndarray, "H W"], Float64[np.ndarray, "H W"]]:
    """Meet every ray with a sphere round the origin: whether, first and last length."""
    starts, rays = pixel_rays(camera)
    along = -(starts * rays).sum(-1)
    reach = radius**2 - ((starts**2).sum(-1) - along**2)
    half = np.sqrt(np.maximum(reach, 0))
    return reach > 0, along - half, along + half


def sphere_margin_px(camera: Camera, radius: float) -> Float64[np.ndarray, "H W"]:
    """Return how far inside (positive) the sphere's outline a pixel lies, in pixels.

    The outline is where the ray's angle to the centre is that of the tangent cone; near it a pixel
    is 1 / focal of that angle's tangent, along the ray's own slant.
    """
    starts, rays = pixel_rays(camera)
    along = -(starts * rays).sum(-1)
    miss = np.sqrt(np.maximum((starts**2).sum(-1) - along**2, 0))
    if camera.projection == "orthographic":
        return (radius - miss) * camera.focal_px
    distance = np.linalg.norm(starts[0, 0])
    slant = ray_directions(camera)[..., 2]
    gap = math.asin(radius / distance) - np.arcsin(miss / distance)
    return gap * camera.focal_px / slant  # at least; across the slant a pixel is 1 / slant more
