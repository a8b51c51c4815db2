"""Predictions of a ball before HDNet's camera, whose depth and normals are known by a formula."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from schemas.errors import InputError
from schemas.evaluate_request import ProtocolOptions
from schemas.settings import RenderSettings
from tasks.dataset.stored_sample import StoredSample
from tasks.evaluation.data_items import DataItem
from tasks.evaluation.surface_scores import (
    SurfaceTarget,
    measure_surface_maps,
    measure_surface_mesh,
    read_surface_target,
)
from tests.tasks.formats.hdnet.ball_rows import (
    HDNET_DISTANCE_M,
    HDNET_RADIUS_M,
    crop_ray,
    hdnet_row,
)

SETTINGS = RenderSettings(camera="hdnet", resolution=256, yaws=(0,))
PROTOCOL = ProtocolOptions(points=4000, view_yaws=()).protocol


@pytest.fixture(scope="module")
def ball() -> StoredSample:
    return StoredSample(hdnet_row(), SETTINGS)


@pytest.fixture(scope="module")
def target(ball: StoredSample) -> SurfaceTarget:
    return read_surface_target(ball)


def predict(target: SurfaceTarget, *, nearer_m: float = 0.0) -> dict[str, np.ndarray]:
    """Give the true maps as the nets do: the median at 4 m, planes first."""
    inside = target.mask
    shift = 4.0 - np.median(target.depth_m[inside])
    depth = np.where(inside, target.depth_m + shift - nearer_m, 0).astype(np.float32)
    return {"depth": depth, "normals": target.normals.transpose(2, 0, 1).astype(np.float32)}


def test_a_perfect_prediction_has_no_error(target: SurfaceTarget) -> None:
    measures = measure_surface_maps(target, predict(target))
    assert measures["depth_front_cm"] == pytest.approx(0, abs=1e-3)
    assert measures["normal_front_angle_degrees"] < 0.1
    assert measures["depth_normal_front_angle_degrees"] < 1


def test_a_shift_is_found_and_taken_out_by_the_alignment(target: SurfaceTarget) -> None:
    measures = measure_surface_maps(target, predict(target, nearer_m=0.05))
    assert measures["depth_front_cm"] == pytest.approx(5.0, abs=1e-2)
    assert measures["depth_front_aligned_cm"] == pytest.approx(0.0, abs=1e-2)


def test_the_front_of_a_perfect_prediction_lies_on_the_scan(
    ball: StoredSample, target: SurfaceTarget, tmp_path: Path
) -> None:
    scan = tmp_path / "ball.ply"
    sphere = trimesh.creation.icosphere(subdivisions=5, radius=HDNET_RADIUS_M)
    sphere.apply_translation(HDNET_DISTANCE_M * crop_ray())  # the row's own frame
    sphere.export(scan)
    item = DataItem("ball", tmp_path, "", 0, SETTINGS, scan)
    measures, mesh = measure_surface_mesh(target, item, ball, predict(target), PROTOCOL)
    assert len(mesh.faces) > 1000
    assert measures["mesh_to_scan_cm"] < 0.005 * 100 * HDNET_RADIUS_M
    assert measures["scan_to_mesh_cm"] > 0.2 * 100 * HDNET_RADIUS_M  # the back is not predicted


def test_a_sample_without_densepose_is_refused(ball: StoredSample) -> None:
    bare = StoredSample({**ball.row, "iuv": None}, SETTINGS)
    with pytest.raises(InputError, match="no DensePose"):
        read_surface_target(bare)


def test_depth_out_of_range_has_no_mesh(
    ball: StoredSample, target: SurfaceTarget, tmp_path: Path
) -> None:
    item = DataItem("ball", tmp_path, "", 0, SETTINGS, None)
    far = {**predict(target), "depth": np.full((256, 256), -50.0, np.float32)}
    with pytest.raises(InputError, match="no surface"):
        measure_surface_mesh(target, item, ball, far, PROTOCOL)
