"""Place a scan with all that its fit says: which way the person faces, and how big a unit is.

Source: docs/2k2k-dataset.md, "Placing a scan before the camera", step 4.
"""

import math

import cv2
import numpy as np
from jaxtyping import Float64

from renderers.placement import Placement, place_scan
from schemas.fits import Fronting, SmplxFit
from schemas.scan import DatasetName, Scan
from schemas.settings import RenderSettings
from tasks.scans.layouts import LAYOUTS

MIN_LEVEL_PART = 0.1
"""Of the forward axis: a person who faces within 6 degrees of straight up or down has no yaw."""


def place_fitted(scan: Scan, settings: RenderSettings) -> Placement:
    """Place a scan; without a fit it is placed unturned, by the size that its data set has.

    Raises InputError when the mesh has no extent.
    """
    if scan.fit is None:
        return place_scan(scan.mesh, scan.ref, assumed_height_m=settings.assumed_height_m)
    return place_scan(
        scan.mesh,
        scan.ref,
        assumed_height_m=settings.assumed_height_m,
        fronting_yaw_deg=_find_yaw(scan.ref.dataset, scan.fit, settings),
        fitted_metres_per_file_unit=scan.fit.metres_per_file_unit,
    )


def yaw_of_fit(fit: SmplxFit, fronting: Fronting) -> float | None:
    """Return the yaw that turns +z to where the person faces, degrees; None: no such yaw.

    published: the y component of the axis-angle vector, right only for turns about y alone.
    """
    if fronting == "published":
        return math.degrees(fit.global_orient[1])
    forward = rotation_of(fit.global_orient) @ np.array([0.0, 0.0, 1.0])
    if math.hypot(forward[0], forward[2]) < MIN_LEVEL_PART:
        return None
    return math.degrees(math.atan2(forward[0], forward[2]))


def rotation_of(axis_angle: Float64[np.ndarray, " 3"]) -> Float64[np.ndarray, "3 3"]:
    """Turn an axis-angle vector (radians) into a rotation matrix."""
    matrix, _ = cv2.Rodrigues(axis_angle)
    rotation: Float64[np.ndarray, "3 3"] = matrix
    return rotation


def _find_yaw(dataset: DatasetName, fit: SmplxFit, settings: RenderSettings) -> float:
    """Return the turn that the fit asks for, degrees; 0 where scans face the camera already."""
    if not LAYOUTS[dataset].turned_by_fit:
        return 0.0
    return yaw_of_fit(fit, settings.fronting) or 0.0
