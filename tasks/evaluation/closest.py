"""The closest point of a surface: exact on triangles, among the points of a cloud.

libigl's tree of boxes finds the closest triangle and the point on it in float64. Measured on one
core with 100,000 points against a scan of 108,304 triangles: 0.34 s of CPU time (5,000 points by
trimesh's r-tree: 0.4 to 10 s, growing with the distance); 1.7 million triangles: 7.6 s.
"""

from dataclasses import dataclass

import igl
import numpy as np
from jaxtyping import Float64
from scipy.spatial import cKDTree

from tasks.evaluation.surface import ShapeSurface, face_normals


@dataclass(frozen=True, slots=True)
class Closest:
    """For each query its closest point of a surface.

    distance: of the two, in the unit of the points. normals: the surface's unit normals there;
    None where it has none.
    """

    distance: Float64[np.ndarray, " N"]
    positions: Float64[np.ndarray, "N 3"]
    normals: Float64[np.ndarray, "N 3"] | None


class ClosestPoints:
    """Answer for any points which point of one surface is closest. Owns: the tree over it."""

    def __init__(self, surface: ShapeSurface) -> None:
        """Build the tree."""
        self._surface = surface
        if surface.faces is None:
            self._cloud = cKDTree(surface.vertices)
            return
        self._arrays = tuple(map(np.ascontiguousarray, (surface.vertices, surface.faces)))
        self._boxes = igl.AABB()
        self._boxes.init(*self._arrays)
        self._normals = face_normals(surface)

    def find(self, queries: Float64[np.ndarray, "N 3"]) -> Closest:
        """Find the closest point of the mesh's triangles, or of the cloud, for each query."""
        if self._surface.faces is None:
            return self._find_in_cloud(queries)
        squared, face, positions = self._boxes.squared_distance(
            *self._arrays, np.ascontiguousarray(queries)
        )
        return Closest(
            np.sqrt(np.asarray(squared, np.float64)),
            np.asarray(positions, np.float64),
            self._normals[np.asarray(face, np.int64)],
        )

    def _find_in_cloud(self, queries: Float64[np.ndarray, "N 3"]) -> Closest:
        distance, index = self._cloud.query(queries)
        surface = self._surface
        normals = None if surface.normals is None else surface.normals[index]
        return Closest(np.asarray(distance, np.float64), surface.vertices[index], normals)
