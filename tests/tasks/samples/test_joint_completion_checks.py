import numpy as np
import pytest

from tasks.samples.joint_completion import check_annotation

CORNERS = np.array([[x, y, z] for x in (-20, 20) for y in (0, 170) for z in (-10, 10)], np.float64)
"""A person's box, centimetres."""


def _joints(scale: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.uniform((-19, 1, -9), (19, 169, 9), (133, 3)) * scale, np.ones(133, bool)


def test_joints_inside_the_mesh_are_not_doubted() -> None:
    visible, doubts = check_annotation(*_joints(), CORNERS)
    assert visible.all()
    assert doubts == ()


@pytest.mark.parametrize(("scale", "span"), [(0.01, "1.6"), (10.0, "16"), (1000.0, "1.6")])
def test_joints_in_another_unit_are_all_dropped(scale: float, span: str) -> None:
    visible, doubts = check_annotation(*_joints(scale), CORNERS)
    assert not visible.any()
    assert doubts[0].startswith(f"joints in another unit: they span {span}")
    assert doubts[0].endswith("where the mesh spans 170; all are dropped")


def test_a_joint_far_outside_is_dropped_and_named() -> None:
    positions, visible = _joints()
    positions[9] = (60, 100, 0)  # 40 beyond the box, 170 * 0.15 = 25.5 allowed
    positions[10] = (44, 100, 0)  # 24 beyond
    positions[130] = (0, 300, 0)
    kept, doubts = check_annotation(positions, visible, CORNERS)
    assert np.flatnonzero(~kept).tolist() == [9, 130]
    assert doubts == ("joints far outside the mesh are dropped: left wrist, number 130",)


def test_an_invisible_joint_may_be_anywhere() -> None:
    positions, visible = _joints()
    positions[9], visible[9] = (9e9, np.nan, 0), False
    assert check_annotation(positions, visible, CORNERS)[1] == ()


@pytest.mark.parametrize("where", [(0.0, 1e4, 0.0), (-1e30, 0.0, 0.0)], ids=["metres", "absurd"])
def test_one_absurd_joint_is_dropped_alone(where: tuple[float, float, float]) -> None:
    positions, visible = _joints()
    positions[9] = where
    kept, doubts = check_annotation(positions, visible, CORNERS)
    assert np.flatnonzero(~kept).tolist() == [9]
    assert doubts == ("joints far outside the mesh are dropped: left wrist",)


def test_an_absurd_joint_does_not_hide_that_the_others_are_in_another_unit() -> None:
    positions, visible = _joints(0.01)
    positions[9] = (0, 1e4, 0)
    kept, doubts = check_annotation(positions, visible, CORNERS)
    assert not kept.any()
    assert doubts[0].startswith("joints in another unit: they span 1.6")
