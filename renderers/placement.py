"""Where a scan is placed before the camera.

World axes: x right, y up, z towards the viewer; the largest placed coordinate is 1 / 2.8.
Source: docs/2k2k-dataset.md, "Placing a scan before the camera".
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from schemas.errors import InputError
from schemas.scan import FACES_AT_ONCE, Mesh, ScanRef
from schemas.subjects import subject_placement
from schemas.views import View

EXTENT_FACTOR = 2.8
"""The placed scan reaches 1 / 2.8 at most. Source: docs/2k2k-dataset.md, step 2."""

METRES_PER_FILE_UNIT = {"RP": 0.01}
"""RenderPeople is in centimetres; the others have no metric unit of their own."""

MetricSource = Literal["file", "fit", "assumed_height"]


@dataclass(frozen=True, slots=True)
class Placement:
    """A scan's place in the world before any view turns it.

    mesh_to_world: (4, 4) similarity from file coordinates to world.
    """

    mesh_to_world: Float64[np.ndarray, "4 4"]
    metres_per_unit: float
    metric_source: MetricSource

    def turned(self, view: View) -> Float64[np.ndarray, "4 4"]:
        """Return mesh_to_world for a view: the yaw turns first, then the pitch."""
        turned: Float64[np.ndarray, "4 4"] = (
            rotation_x(view.pitch) @ rotation_y(view.yaw) @ self.mesh_to_world
        )
        return turned


def place_scan(
    mesh: Mesh,
    ref: ScanRef,
    *,
    assumed_height_m: float,
    fronting_yaw_deg: float = 0.0,
    fitted_metres_per_file_unit: float | None = None,
) -> Placement:
    """Place a scan: centroid to the origin, largest coordinate to 1 / 2.8, subject's own turn.

    fronting_yaw_deg: yaw that the SMPL-X fit gives the person; it is undone.
    fitted_metres_per_file_unit: size of the file's unit by the fit; used where the data set has
    none of its own.
    Raises InputError when the mesh has no extent.
    """
    centroid = surface_centroid(mesh)
    extent = float(np.abs(mesh.used_vertices - centroid).max())
    if not extent > 0:
        raise InputError(
            ref.scan_id,
            found="a mesh without extent",
            expected="a person",
            hint="Replace the scan.",
        )
    table = subject_placement()
    scale = table.scale.get(ref.item, 1.0) / (EXTENT_FACTOR * extent)
    turn = table.turn_deg.get(ref.item, 0.0) - fronting_yaw_deg
    centred = np.eye(4)
    centred[:3, 3] = -centroid
    mesh_to_world = rotation_y(turn) @ np.diag([scale, scale, scale, 1.0]) @ centred
    metres_per_file_unit, source = _metric(
        mesh, ref, fitted=fitted_metres_per_file_unit, assumed_height_m=assumed_height_m
    )
    return Placement(mesh_to_world, metres_per_file_unit / scale, source)


def surface_centroid(mesh: Mesh) -> Float64[np.ndarray, " 3"]:
    """Return the area-weighted centroid of the surface triangles, file coordinates.

    Raises InputError when no triangle has an area.
    """
    doubled_areas, middles = np.empty(len(mesh.faces)), np.empty((len(mesh.faces), 3))
    for begin in range(0, len(mesh.faces), FACES_AT_ONCE):
        some = np.s_[begin : begin + FACES_AT_ONCE]
        a, b, c = (mesh.vertices[mesh.faces[some, corner]] for corner in range(3))
        doubled_areas[some] = np.linalg.norm(np.cross(b - a, c - a), axis=1)
        middles[some] = np.mean([a, b, c], axis=0)
    total = doubled_areas.sum()
    if not total > 0:
        raise InputError(
            "mesh", found="no triangle with an area", expected="a surface", hint="Replace the scan."
        )
    centroid: Float64[np.ndarray, " 3"] = doubled_areas @ middles / total
    return centroid


def rotation_y(degrees: float) -> Float64[np.ndarray, "4 4"]:
    """Turn about the upward axis; positive turns +z towards +x."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0], [0, 0, 0, 1.0]])


def rotation_x(degrees: float) -> Float64[np.ndarray, "4 4"]:
    """Turn about the axis to the right; positive turns +y towards +z."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1.0]])


def _metric(
    mesh: Mesh, ref: ScanRef, *, fitted: float | None, assumed_height_m: float
) -> tuple[float, MetricSource]:
    """Return metres for one unit of the file, and how that is known."""
    metres_per_file_unit = METRES_PER_FILE_UNIT.get(ref.dataset)
    if metres_per_file_unit is not None:
        return metres_per_file_unit, "file"
    if fitted is not None:
        return fitted, "fit"
    heights = mesh.used_vertices[:, 1]
    return assumed_height_m / float(np.ptp(heights)), "assumed_height"
