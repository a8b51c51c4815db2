"""Measures between images of two surfaces: silhouette, normals, depth.

Arrays in, numbers out; `inside` arrays are True where a surface is seen. Equations:
docs/evaluation.md, "Measures".
"""

import numpy as np
from jaxtyping import Bool, Float

from schemas.evaluation import Measures


def silhouette_overlap(one: Bool[np.ndarray, "H W"], other: Bool[np.ndarray, "H W"]) -> float:
    """Return intersection by union, 0 to 1; 1 where both are empty."""
    either = int((one | other).sum())
    return int((one & other).sum()) / either if either else 1.0


def measure_depth(
    depth: Float[np.ndarray, "H W"],
    target: Float[np.ndarray, "H W"],
    inside: Bool[np.ndarray, "H W"],
    *,
    name: str,
) -> Measures:
    """Compare depth maps of one unit where both are known; no figures where none is.

    Mean absolute and root mean square error; the same after the scale, and after the scale and
    the shift, that make the squared error lowest.
    """
    found, goal = depth[inside].astype(np.float64), target[inside].astype(np.float64)
    if not found.size:
        return {}
    error = found - goal
    return {
        f"{name}_cm": float(np.abs(error).mean()),
        f"{name}_rms_cm": float(np.sqrt((error**2).mean())),
        f"{name}_scaled_cm": float(np.abs(fit_scale(found, goal) * found - goal).mean()),
        f"{name}_aligned_cm": float(np.abs(_align(found, goal) - goal).mean()),
    }


def measure_normals(
    normals: Float[np.ndarray, "H W 3"],
    target: Float[np.ndarray, "H W 3"],
    inside: Bool[np.ndarray, "H W"],
    *,
    name: str,
) -> Measures:
    """Compare unit normal maps, 0 outside.

    The angle is a mean over the pixels where both surfaces are seen; the error is that of ICON
    and ECON: |n - m|^2, a mean over all pixels, so that a wrong silhouette counts.
    """
    squared = ((normals.astype(np.float64) - target) ** 2).sum(axis=-1)
    measures = {f"{name}_image_error": float(squared.mean())}
    if inside.any():
        # |n - m| = 2 sin(angle / 2) keeps the digits of small angles, where arccos loses them.
        half_chord = np.clip(np.sqrt(squared[inside]) / 2, 0, 1)
        measures[f"{name}_image_angle_degrees"] = float(
            np.degrees(2 * np.arcsin(half_chord)).mean()
        )
    return measures


def measure_angle(
    normals: Float[np.ndarray, "H W 3"],
    target: Float[np.ndarray, "H W 3"],
    inside: Bool[np.ndarray, "H W"],
    *,
    name: str,
) -> Measures:
    """Return the mean angle alone, where the mask is known; no figure where none is inside."""
    found = measure_normals(normals, target, inside, name=name)
    key = f"{name}_image_angle_degrees"
    return {f"{name}_angle_degrees": found[key]} if key in found else {}


def fit_scale(found: Float[np.ndarray, " N"], goal: Float[np.ndarray, " N"]) -> float:
    """Return the factor s with the lowest sum of (s found - goal)^2; 1 where found is 0."""
    square = float(found @ found)
    return float(found @ goal) / square if square > 0 else 1.0


def _align(
    found: Float[np.ndarray, " N"], goal: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Return s found + t with the lowest sum of squares to the goal."""
    centred = found - found.mean()
    square = float(centred @ centred)
    scale = float(centred @ (goal - goal.mean())) / square if square > 0 else 0.0
    aligned: Float[np.ndarray, " N"] = scale * centred + goal.mean()
    return aligned


def mean_over_views(views: list[Measures]) -> Measures:
    """Return the mean of each measure over the views that have it."""
    names = dict.fromkeys(name for view in views for name in view)
    return {name: float(np.mean([view[name] for view in views if name in view])) for name in names}
