import numpy as np
import pytest
import trimesh

from schemas.evaluate_request import ProtocolOptions
from tasks.evaluation.surface import ShapeSurface, draw_points
from tasks.evaluation.surface_measures import measure_surfaces
from tests.tasks.evaluation.shapes import make_plane, make_sphere, of_trimesh

PROTOCOL = ProtocolOptions(points=20_000).protocol


def test_two_spheres_are_as_far_apart_as_their_radii() -> None:
    measures = measure_surfaces(make_sphere(11.0), make_sphere(10.0), PROTOCOL).measures
    for name in ("p2s_cm", "chamfer_cm", "mesh_to_scan_cm", "scan_to_mesh_cm"):
        assert measures[name] == pytest.approx(1.0, abs=0.01)  # facets lie up to 0.006 inside
    assert measures["normal_consistency"] == pytest.approx(1.0, abs=1e-3)
    assert measures["normal_angle_degrees"] < 2


def test_an_equal_surface_is_at_distance_zero() -> None:
    measures = measure_surfaces(make_sphere(10.0), make_sphere(10.0), PROTOCOL).measures
    assert measures["hausdorff_cm"] == pytest.approx(0.0, abs=1e-6)


def test_two_planes_are_as_far_apart_as_their_offset() -> None:
    measures = measure_surfaces(make_plane(z=2.5), make_plane(z=0.0), PROTOCOL).measures
    assert measures["chamfer_cm"] == pytest.approx(2.5, abs=1e-9)
    assert measures["mesh_to_scan_rms_cm"] == pytest.approx(2.5, abs=1e-9)
    assert measures["normal_angle_degrees"] == pytest.approx(0.0, abs=1e-5)


def test_a_turned_over_plane_keeps_its_consistency_and_loses_its_angle() -> None:
    plane = make_plane(z=0.0)
    assert plane.faces is not None
    turned = ShapeSurface(plane.vertices, plane.faces[:, ::-1].copy())
    measures = measure_surfaces(turned, plane, PROTOCOL).measures
    assert measures["normal_consistency"] == pytest.approx(1.0)
    assert measures["normal_angle_degrees"] == pytest.approx(180.0, abs=1e-5)


def test_a_cube_in_a_cube_shows_both_directions() -> None:
    inner, outer = (of_trimesh(trimesh.creation.box((side,) * 3)) for side in (2.0, 4.0))
    measures = measure_surfaces(inner, outer, PROTOCOL).measures
    assert measures["mesh_to_scan_cm"] == pytest.approx(1.0, abs=1e-9)  # straight out
    # From the outer cube: 1 above the inner one's faces, more where x or y leaves its square.
    xy = (np.arange(2000) + 0.5) / 500 - 2
    beyond = np.maximum(np.abs(xy) - 1, 0)
    expected = np.sqrt(1 + beyond[:, None] ** 2 + beyond[None] ** 2).mean()
    assert measures["scan_to_mesh_cm"] == pytest.approx(expected, rel=5e-3)


@pytest.mark.parametrize(("preset", "expected"), [("scanmill", 1.0), ("icon", 1.144)])
def test_p2s_begins_at_the_surface_that_the_preset_names(preset: str, expected: float) -> None:
    inner, outer = (of_trimesh(trimesh.creation.box((side,) * 3)) for side in (2.0, 4.0))
    protocol = ProtocolOptions.model_validate({"preset": preset, "points": 20_000}).protocol
    assert measure_surfaces(inner, outer, protocol).measures["p2s_cm"] == pytest.approx(
        expected, abs=0.05
    )


def test_a_cloud_without_normals_has_distances_alone() -> None:
    cloud = ShapeSurface(make_sphere(11.0).vertices)
    measures = measure_surfaces(cloud, make_sphere(10.0), PROTOCOL).measures
    assert measures["mesh_to_scan_cm"] == pytest.approx(1.0, abs=0.01)
    assert "normal_consistency" not in measures


def test_points_are_drawn_evenly_by_area() -> None:
    sizes = trimesh.creation.box((1.0, 1.0, 8.0))  # two of six faces have 1 of 34 parts of the area
    points = draw_points(of_trimesh(sizes), 40_000, 0, "test").positions
    ends = np.abs(np.abs(points[:, 2]) - 4.0) < 1e-9
    assert ends.mean() == pytest.approx(2 / 34, abs=0.005)
    assert points[:, :2].mean(axis=0) == pytest.approx([0, 0], abs=0.01)


def test_the_same_seed_draws_the_same_points() -> None:
    sphere = make_sphere(1.0, subdivisions=2)
    first, again, other = (draw_points(sphere, 100, seed, "test").positions for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
