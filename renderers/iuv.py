"""DensePose I, U, V of what a pixel sees, from charts that the mesh's own faces carry."""

import numpy as np
from jaxtyping import Float32, Float64, Int32, UInt8

from schemas.camera import Camera, lift
from schemas.sample import Surface
from schemas.scan import Charts, Mesh

LEVELS = 255


def draw_iuv(
    charts: Charts,
    mesh: Mesh,
    camera: Camera,
    mesh_to_world: Float64[np.ndarray, "4 4"],
    front: Surface,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return part, U and V of every pixel, U and V over 0..255 of the part's own chart; 0 outside.

    front: what this camera sees of the mesh.
    """
    seen = front.triangle[front.triangle >= 0]
    shares = find_shares(camera, mesh, mesh_to_world, front.triangle, front.depth)
    chart_uv = np.einsum("nk,nkc->nc", shares, charts.uv[seen])
    iuv = np.zeros((*front.triangle.shape, 3), np.uint8)
    levels = np.clip(np.rint(LEVELS * chart_uv), 0, LEVELS)
    iuv[front.triangle >= 0] = np.column_stack([charts.part[seen], levels]).astype(np.uint8)
    return iuv


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
