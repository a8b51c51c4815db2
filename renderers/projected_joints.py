"""Joints through the camera that drew the image: pixels, occlusion, overlay.

Source: docs/keypoints.md, "Projection".
"""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8

from schemas.camera import Camera, project, to_camera
from schemas.codecs import Box
from schemas.keypoints import BONES, SKIN_DEPTH_M
from schemas.scan import Joints

OCCLUSION_UNKNOWN = 255
_BONE_COLOR, _JOINT_COLOR, _HIDDEN_COLOR = (255, 220, 60), (40, 220, 90), (255, 70, 70)
_SUBPIXEL_BITS = 4
_THICKNESS_DIVISOR = 512
_RADIUS_DIVISOR = 256


@dataclass(frozen=True, slots=True)
class ProjectedJoints:
    """The 31 joints of one view.

    pixels: (31, 3) x, y, known; corner-origin pixels; 0, 0, 0 where unknown.
    camera: (31, 3) camera axes, scene units, NaN where unknown.
    source: schemas.keypoints.KeypointSource. occluded: 0, 1, or 255 unknown.
    """

    pixels: Float32[np.ndarray, "31 3"]
    camera: Float32[np.ndarray, "31 3"]
    source: UInt8[np.ndarray, " 31"]
    occluded: UInt8[np.ndarray, " 31"]


def project_joints(
    joints: Joints,
    camera: Camera,
    *,
    mesh_to_world: Float64[np.ndarray, "4 4"],
    front_depth: Float32[np.ndarray, "h w"],
    metres_per_unit: float,
    factor: float = 1.0,
    box: Box | None = None,
) -> ProjectedJoints:
    """Project joints by the mesh's own placement and the image's own camera.

    front_depth: ray length of the front surface, scene units, 0 outside; of the rows and columns
    of box, None: of all. factor: multiplies the placed points; 1.037 imitates the published code,
    see docs/keypoints.md.
    """
    placed = joints.positions @ mesh_to_world[:3, :3].T + mesh_to_world[:3, 3]
    world = np.where(joints.known[:, None], placed * factor, np.nan)
    pixels = project(camera, world)
    points = to_camera(camera, world)
    known = joints.known[:, None]
    stored = np.where(known, np.concatenate([pixels, known], axis=1), 0)
    return ProjectedJoints(
        pixels=stored.astype(np.float32),
        camera=points.astype(np.float32),
        source=np.where(joints.known, joints.source, 0).astype(np.uint8),
        occluded=find_occluded(pixels, points, camera, front_depth, metres_per_unit, box=box),
    )


def find_occluded(
    pixels: Float64[np.ndarray, "31 2"],
    points: Float64[np.ndarray, "31 3"],
    camera: Camera,
    front_depth: Float32[np.ndarray, "h w"],
    metres_per_unit: float,
    *,
    box: Box | None = None,
) -> UInt8[np.ndarray, " 31"]:
    """Compare each joint with the front surface at its pixel.

    1: the front surface is nearer than the joint by more than the joint lies below its skin;
    0: it is not, or there is no surface; 255: the joint is unknown or outside the image.
    """
    occluded = np.full(len(pixels), OCCLUSION_UNKNOWN, np.uint8)
    finite = np.isfinite(pixels).all(axis=1)
    columns, rows = np.floor(np.where(finite[:, None], pixels, -1)).astype(int).T
    inside = (
        finite & (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    )
    surface = _take_depth(front_depth, box, rows[inside], columns[inside])
    own = np.linalg.norm(points, axis=1) if camera.is_perspective else points[:, 2]
    allowance = np.array(SKIN_DEPTH_M)[inside] / metres_per_unit
    occluded[inside] = (surface > 0) & (own[inside] - surface > allowance)
    return occluded


def _take_depth(
    depth: Float32[np.ndarray, "h w"],
    box: Box | None,
    rows: Int64[np.ndarray, " N"],
    columns: Int64[np.ndarray, " N"],
) -> Float32[np.ndarray, " N"]:
    """Return the depth of some pixels of the image; 0 outside of the box."""
    if box is not None:
        rows, columns = rows - box[0].start, columns - box[1].start
    height, width = depth.shape
    held = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    taken = np.zeros(len(rows), np.float32)
    taken[held] = depth[rows[held], columns[held]]
    return taken


def draw_overlay(
    image: UInt8[np.ndarray, "H W 3"],
    pixels: Float32[np.ndarray, "31 3"],
    occluded: UInt8[np.ndarray, " 31"],
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw bones and joints on a copy: green seen, red occluded, unknown left out.

    pixels, occluded: as in ProjectedJoints.
    """
    canvas = image.copy()
    shortest = min(canvas.shape[:2])
    thickness = max(1, shortest // _THICKNESS_DIVISOR)
    for start, end in BONES:
        if pixels[start, 2] and pixels[end, 2]:
            first, last = _subpixel(pixels[start]), _subpixel(pixels[end])
            cv2.line(canvas, first, last, _BONE_COLOR, thickness, cv2.LINE_AA, _SUBPIXEL_BITS)
    radius = max(2, shortest // _RADIUS_DIVISOR) << _SUBPIXEL_BITS
    for joint, hidden in zip(pixels, occluded, strict=True):
        if joint[2]:
            color = _HIDDEN_COLOR if hidden == 1 else _JOINT_COLOR
            cv2.circle(canvas, _subpixel(joint), radius, color, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
    return canvas


def _subpixel(joint: Float32[np.ndarray, " 3"]) -> tuple[int, int]:
    """Convert corner-origin pixels to OpenCV's fixed point, whose origin is a pixel's centre."""
    x, y = np.round((joint[:2] - 0.5) * (1 << _SUBPIXEL_BITS)).astype(int)
    return int(x), int(y)
