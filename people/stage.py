"""A dancer before HDNet's camera: where the camera is, what it sees, and its ground truth.

World: metres, y up; the stage's centre is the origin of the floor, the camera in front of it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32, UInt8

from people.atlas import Atlas, charts_of
from people.figure import CM_PER_M
from people.person import Model, Posed
from renderers.egl import GLContext
from renderers.iuv import draw_iuv, find_shares
from renderers.rasterizer import Rasterizer
from schemas.camera import (
    HDNET_CENTRE_PX,
    HDNET_FOCAL_PX,
    HDNET_RESOLUTION,
    Camera,
    camera_hdnet,
)
from schemas.scan import Material, Mesh

FILL, NEAREST_M = 0.90, 1.5
"""How much of the crop the dancer may fill. Source: docs/cameras.md, "HDNet's camera"."""
LEVELS = 255
MAIN_LIGHT, SIDE_LIGHT = (-0.45, -0.55, -0.70), (0.85, -0.10, -0.50)
"""Directions from which light comes, camera axes."""
AMBIENT, MAIN_POWER, SIDE_POWER = 0.45, 0.60, 0.15


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame and its ground truth.

    color: lit, black outside. iuv: I, U, V; I is 0 outside. depth: ray length, metres, 0 outside.
    normal: camera axes, 0 outside. triangle: -1 outside. rest: the surface point of each pixel in
    the canonical T-pose, centimetres, NaN outside.
    """

    color: UInt8[np.ndarray, "H W 3"]
    mask: Bool[np.ndarray, "H W"]
    iuv: UInt8[np.ndarray, "H W 3"]
    depth: Float32[np.ndarray, "H W"]
    normal: Float32[np.ndarray, "H W 3"]
    triangle: Int32[np.ndarray, "H W"]
    rest: Float32[np.ndarray, "H W 3"]


@dataclass(frozen=True, slots=True)
class StageSurface:
    """What stays the same in all frames. rest: vertices in the T-pose, centimetres."""

    rest: Float32[np.ndarray, "V 3"]
    atlas: Atlas


def stage_camera(*, height_m: float, width_m: float) -> Camera:
    """Place HDNet's camera so that a box on the floor fills the crop, and faces it.

    The box's centre lies on the ray of the crop's centre.
    Source: docs/cameras.md, "HDNet's camera".
    """
    middle = np.array([HDNET_RESOLUTION / 2] * 2)
    slope = (middle - np.array(HDNET_CENTRE_PX)) / HDNET_FOCAL_PX
    ray = np.array([*slope, 1.0]) / np.linalg.norm([*slope, 1.0])
    extent = max(height_m, width_m)
    distance = max(HDNET_FOCAL_PX * extent / (FILL * HDNET_RESOLUTION), NEAREST_M)
    up = np.array([0.0, -1.0, 0.0])
    up = up - (up @ ray) * ray
    up /= np.linalg.norm(up)
    turn = np.stack([np.cross(up, -ray), up, -ray], axis=1)
    view = np.eye(4)
    view[:3, :3] = turn
    view[:3, 3] = distance * ray - turn @ np.array([0.0, height_m / 2, 0.0])
    return camera_hdnet(view)


def textured_mesh(model: Model, posed: Posed, texture: UInt8[np.ndarray, "S S 3"]) -> Mesh:
    """Return a posed model as a textured mesh, centimetres."""
    return atlas_mesh(posed.vertices, model.faces, model.atlas, texture)


def atlas_mesh(
    vertices: Float64[np.ndarray, "V 3"],
    faces: Int32[np.ndarray, "F 3"],
    atlas: Atlas,
    texture: UInt8[np.ndarray, "S S 3"],
) -> Mesh:
    """Return a mesh textured by an atlas."""
    return Mesh(
        vertices=vertices,
        faces=faces,
        uv=atlas.uv.astype(np.float32),
        uv_faces=atlas.faces,
        face_material=np.zeros(len(faces), np.int32),
        materials=(Material("skin", texture),),
    )


def stand_on_stage(
    pelvis: Float64[np.ndarray, " 3"], heading_deg: float
) -> Float64[np.ndarray, "4 4"]:
    """Return mesh_to_world: the pelvis over the stage's centre, turned, in metres."""
    angle = np.radians(heading_deg)
    place = np.eye(4)
    place[0, 0] = place[2, 2] = np.cos(angle)
    place[0, 2], place[2, 0] = np.sin(angle), -np.sin(angle)
    centre = np.array([pelvis[0], 0.0, pelvis[2]])
    place[:3, 3] = -place[:3, :3] @ centre
    place[:3] /= CM_PER_M
    return place


def shoot(
    context: GLContext,
    camera: Camera,
    surface: StageSurface,
    mesh: Mesh,
    mesh_to_world: Float64[np.ndarray, "4 4"],
) -> Shot:
    """Draw a frame and read the surface point of every pixel."""
    with Rasterizer(context, mesh) as rasterizer:
        front = rasterizer.draw(camera, mesh_to_world).front
        charts = charts_of(surface.atlas)
        iuv = draw_iuv(rasterizer, charts, camera, mesh_to_world)
    triangle, depth, normal = front.triangle, front.depth, front.normal
    mask = triangle >= 0
    shares = find_shares(camera, mesh, mesh_to_world, triangle, depth)
    return Shot(
        color=light_color(front.color, normal),
        mask=mask,
        iuv=iuv,
        depth=depth,
        normal=normal,
        triangle=triangle,
        rest=_mix(surface.rest, mesh.faces, triangle, shares),
    )


def _mix(
    values: Float32[np.ndarray, "N C"],
    faces: Int32[np.ndarray, "F 3"],
    triangle: Int32[np.ndarray, "H W"],
    shares: Float64[np.ndarray, "P 3"],
) -> Float32[np.ndarray, "H W C"]:
    mixed = np.full((*triangle.shape, values.shape[1]), np.nan, np.float32)
    inside = triangle >= 0
    corners = values[faces[triangle[inside]]]
    mixed[inside] = np.einsum("nk,nkc->nc", shares, corners)
    return mixed


def light_color(
    color: UInt8[np.ndarray, "H W 3"], normal: Float32[np.ndarray, "H W 3"]
) -> UInt8[np.ndarray, "H W 3"]:
    """Light a surface softly from the upper left front; normal: camera axes."""
    power = np.full(color.shape[:2], AMBIENT)
    for direction, strength in ((MAIN_LIGHT, MAIN_POWER), (SIDE_LIGHT, SIDE_POWER)):
        towards = np.array(direction) / np.linalg.norm(direction)
        power += strength * np.clip(normal @ towards, 0, 1)
    lit: UInt8[np.ndarray, "H W 3"] = np.clip(color * power[..., None], 0, LEVELS).astype(np.uint8)
    return lit
