from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from tasks.fits.fit_parameters import read_fit
from tests.tasks.fits.fit_pickles import fit_arrays, write_release_a, write_release_b


def test_both_published_releases_give_the_same_fit(tmp_path: Path) -> None:
    first = read_fit(write_release_a(tmp_path / "a.pkl"))
    second = read_fit(write_release_b(tmp_path / "b.pkl"))
    assert first.scale == pytest.approx(0.42)
    assert second.scale == 0.42
    assert first.global_orient == pytest.approx([0.03, 0.46, -0.02])
    assert np.array_equal(first.body_pose, second.body_pose)
    assert second.translation.tolist() == [-0.0055, 0.15, -0.0024]


def test_metres_are_units_divided_by_the_scale(tmp_path: Path) -> None:
    fit = read_fit(write_release_b(tmp_path / "b.pkl"))
    assert fit.metres_per_file_unit == pytest.approx(2.380952, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": None}, r"no scale; expected the parameters betas, .*scale"),
        ({"scale": np.array([0.0])}, "scale 0.0; expected a positive scale"),
        ({"scale": np.array([-0.4])}, "scale -0.4; expected a positive scale"),
        ({"betas": np.zeros((1, 300))}, r"betas of shape \(1, 300\); expected 10 numbers"),
        ({"body_pose": np.zeros((21, 3))}, r"body_pose of shape \(21, 3\); expected 63 numbers"),
        ({"global_orient": np.array([[0, np.nan, 0]])}, "nan.*expected finite numbers"),
        ({"translation": np.array([0, np.inf, 0])}, "inf.*expected finite numbers"),
    ],
)
def test_a_broken_fit_is_refused_with_what_was_met(
    tmp_path: Path, change: dict[str, np.ndarray | None], message: str
) -> None:
    arrays = {name: value for name, value in (fit_arrays() | change).items() if value is not None}
    with pytest.raises(InputError, match=message):
        read_fit(write_release_a(tmp_path / "a.pkl", arrays))
