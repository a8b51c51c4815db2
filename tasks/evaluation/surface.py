"""Surfaces that are compared: triangle meshes and point clouds, and points drawn from them."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64

from schemas.seeds import generator

_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class ShapeSurface:
    """A triangle mesh, or a point cloud where faces is None.

    vertices: (V, 3), any unit. faces: (F, 3) into vertices. normals: (V, 3) unit vectors of a
    cloud's points, where its file has them; a mesh's normals are those of its faces.
    """

    vertices: Float64[np.ndarray, "V 3"]
    faces: Int64[np.ndarray, "F 3"] | None = None
    normals: Float64[np.ndarray, "V 3"] | None = None

    def moved(
        self,
        scale: float,
        rotation: Float64[np.ndarray, "3 3"] | None = None,
        shift: Float64[np.ndarray, " 3"] | None = None,
    ) -> "ShapeSurface":
        """Return it at scale * rotation x + shift."""
        turn = np.eye(3) if rotation is None else rotation
        offset = np.zeros(3) if shift is None else shift
        normals = None if self.normals is None else self.normals @ turn.T
        return replace(self, vertices=scale * (self.vertices @ turn.T) + offset, normals=normals)


@dataclass(frozen=True, slots=True)
class SurfacePoints:
    """Points of a surface with its unit normals there; normals: None where it has none."""

    positions: Float64[np.ndarray, "N 3"]
    normals: Float64[np.ndarray, "N 3"] | None


def draw_points(surface: ShapeSurface, count: int, seed: int, purpose: str) -> SurfacePoints:
    """Draw points evenly by area from a mesh, or from a cloud's points without repetition.

    A cloud of fewer points gives all of them. The same seed and purpose give the same points.
    """
    rng = generator(seed, "evaluation", purpose)
    if surface.faces is None:
        total = len(surface.vertices)
        chosen = np.sort(rng.permutation(total)[:count]) if total > count else np.arange(total)
        normals = None if surface.normals is None else surface.normals[chosen]
        return SurfacePoints(surface.vertices[chosen], normals)
    a, b, c = (surface.vertices[surface.faces[:, corner]] for corner in range(3))
    crossed = np.cross(b - a, c - a)
    doubled_area = np.linalg.norm(crossed, axis=1)
    cumulative = np.cumsum(doubled_area)
    at = np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right")
    face = np.minimum(at, len(surface.faces) - 1)
    # Osada et al., Shape distributions (2002), eq. 1: even over a triangle.
    root, along = np.sqrt(rng.random(count))[:, None], rng.random(count)[:, None]
    positions = (1 - root) * a[face] + root * (1 - along) * b[face] + root * along * c[face]
    return SurfacePoints(positions, crossed[face] / np.maximum(doubled_area[face], _TINY)[:, None])


def face_normals(surface: ShapeSurface) -> Float64[np.ndarray, "F 3"]:
    """Return unit normals of a mesh's faces, by the order of their corners; 0 without area."""
    if surface.faces is None:
        return np.zeros((0, 3))
    a, b, c = (surface.vertices[surface.faces[:, corner]] for corner in range(3))
    crossed = np.cross(b - a, c - a)
    unit: Float64[np.ndarray, "F 3"] = crossed / np.maximum(
        np.linalg.norm(crossed, axis=1, keepdims=True), _TINY
    )
    return unit
