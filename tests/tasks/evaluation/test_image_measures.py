import numpy as np
import pytest

from tasks.evaluation.image_measures import (
    mean_over_views,
    measure_depth,
    measure_normals,
    silhouette_overlap,
)

TARGET = np.linspace(100.0, 140.0, 60).reshape(6, 10)
ALL = np.ones((6, 10), bool)


def test_half_of_a_shifted_silhouette_overlaps_by_a_third() -> None:
    one, other = np.zeros((4, 6), bool), np.zeros((4, 6), bool)
    one[:, :4], other[:, 2:] = True, True
    assert silhouette_overlap(one, other) == pytest.approx(8 / 24)
    assert silhouette_overlap(one & ~one, other & ~other) == 1.0


def test_an_offset_is_found_and_taken_out_by_the_alignment() -> None:
    measures = measure_depth(TARGET + 3.0, TARGET, ALL, name="depth")
    assert measures["depth_cm"] == pytest.approx(3.0)
    assert measures["depth_rms_cm"] == pytest.approx(3.0)
    assert measures["depth_aligned_cm"] == pytest.approx(0.0, abs=1e-9)
    assert 0 < measures["depth_scaled_cm"] < 3.0


def test_a_factor_is_taken_out_by_the_scale_alone() -> None:
    measures = measure_depth(TARGET / 2, TARGET, ALL, name="depth")
    assert measures["depth_scaled_cm"] == pytest.approx(0.0, abs=1e-9)
    assert measures["depth_cm"] == pytest.approx(60.0)


def test_pixels_outside_count_nothing() -> None:
    inside = ALL.copy()
    inside[0] = False
    depth = TARGET.copy()
    depth[0] = -1e6
    assert measure_depth(depth, TARGET, inside, name="depth")["depth_cm"] == 0.0
    assert measure_depth(depth, TARGET, ~ALL, name="depth") == {}


@pytest.mark.parametrize("degrees", [0.0, 0.01, 30.0, 180.0])
def test_turned_normals_have_the_angle_of_the_turn(degrees: float) -> None:
    angle = np.radians(degrees)
    target = np.broadcast_to([0.0, 0.0, -1.0], (6, 10, 3))
    normals = np.broadcast_to([np.sin(angle), 0.0, -np.cos(angle)], (6, 10, 3))
    measures = measure_normals(normals, target, ALL, name="normal")
    assert measures["normal_image_angle_degrees"] == pytest.approx(degrees, abs=1e-6)
    assert measures["normal_image_error"] == pytest.approx(2 - 2 * np.cos(angle), abs=1e-9)


def test_a_normal_where_there_is_none_is_an_error_of_one() -> None:
    normals, target = np.zeros((2, 2, 3)), np.zeros((2, 2, 3))
    normals[0, 0] = (0, 0, -1)
    measures = measure_normals(normals, target, np.zeros((2, 2), bool), name="normal")
    assert measures == {"normal_image_error": 0.25}


def test_views_without_a_measure_are_left_out_of_its_mean() -> None:
    assert mean_over_views([{"a": 1.0, "b": 5.0}, {"a": 3.0}]) == {"a": 2.0, "b": 5.0}
