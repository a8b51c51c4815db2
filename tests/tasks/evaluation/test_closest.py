import numpy as np
import pytest
import trimesh

from tasks.evaluation.closest import ClosestPoints
from tasks.evaluation.surface import ShapeSurface
from tests.tasks.evaluation.shapes import make_person_like, make_plane


def test_a_point_above_a_plane_is_as_far_as_its_height() -> None:
    found = ClosestPoints(make_plane(z=1.0)).find(np.array([[0.5, 1.0, 4.0]]))
    assert found.distance == pytest.approx([3.0], abs=1e-12)
    np.testing.assert_allclose(found.positions, [[0.5, 1.0, 1.0]], atol=1e-12)
    assert found.normals is not None
    np.testing.assert_allclose(found.normals, [[0, 0, 1]], atol=1e-12)


def test_a_point_beside_a_plane_is_as_far_as_its_corner() -> None:
    found = ClosestPoints(make_plane(z=0.0)).find(np.array([[8.0, 9.0, 0.0]]))
    assert found.distance == pytest.approx([5.0], abs=1e-12)


def test_distances_are_those_of_another_library() -> None:
    surface = make_person_like()
    rng = np.random.default_rng(1)
    queries = rng.normal(size=(300, 3)) * 60
    found = ClosestPoints(surface).find(queries)
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    expected = _brute_force(mesh, queries)
    np.testing.assert_allclose(found.distance, expected, atol=1e-9)


def test_a_cloud_gives_its_nearest_point() -> None:
    cloud = ShapeSurface(np.array([[0.0, 0, 0], [4.0, 0, 0]]))
    found = ClosestPoints(cloud).find(np.array([[1.0, 0, 0], [4.0, 3.0, 0]]))
    assert found.distance == pytest.approx([1.0, 3.0])
    assert found.normals is None


def _brute_force(mesh: trimesh.Trimesh, queries: np.ndarray) -> np.ndarray:
    """Try every triangle with trimesh's own formula."""
    count = len(mesh.faces)
    nearest = [
        trimesh.triangles.closest_point(mesh.triangles, np.repeat(query[None], count, axis=0))
        for query in queries
    ]
    return np.array(
        [
            np.linalg.norm(one - query, axis=1).min()
            for one, query in zip(nearest, queries, strict=True)
        ]
    )
