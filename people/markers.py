"""Painted markers: discs centred on surface points whose exact places become the joints.

So a test can find a joint again in an image, by its colour, within half a pixel.
"""

import colorsys

import numpy as np
from jaxtyping import Float64, Int32, UInt8

from people.atlas import Atlas
from people.figure import Color
from people.meshing import edges_of, label_pieces
from people.texels import texel_cells
from schemas.errors import MachineError
from schemas.keypoints import COCO_WHOLEBODY_INDICES

FINE_JOINTS = (0, 1, 2, 3, 4, 96, 100, 104, 108, 117, 121, 125, 129)
"""Face and knuckles: their markers lie close together."""
FOOT_JOINTS = tuple(range(15, 23))
RADIUS_CM, FINE_RADIUS_CM, FOOT_RADIUS_CM = 0.7, 0.4, 1.1
"""Feet have the coarsest texels, so their discs are the largest."""
SEARCH_WIDTH, SEARCH_STEPS = 2.0, 7
"""A marker may lie so many radii beside its joint; so many places are tried each way."""
NEAR_CM = 4.0
SEAM_COST, DEEP_CM = 5.0, 4.0
GAP_CM, OVERLAP_COST = 0.5, 100.0
"""Discs keep so far apart; each centimetre less costs more than any facing can win."""


def marker_color(number: int) -> Color:
    """Return the RGB colour of the marker of the n-th kept joint (0..30): full hues apart."""
    hue = number * 7 % len(COCO_WHOLEBODY_INDICES) / len(COCO_WHOLEBODY_INDICES)
    red, green, blue = colorsys.hsv_to_rgb(hue, 1.0, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def paint_markers(
    texture: UInt8[np.ndarray, "S S 3"],
    atlas: Atlas,
    vertices: Float64[np.ndarray, "V 3"],
    joints: Float64[np.ndarray, "133 3"],
) -> None:
    """Paint a disc on the texture around each kept joint, which lies on the surface."""
    for cell in texel_cells(
        atlas, vertices.astype(np.float32), len(texture), raster_limit=len(texture)
    ):
        image, point = texture[cell.rows, cell.columns], cell.enlarge(cell.values)
        for number, joint in enumerate(COCO_WHOLEBODY_INDICES):
            away = np.linalg.norm(point - joints[joint].astype(np.float32), axis=-1)
            image[away < marker_radius_cm(joint)] = marker_color(number)


def marker_radius_cm(joint: int) -> float:
    """Return the radius of the marker of a COCO-WholeBody joint."""
    if joint in FOOT_JOINTS:
        return FOOT_RADIUS_CM
    return FINE_RADIUS_CM if joint in FINE_JOINTS else RADIUS_CM


def points_in_front(
    vertices: Float64[np.ndarray, "V 3"],
    faces: Int32[np.ndarray, "F 3"],
    joints: Float64[np.ndarray, "133 3"],
    atlas: Atlas,
) -> Float64[np.ndarray, "133 3"]:
    """Replace each kept joint by a surface point in front of it (largest z).

    Of the points within a marker's width of the joint's own x and y, the one is taken whose
    neighbourhood faces +z best: a disc that is seen from the side has no centre to be found.
    Discs keep clear of those of earlier joints and, where they can, of the seams between charts.
    Raises MachineError when a joint is not within the person's outline: a bug in the skeleton.
    """
    moved = joints.copy()
    corners = vertices[faces]
    radii = {joint: marker_radius_cm(joint) for joint in COCO_WHOLEBODY_INDICES}
    chart = label_pieces(edges_of(atlas.faces), len(atlas.uv))
    charts = chart[atlas.faces[:, 0]]
    for number, joint in enumerate(COCO_WHOLEBODY_INDICES):
        taken = moved[list(COCO_WHOLEBODY_INDICES[:number])]
        room = np.array(
            [marker_radius_cm(one) for one in COCO_WHOLEBODY_INDICES[:number]]
        ) + marker_radius_cm(joint)
        reach = SEARCH_WIDTH * marker_radius_cm(joint)
        near = (np.abs(corners[:, :, :2] - joints[joint, :2]).min(axis=1) < NEAR_CM).all(axis=1)
        found = _points_near(corners[near], joints[joint], reach, joint)
        cost = _roughness(found, corners[near], charts[near], 1.4 * radii[joint])
        moved[joint] = _choose(found, taken, room, cost)
    return moved


def _points_near(
    corners: Float64[np.ndarray, "F 3 3"],
    joint: Float64[np.ndarray, " 3"],
    reach: float,
    number: int,
) -> Float64[np.ndarray, "n 4"]:
    """Return surface points in front of a joint, and how well each faces +z (1 is best)."""
    steps = np.linspace(-reach, reach, SEARCH_STEPS)
    places = [joint + np.array([dx, dy, 0.0]) for dx in steps for dy in steps]
    found = [hit for place in places if (hit := _frontmost(corners, place)) is not None]
    if not found:
        raise MachineError(
            f"joint {number}",
            found="no surface in front of it",
            expected="a joint inside the body",
            hint="Report this as a bug, with the seed.",
        )
    return np.array([[*place, facing] for place, facing in found])


def _roughness(
    found: Float64[np.ndarray, "n 4"],
    corners: Float64[np.ndarray, "k 3 3"],
    charts: Int32[np.ndarray, " k"],
    radius: float,
) -> Float64[np.ndarray, " n"]:
    """Return what speaks against a disc at each point: relief in z (cm), a seam below it."""
    cost = np.zeros(len(found))
    low, high = corners[:, :, :2].min(axis=1), corners[:, :, :2].max(axis=1)
    for number, place in enumerate(found[:, :3]):
        close = (low < place[:2] + radius).all(axis=1) & (high > place[:2] - radius).all(axis=1)
        close &= corners[:, :, 2].max(axis=1) > place[2] - DEEP_CM
        cost[number] = np.ptp(corners[close][:, :, 2])
        cost[number] += SEAM_COST * (len(np.unique(charts[close])) > 1)
    return cost


def _choose(
    found: Float64[np.ndarray, "n 4"],
    taken: Float64[np.ndarray, "m 3"],
    room: Float64[np.ndarray, " m"],
    cost: Float64[np.ndarray, " n"],
) -> Float64[np.ndarray, " 3"]:
    """Choose the point that faces best, lies on the smoothest surface, and overlaps no disc."""
    score = found[:, 3] - cost
    if len(taken):
        gaps = np.linalg.norm(found[:, None, :3] - taken, axis=2) - room - GAP_CM
        score += OVERLAP_COST * np.minimum(gaps.min(axis=1), 0)
    return found[score.argmax(), :3]


def _frontmost(
    corners: Float64[np.ndarray, "F 3 3"], point: Float64[np.ndarray, " 3"]
) -> tuple[Float64[np.ndarray, " 3"], float] | None:
    """Return the surface point of largest z at a point's x and y, and its normal's z."""
    a, b, c = (corners[:, i] - point for i in range(3))
    areas = np.stack([_cross(b, c), _cross(c, a), _cross(a, b)], axis=1)
    total = areas.sum(axis=1)
    hit = np.flatnonzero((areas >= 0).all(axis=1) & (total > 0))
    if not len(hit):
        return None
    depth = (areas[hit] * corners[hit][:, :, 2]).sum(axis=1) / total[hit]
    front = hit[depth.argmax()]
    normal = np.cross(b[front] - a[front], c[front] - a[front])
    place = np.array([point[0], point[1], depth.max()])
    return place, float(normal[2] / np.linalg.norm(normal))


def _cross(
    first: Float64[np.ndarray, "F 3"], second: Float64[np.ndarray, "F 3"]
) -> Float64[np.ndarray, " F"]:
    area: Float64[np.ndarray, " F"] = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]
    return area
