"""The other way to the same surfaces: Embree ray casting, as the published renderer does it.

Used by the tests and by benchmarks/fidelity.py. Embree only says which triangle a ray meets; where
on it, is worked out here in float64, so that what is compared is not Embree's own rounding.
"""

from dataclasses import dataclass

import numpy as np
import trimesh
from jaxtyping import Float, Float64, Int32
from trimesh.ray.ray_pyembree import RayMeshIntersector

from schemas.camera import Camera, ray_directions
from schemas.sample import Surface, Surfaces
from schemas.scan import Mesh

FAR = 10.0
"""Scene units; rays for the back surface start this far behind and come towards the camera."""


@dataclass(frozen=True, slots=True)
class RayHits:
    """First or last hit of every pixel's ray: face or -1, and ray length, 0 where none."""

    triangle: Int32[np.ndarray, "H W"]
    length: Float64[np.ndarray, "H W"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two ways agree: overlap of masks, and share of common pixels within a tolerance."""

    mask_overlap: float
    within: float
    worst: float
    common: int


def cast_surfaces(
    mesh: Mesh, camera: Camera, mesh_to_world: Float[np.ndarray, "4 4"]
) -> tuple[RayHits, RayHits]:
    """Cast one ray a pixel, from the camera for the front and from behind for the back."""
    corners = mesh.vertices @ mesh_to_world[:3, :3].T + mesh_to_world[:3, 3]
    body = trimesh.Trimesh(corners, mesh.faces, process=False, validate=False)
    caster = RayMeshIntersector(body)
    origins, rays = world_rays(camera)
    front = caster.intersects_first(origins, rays).astype(np.int32)
    back = caster.intersects_first(origins + FAR * rays, -rays).astype(np.int32)
    triangles = corners[mesh.faces]
    return (
        _measure(camera, triangles, front, origins, rays),
        _measure(camera, triangles, back, origins, rays),
    )


def world_rays(camera: Camera) -> tuple[Float64[np.ndarray, "N 3"], Float64[np.ndarray, "N 3"]]:
    """Return origins and unit directions of all pixels' centre rays, in world axes."""
    to_world = np.linalg.inv(camera.world_to_camera)
    rays = ray_directions(camera).reshape(-1, 3) @ to_world[:3, :3].T
    origins = np.broadcast_to(to_world[:3, 3], rays.shape)
    if camera.projection == "orthographic":
        x = (np.arange(camera.width) + 0.5 - camera.K[0, 2]) / camera.K[0, 0]
        y = (np.arange(camera.height) + 0.5 - camera.K[1, 2]) / camera.K[1, 1]
        columns, rows = np.meshgrid(x, y)
        start = np.stack([columns, rows, np.zeros_like(rows)], -1).reshape(-1, 3)
        origins = start @ to_world[:3, :3].T + to_world[:3, 3]
    return origins, rays


def agree(
    ours: Surfaces, hits: tuple[RayHits, RayHits], *, tolerance: float
) -> tuple[Agreement, ...]:
    """Compare front and back with ray casting; tolerance in scene units of ray length."""
    return tuple(
        _agree(surface, hit, tolerance)
        for surface, hit in zip((ours.front, ours.back), hits, strict=True)
    )


def _agree(surface: Surface, hit: RayHits, tolerance: float) -> Agreement:
    drawn, cast = surface.triangle >= 0, hit.triangle >= 0
    common = drawn & cast
    error = np.abs(surface.depth.astype(np.float64) - hit.length)[common]
    return Agreement(
        mask_overlap=float(common.sum() / (drawn | cast).sum()),
        within=float((error <= tolerance).mean()),
        worst=float(error.max()),
        common=int(common.sum()),
    )


def _measure(
    camera: Camera,
    corners: Float64[np.ndarray, "F 3 3"],
    triangle: Int32[np.ndarray, " N"],
    origins: Float64[np.ndarray, "N 3"],
    rays: Float64[np.ndarray, "N 3"],
) -> RayHits:
    inside = np.flatnonzero(triangle >= 0)
    a, b, c = (corners[triangle[inside], corner] for corner in range(3))
    normal = np.cross(b - a, c - a)
    ahead = np.einsum("ni,ni->n", normal, a - origins[inside])
    length = np.zeros(len(triangle))
    length[inside] = ahead / np.einsum("ni,ni->n", normal, rays[inside])
    shape = camera.height, camera.width
    return RayHits(triangle.reshape(shape), length.reshape(shape))
