import numpy as np
import pytest

from tasks.evaluation.convergence import check_convergence


def test_the_standard_error_is_that_of_independent_values() -> None:
    values = np.random.default_rng(0).exponential(2.0, 40_000)  # mean 2, standard deviation 2
    found = check_convergence("x_cm", values)
    assert found.standard_error == pytest.approx(2.0 / 200, rel=0.5)
    assert found.is_enough
    # (0.005 / 0.01)^2 of 40,000 points
    assert found.points_needed == pytest.approx(10_000, rel=1.0)


def test_too_few_points_are_said_with_how_many_are_needed() -> None:
    values = np.random.default_rng(0).exponential(2.0, 400)
    found = check_convergence("x_cm", values)
    assert not found.is_enough
    assert found.points_needed > 400


def test_equal_distances_need_one_point() -> None:
    found = check_convergence("x_cm", np.full(100, 3.0))
    assert (found.standard_error, found.points_needed, found.is_enough) == (0.0, 1, True)
