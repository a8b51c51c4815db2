"""Shapes whose distances are known, made without the code under test."""

import numpy as np
import trimesh

from tasks.evaluation.surface import ShapeSurface


def make_plane(*, z: float, side: float = 10.0) -> ShapeSurface:
    """Make a square that faces +z, of two triangles."""
    half = side / 2
    corners = [(-half, -half, z), (half, -half, z), (half, half, z), (-half, half, z)]
    return ShapeSurface(np.array(corners), np.array([[0, 1, 2], [0, 2, 3]]))


def make_sphere(radius: float, *, subdivisions: int = 5) -> ShapeSurface:
    """Make a sphere whose vertices are on it; faces lie a little inside."""
    return of_trimesh(trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius))


def make_person_like() -> ShapeSurface:
    """Make a closed shape without symmetry: a box with a cone on its shoulder, about 170 high."""
    box = trimesh.creation.box((40.0, 120.0, 20.0))
    cone = trimesh.creation.cone(
        15.0, 50.0, transform=trimesh.transformations.translation_matrix((8, 60, 3))
    )
    faces = np.concatenate([box.faces, cone.faces + len(box.vertices)])
    return ShapeSurface(np.concatenate([box.vertices, cone.vertices]), faces.astype(np.int64))


def of_trimesh(mesh: trimesh.Trimesh) -> ShapeSurface:
    """Take the arrays of a trimesh mesh."""
    return ShapeSurface(np.array(mesh.vertices, np.float64), np.array(mesh.faces, np.int64))


def turn(degrees: float, axis: tuple[float, float, float]) -> np.ndarray:
    """Make a rotation by trimesh's own formula."""
    matrix: np.ndarray = trimesh.transformations.rotation_matrix(np.radians(degrees), axis)[:3, :3]
    return matrix
