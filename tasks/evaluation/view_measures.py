"""Measures of a mesh and a scan as they are seen: both drawn by orthographic cameras around them.

Camera and placement are the scan's: its centre is in the middle, its sphere fills the image but
for a margin. Both shapes are in centimetres and share one frame; y is up, yaw 0 faces +z.
"""

import math

import numpy as np
from jaxtyping import Float64

from renderers.placement import rotation_y
from renderers.rasterizer import Rasterizer
from renderers.session import DrawingSession
from schemas.camera import FIELD_OF_VIEW_2K2K_DEG, camera_orthographic
from schemas.evaluation import Measures, Protocol
from schemas.sample import Surfaces
from schemas.scan import Mesh
from tasks.evaluation.image_measures import (
    mean_over_views,
    measure_depth,
    measure_normals,
    silhouette_overlap,
)
from tasks.evaluation.surface import ShapeSurface

FILLED = 0.9
"""Share of the image's half side that the scan's sphere reaches."""


def measure_views(
    mesh: ShapeSurface, scan: ShapeSurface, protocol: Protocol, session: DrawingSession
) -> Measures:
    """Draw both from each yaw and compare silhouettes, normals and depth; means over the views.

    Returns nothing where one of them is a point cloud: it has no silhouette.
    """
    if mesh.faces is None or scan.faces is None or not protocol.yaws:
        return {}
    frame, scale = _frame_of(scan)
    with (
        Rasterizer(session.context, _as_mesh(mesh)) as drawn_mesh,
        Rasterizer(session.context, _as_mesh(scan)) as drawn_scan,
    ):
        camera = camera_orthographic(protocol.resolution)
        views = []
        for yaw in protocol.yaws:
            placed = rotation_y(yaw) @ frame
            seen, target = drawn_mesh.draw(camera, placed), drawn_scan.draw(camera, placed)
            views.append(_measure_view(seen, target, 1 / scale))
    return mean_over_views(views)


def _measure_view(seen: Surfaces, target: Surfaces, cm_per_unit: float) -> Measures:
    both = seen.mask & target.mask
    overlap = {"silhouette_overlap": silhouette_overlap(seen.mask, target.mask)}
    normals = measure_normals(seen.front.normal, target.front.normal, both, name="normal")
    depth = measure_depth(
        seen.front.depth * np.float32(cm_per_unit), target.front.depth * np.float32(cm_per_unit),
        both, name="depth",
    )  # fmt: skip
    return overlap | normals | depth


def _frame_of(scan: ShapeSurface) -> tuple[Float64[np.ndarray, "4 4"], float]:
    """Return what brings the scan to the origin, filling the camera's image, and its scale."""
    faces = np.zeros((0, 3), np.int64) if scan.faces is None else scan.faces
    used = scan.vertices[np.unique(faces)]
    centre = (used.min(axis=0) + used.max(axis=0)) / 2
    radius = float(np.linalg.norm(used - centre, axis=1).max())
    half_side = math.tan(math.radians(FIELD_OF_VIEW_2K2K_DEG / 2))
    scale = FILLED * half_side / radius
    frame = np.diag([scale, scale, scale, 1.0])
    frame[:3, 3] = -scale * centre
    return frame, scale


def _as_mesh(surface: ShapeSurface) -> Mesh:
    faces = np.zeros((0, 3), np.int64) if surface.faces is None else surface.faces
    return Mesh(vertices=surface.vertices, faces=faces.astype(np.int32))
