import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from schemas.fits import SmplxFit
from tasks.fits.fit_parameters import read_fit
from tasks.fits.placing import yaw_of_fit
from tests.tasks.fits.fit_pickles import write_release_a


@pytest.fixture
def fit(tmp_path: Path) -> SmplxFit:
    return read_fit(write_release_a(tmp_path / "a.pkl"))


def _turn(fit: SmplxFit, rotation: Rotation) -> SmplxFit:
    return replace(fit, global_orient=rotation.as_rotvec())


@pytest.mark.parametrize("yaw", [-170.0, -90.0, -12.5, 0.0, 30.0, 135.0])
def test_a_turn_about_y_alone_is_its_own_yaw_both_ways(fit: SmplxFit, yaw: float) -> None:
    turned = _turn(fit, Rotation.from_euler("y", yaw, degrees=True))
    assert yaw_of_fit(turned, "true_yaw") == pytest.approx(yaw)
    assert yaw_of_fit(turned, "published") == pytest.approx(yaw)


def test_a_lean_does_not_change_the_true_yaw_but_the_published_one(fit: SmplxFit) -> None:
    # first leaning forward about x by 40 degrees, then turned about y by 70
    turned = _turn(fit, Rotation.from_euler("xy", [40, 70], degrees=True))
    assert yaw_of_fit(turned, "true_yaw") == pytest.approx(70)
    published = yaw_of_fit(turned, "published")
    assert published is not None
    assert abs(published - 70) > 3


def test_the_true_yaw_is_that_of_the_rotated_forward_axis(fit: SmplxFit) -> None:
    forward = Rotation.from_rotvec(fit.global_orient).apply([0, 0, 1])
    assert yaw_of_fit(fit, "true_yaw") == pytest.approx(
        math.degrees(math.atan2(forward[0], forward[2]))
    )


def test_who_faces_straight_up_has_no_yaw(fit: SmplxFit) -> None:
    assert yaw_of_fit(replace(fit, global_orient=np.array([-np.pi / 2, 0, 0])), "true_yaw") is None
