"""Alignments of a mesh with a scan: scale, similarity, or a rigid motion, by closest points.

Each is fitted by iterated closest points (Besl and McKay, 1992), whose closed form of each step is
that of Umeyama (1991). Where scale is free, points of both surfaces are paired, because
the pairs of one surface alone are closest when it has shrunk to a point.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from schemas.evaluation import Alignment, AlignmentRecord
from tasks.evaluation.closest import ClosestPoints
from tasks.evaluation.surface import ShapeSurface, draw_points

FITTED_POINTS = 5000
"""Of each surface: the pose's error falls with their root, and each step looks all of them up."""

MAX_ITERATIONS = 200
TOLERANCE = 1e-7
"""Change of the mean distance by the mean distance at which a fit ends."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """x' = scale * rotation x + shift."""

    scale: float
    rotation: Float64[np.ndarray, "3 3"]
    shift: Float64[np.ndarray, " 3"]

    def apply(self, points: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
        """Move points."""
        moved: Float64[np.ndarray, "N 3"] = self.scale * (points @ self.rotation.T) + self.shift
        return moved

    def undo(self, points: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 3"]:
        """Move points back."""
        back: Float64[np.ndarray, "N 3"] = (points - self.shift) @ self.rotation / self.scale
        return back


IDENTITY = Similarity(1.0, np.eye(3), np.zeros(3))


def align(
    mesh: ShapeSurface, scan: ShapeSurface, method: Alignment, *, seed: int
) -> tuple[ShapeSurface, AlignmentRecord]:
    """Move a mesh onto a scan; returns it with the motion. Both in centimetres."""
    if method == "none":
        return mesh, AlignmentRecord(method=method)
    fitted, iterations = _fit_closest(mesh, scan, method, seed)
    cosine = np.clip((np.trace(fitted.rotation) - 1) / 2, -1, 1)
    record = AlignmentRecord(
        method=method,
        scale=fitted.scale,
        rotation_degrees=float(np.degrees(np.arccos(cosine))),
        shift_cm=(float(fitted.shift[0]), float(fitted.shift[1]), float(fitted.shift[2])),
        iterations=iterations,
    )
    return mesh.moved(fitted.scale, fitted.rotation, fitted.shift), record


def fit_similarity(
    source: Float64[np.ndarray, "N 3"],
    goal: Float64[np.ndarray, "N 3"],
    *,
    with_scale: bool,
    with_rotation: bool,
) -> Similarity:
    """Fit the motion of pairs with the lowest sum of squares.

    Source: Umeyama (1991), eq. 40 to 43, whose determinant rule forbids mirroring.
    """
    middle, aim = source.mean(axis=0), goal.mean(axis=0)
    a, b = source - middle, goal - aim
    rotation = np.eye(3)
    if with_rotation:
        u, _, vt = np.linalg.svd(b.T @ a)
        rotation = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    scale = 1.0
    if with_scale and (spread := float((a**2).sum())) > 0:
        scale = float((b * (a @ rotation.T)).sum()) / spread
    return Similarity(scale, rotation, aim - scale * (rotation @ middle))


def _fit_closest(
    mesh: ShapeSurface, scan: ShapeSurface, method: Alignment, seed: int
) -> tuple[Similarity, int]:
    with_scale, with_rotation = method != "icp", method != "scale"
    on_mesh = draw_points(mesh, FITTED_POINTS, seed, "align mesh").positions
    on_scan = draw_points(scan, FITTED_POINTS, seed, "align scan").positions
    of_mesh, of_scan = ClosestPoints(mesh), ClosestPoints(scan)
    fitted = _start_by_moments(on_mesh, on_scan) if with_scale else IDENTITY
    before = np.inf
    for iteration in range(1, MAX_ITERATIONS + 1):
        found = of_scan.find(fitted.apply(on_mesh))
        source, goal, distance = on_mesh, found.positions, float(found.distance.mean())
        if with_scale:
            back = of_mesh.find(fitted.undo(on_scan))
            source, goal = np.vstack([on_mesh, back.positions]), np.vstack([goal, on_scan])
            distance += fitted.scale * float(back.distance.mean())
        if before - distance <= TOLERANCE * distance and iteration > 1:
            return fitted, iteration
        before = distance
        fitted = fit_similarity(source, goal, with_scale=with_scale, with_rotation=with_rotation)
    return fitted, MAX_ITERATIONS


def _start_by_moments(
    source: Float64[np.ndarray, "N 3"], goal: Float64[np.ndarray, "M 3"]
) -> Similarity:
    """Bring centre and mean square radius onto those of the goal."""
    middle, aim = source.mean(axis=0), goal.mean(axis=0)
    radius = float(np.sqrt(((source - middle) ** 2).sum(axis=1).mean()))
    goal_radius = float(np.sqrt(((goal - aim) ** 2).sum(axis=1).mean()))
    scale = goal_radius / radius if radius > 0 else 1.0
    return Similarity(scale, np.eye(3), aim - scale * middle)
