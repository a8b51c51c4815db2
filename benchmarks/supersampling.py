"""What a pixel's colour should be: the mean of the texels that a grid of rays through it meets.

Embree says which triangle each ray meets; texture coordinates are worked out in float64.
"""

import numpy as np
import trimesh
from jaxtyping import Bool, Float, Float64, Int64, UInt8
from trimesh.ray.ray_pyembree import RayMeshIntersector

from schemas.camera import Camera
from schemas.scan import Mesh

RAYS_A_SIDE = 8


def box_reference(
    mesh: Mesh,
    camera: Camera,
    mesh_to_world: Float[np.ndarray, "4 4"],
    pixels: Int64[np.ndarray, "N 2"],
) -> tuple[Float64[np.ndarray, "N 3"], Bool[np.ndarray, " N"], Bool[np.ndarray, " N"]]:
    """Return mean colours of pixels (row, column), and which of them all rays met the mesh in.

    The third value tells where all rays met texels of one colour. The grid reaches the pixel's
    very corners, so that this means the whole footprint.
    """
    corners = mesh.vertices @ mesh_to_world[:3, :3].T + mesh_to_world[:3, 3]
    body = trimesh.Trimesh(corners, mesh.faces, process=False, validate=False)
    origins, rays = _rays(camera, pixels)
    faces = RayMeshIntersector(body).intersects_first(origins, rays)
    found = faces >= 0
    flat = np.zeros((len(faces), 3))
    flat[found] = _texels(mesh, corners, faces[found], origins[found], rays[found])
    texels = flat.reshape(len(pixels), -1, 3)
    whole = found.reshape(len(pixels), -1).all(axis=1)
    even = whole & (texels == texels[:, :1]).all(axis=(1, 2))
    return texels.mean(axis=1), whole, even


def _rays(
    camera: Camera, pixels: Int64[np.ndarray, "N 2"]
) -> tuple[Float64[np.ndarray, "M 3"], Float64[np.ndarray, "M 3"]]:
    within = (np.arange(RAYS_A_SIDE) + 0.5) / RAYS_A_SIDE
    across, down = np.meshgrid(within, within)
    x = (pixels[:, 1:] + across.ravel() - camera.K[0, 2]) / camera.K[0, 0]
    y = (pixels[:, :1] + down.ravel() - camera.K[1, 2]) / camera.K[1, 1]
    flat = np.stack([x.ravel(), y.ravel()], -1)
    zeros, ones = np.zeros((len(flat), 1)), np.ones((len(flat), 1))
    to_world = np.linalg.inv(camera.world_to_camera)
    if camera.projection == "orthographic":
        origins = np.hstack([flat, zeros]) @ to_world[:3, :3].T + to_world[:3, 3]
        return origins, np.broadcast_to(to_world[:3, 2], origins.shape).copy()
    rays = np.hstack([flat, ones]) @ to_world[:3, :3].T
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return np.broadcast_to(to_world[:3, 3], rays.shape).copy(), rays


def _texels(
    mesh: Mesh,
    corners: Float64[np.ndarray, "V 3"],
    faces: Int64[np.ndarray, " N"],
    origins: Float64[np.ndarray, "N 3"],
    rays: Float64[np.ndarray, "N 3"],
) -> UInt8[np.ndarray, "N 3"]:
    """Return the texel under each hit; textures repeat, row 0 is v = 1."""
    a, b, c = (corners[mesh.faces[faces, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    t = np.einsum("ni,ni->n", normal, a - origins) / np.einsum("ni,ni->n", normal, rays)
    hit = origins + t[:, None] * rays - a
    area = np.einsum("ni,ni->n", normal, normal)
    u = np.einsum("ni,ni->n", np.cross(hit, c - a), normal) / area
    v = np.einsum("ni,ni->n", np.cross(b - a, hit), normal) / area
    texture = mesh.materials[0].texture
    if mesh.uv is None or mesh.uv_faces is None or texture is None:
        raise ValueError("the scan has no texture")
    uv = mesh.uv[mesh.uv_faces[faces]].astype(np.float64)
    where = uv[:, 0] + u[:, None] * (uv[:, 1] - uv[:, 0]) + v[:, None] * (uv[:, 2] - uv[:, 0])
    height, width = texture.shape[:2]
    column = np.floor(where[:, 0] * width).astype(int) % width
    row = np.floor((1 - where[:, 1]) * height).astype(int) % height
    texels: np.ndarray = texture[row, column]
    return texels
