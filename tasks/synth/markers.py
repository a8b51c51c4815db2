"""Painted markers: discs centred on surface points whose exact places become the joints.

So a test can find a joint again in a picture, by its colour, within half a pixel.
"""

import colorsys

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from schemas.errors import MachineError
from tasks.synth.atlas import Atlas
from tasks.synth.figure import Color
from tasks.synth.joints import USED
from tasks.synth.texels import texel_cells

FINE_JOINTS = (0, 1, 2, 3, 4, 96, 100, 104, 108, 117, 121, 125, 129)
"""Face and knuckles: their markers lie close together."""
RADIUS_CM, FINE_RADIUS_CM = 0.7, 0.4


def marker_color(number: int) -> Color:
    """Return the RGB colour of the marker of the n-th kept joint (0..30): full hues apart."""
    hue = number * 7 % len(USED) / len(USED)
    red, green, blue = colorsys.hsv_to_rgb(hue, 1.0, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def paint_markers(
    texture: UInt8[np.ndarray, "S S 3"],
    atlas: Atlas,
    vertices: Float64[np.ndarray, "V 3"],
    joints: Float64[np.ndarray, "133 3"],
) -> None:
    """Paint a disc on the texture around each kept joint, which lies on the surface."""
    for cell in texel_cells(atlas, vertices.astype(np.float32), len(texture)):
        picture, point = texture[cell.rows, cell.columns], cell.enlarge(cell.values)
        for number, joint in enumerate(USED):
            away = np.linalg.norm(point - joints[joint].astype(np.float32), axis=-1)
            picture[away < marker_radius_cm(joint)] = marker_color(number)


def marker_radius_cm(joint: int) -> float:
    """Return the radius of the marker of a COCO-WholeBody joint."""
    return FINE_RADIUS_CM if joint in FINE_JOINTS else RADIUS_CM


def points_in_front(
    vertices: Float64[np.ndarray, "V 3"],
    faces: Int32[np.ndarray, "F 3"],
    joints: Float64[np.ndarray, "133 3"],
) -> Float64[np.ndarray, "133 3"]:
    """Replace each kept joint by the frontmost (largest z) surface point with its x and y.

    Raises MachineError when a joint is not within the person's outline: a bug in the skeleton.
    """
    moved = joints.copy()
    corners = vertices[faces]
    for joint in USED:
        moved[joint, 2] = _frontmost(corners, joints[joint], joint)
    return moved


def _frontmost(
    corners: Float64[np.ndarray, "F 3 3"], point: Float64[np.ndarray, " 3"], joint: int
) -> float:
    a, b, c = (corners[:, i] - point for i in range(3))
    areas = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
    total = areas.sum(axis=1)
    hit = (areas >= 0).all(axis=1) & (total > 0)
    if not hit.any():
        raise MachineError(
            f"joint {joint}",
            met="no surface in front of it",
            wanted="a joint inside the body",
            way_out="Report this as a bug, with the seed.",
        )
    depth = (areas[hit] * corners[hit][:, :, 2]).sum(axis=1) / total[hit]
    return float(depth.max())


def _cross(
    first: Float64[np.ndarray, "F 3"], second: Float64[np.ndarray, "F 3"]
) -> Float64[np.ndarray, " F"]:
    area: Float64[np.ndarray, " F"] = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return area
