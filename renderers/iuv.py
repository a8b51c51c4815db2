"""DensePose I, U, V of what a pixel sees, from charts that the mesh's own faces carry."""

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

from renderers.gl_objects import BufferTexture
from renderers.rasterizer import UNITS, Rasterizer
from renderers.seen_pixels import paint_seen
from schemas.camera import Camera, lift
from schemas.scan import Charts, Mesh


def draw_iuv(
    rasterizer: Rasterizer,
    charts: Charts,
    camera: Camera,
    mesh_to_world: Float64[np.ndarray, "4 4"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Return part, U and V of every pixel, both over 0..255 of the part's own chart; 0 outside."""
    corners = np.zeros((len(charts.part), 8), np.float32)
    corners[:, :6] = charts.uv.reshape(-1, 6)
    corners[:, 6] = charts.part
    data = rasterizer.cached("charts", lambda: BufferTexture(corners.reshape(-1, 4)))
    data.bind(UNITS["charts"])
    return paint_seen(rasterizer, "iuv.frag", camera, mesh_to_world, uniforms={})


def find_shares(
    camera: Camera,
    mesh: Mesh,
    mesh_to_world: Float64[np.ndarray, "4 4"],
    triangle: Int32[np.ndarray, "H W"],
    depth: Float32[np.ndarray, "H W"],
) -> Float64[np.ndarray, "N 3"]:
    """Return the barycentric shares of the surface point of each covered pixel, row by row.

    triangle: -1 outside. depth: ray length, scene units.
    """
    inside = triangle >= 0
    to_camera = camera.world_to_camera @ mesh_to_world
    points = lift(camera, depth)[inside]
    corners = mesh.vertices[mesh.faces[triangle[inside]]]
    corners = corners @ to_camera[:3, :3].T + to_camera[:3, 3]
    a, b, c = (corners[:, corner] for corner in range(3))
    normal = np.cross(b - a, c - a)
    square = np.einsum("ij,ij->i", normal, normal)
    second = np.einsum("ij,ij->i", np.cross(points - a, c - a), normal) / square
    third = np.einsum("ij,ij->i", np.cross(b - a, points - a), normal) / square
    shares: Float64[np.ndarray, "N 3"] = np.stack([1 - second - third, second, third], axis=1)
    return shares
