from pathlib import Path

import numpy as np
import pytest
import trimesh

from schemas.evaluate_request import ProtocolOptions
from schemas.evaluation import MeshResult
from tasks.evaluation.mesh_evaluation import evaluate_mesh
from tests.tasks.evaluation.shapes import make_person_like

PROTOCOL = ProtocolOptions(points=5000, view_resolution=128).protocol


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    surface = make_person_like()
    path = tmp_path / "scan.obj"
    trimesh.Trimesh(surface.vertices, surface.faces, process=False).export(path)
    return path


def measure_moved(scan: Path, shift: tuple[float, float, float]) -> MeshResult:
    mesh = trimesh.load_mesh(scan, process=False)
    mesh.apply_translation(shift)
    mesh.export(scan.with_name("mesh.ply"))
    return evaluate_mesh(scan.with_name("mesh.ply"), scan, PROTOCOL, cm_per_unit=1.0)


def test_the_scan_itself_is_perfect(scan: Path) -> None:
    measures = evaluate_mesh(scan, scan, PROTOCOL, cm_per_unit=1.0).measures
    assert measures["silhouette_overlap"] == 1.0
    assert measures["normal_image_angle_degrees"] == pytest.approx(0, abs=1e-3)
    for name in ("p2s_cm", "chamfer_cm", "depth_cm", "hausdorff_cm"):
        assert measures[name] == pytest.approx(0, abs=1e-4)


def test_a_shift_towards_the_viewer_is_a_depth_error_of_that_size(scan: Path) -> None:
    protocol = PROTOCOL.model_copy(update={"yaws": (0.0,)})
    mesh = trimesh.load_mesh(scan, process=False)
    mesh.apply_translation((0, 0, 4.0))
    mesh.export(scan.with_name("mesh.glb"))
    measures = evaluate_mesh(scan.with_name("mesh.glb"), scan, protocol, cm_per_unit=1.0).measures
    assert measures["depth_cm"] == pytest.approx(4.0, abs=1e-3)
    assert measures["depth_aligned_cm"] == pytest.approx(0.0, abs=1e-3)
    assert measures["silhouette_overlap"] == 1.0


def test_a_shift_sideways_costs_silhouette(scan: Path) -> None:
    # The box is 40 wide from the front, 20 from the side; moved by 8 along x.
    measures = measure_moved(scan, (8.0, 0.0, 0.0)).measures
    assert 0.6 < measures["silhouette_overlap"] < 0.95


def test_the_unit_turns_figures_into_centimetres(scan: Path) -> None:
    one, hundred = (
        evaluate_mesh(scan.with_name("mesh.ply"), scan, PROTOCOL, cm_per_unit=unit).measures
        for unit in (1.0, 100.0)
        if measure_moved(scan, (1.0, 0.0, 0.0))
    )
    assert hundred["chamfer_cm"] == pytest.approx(100 * one["chamfer_cm"])
    assert hundred["depth_cm"] == pytest.approx(100 * one["depth_cm"], rel=1e-3)


def test_a_scan_without_unit_is_170_cm_tall_and_that_is_said(scan: Path) -> None:
    result = evaluate_mesh(scan, scan, PROTOCOL)
    height = np.ptp(make_person_like().vertices[:, 1])
    assert result.cm_per_unit == pytest.approx(170 / height)
    assert result.unit_source == "assumed_height"
    assert any("170 cm tall" in line for line in result.warnings)


def test_few_points_are_reported(scan: Path) -> None:
    protocol = ProtocolOptions(points=100, view_yaws=()).protocol
    mesh = trimesh.creation.icosphere(radius=60.0)
    mesh.export(scan.with_name("ball.ply"))
    result = evaluate_mesh(scan.with_name("ball.ply"), scan, protocol, cm_per_unit=1.0)
    assert any("standard error" in line for line in result.warnings)


def test_a_result_is_read_back_from_its_json(scan: Path) -> None:
    result = evaluate_mesh(scan, scan, PROTOCOL)
    assert MeshResult.model_validate_json(result.model_dump_json()) == result


def test_a_cloud_has_no_views_and_says_so(scan: Path) -> None:
    path = scan.with_name("cloud.ply")
    trimesh.PointCloud(make_person_like().vertices).export(path)
    result = evaluate_mesh(path, scan, PROTOCOL, cm_per_unit=1.0)
    assert "silhouette_overlap" not in result.measures
    assert "a point cloud has no silhouette: views were left out" in result.warnings
