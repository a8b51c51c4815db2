import numpy as np
import pytest

from schemas.evaluation import Alignment
from tasks.evaluation.aligning import align, fit_similarity
from tests.tasks.evaluation.shapes import make_person_like, turn

SHIFT = np.array([3.0, -2.0, 4.0])


def test_exact_pairs_give_the_exact_motion() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    rotation = turn(70, (1, 2, 3))
    fitted = fit_similarity(
        points, 1.7 * points @ rotation.T + SHIFT, with_scale=True, with_rotation=True
    )
    assert fitted.scale == pytest.approx(1.7)
    np.testing.assert_allclose(fitted.rotation, rotation, atol=1e-9)
    np.testing.assert_allclose(fitted.shift, SHIFT, atol=1e-9)


def test_mirrored_pairs_give_no_mirror() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3))
    fitted = fit_similarity(points, points * [-1, 1, 1], with_scale=False, with_rotation=True)
    assert np.linalg.det(fitted.rotation) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("method", "scale", "degrees"),
    [("icp", 1.0, 8.0), ("scale", 0.8, 0.0), ("similarity", 1.3, 8.0)],
)
def test_a_moved_shape_comes_back(method: Alignment, scale: float, degrees: float) -> None:
    scan = make_person_like()
    mesh = scan.moved(scale, turn(degrees, (0.2, 1, 0)), SHIFT)
    moved, record = align(mesh, scan, method, seed=0)
    np.testing.assert_allclose(moved.vertices, scan.vertices, atol=0.5)
    assert record.scale == pytest.approx(1 / scale, rel=5e-3)
    assert record.rotation_degrees == pytest.approx(degrees, abs=0.3)


def test_no_alignment_moves_nothing() -> None:
    scan = make_person_like()
    moved, record = align(scan.moved(2.0), scan, "none", seed=0)
    np.testing.assert_array_equal(moved.vertices, 2 * scan.vertices)
    assert record.scale == 1.0
