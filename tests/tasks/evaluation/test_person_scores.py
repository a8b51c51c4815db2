"""Predictions of a ball whose depth, normals and distances are known by a formula."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from schemas.camera import camera_2k2k
from schemas.errors import InputError
from schemas.evaluate_request import ProtocolOptions
from tasks.dataset.stored_sample import StoredSample
from tasks.evaluation.data_items import DataItem
from tasks.evaluation.person_scores import (
    PersonTarget,
    measure_maps,
    measure_mesh,
    normals_of_slopes,
    read_target,
    slopes_of_depth,
)
from tests.tasks.data_sets import SETTINGS
from tests.tasks.sample_rows import RADIUS, RESOLUTION, ball_row

CM = 240.0
"""Of a scene unit of the ball's row."""

PROTOCOL = ProtocolOptions(points=4000, view_yaws=(0.0, 90.0), view_resolution=128).protocol
FOCAL = camera_2k2k(RESOLUTION).focal_px


@pytest.fixture(scope="module")
def ball() -> StoredSample:
    return StoredSample(ball_row(), SETTINGS)


@pytest.fixture(scope="module")
def target(ball: StoredSample) -> PersonTarget:
    return read_target(ball, RESOLUTION)


def predict(target: PersonTarget, *, nearer: float = 0.0) -> dict[str, np.ndarray]:
    """Encode the true depth as the nets do; nearer: scene units that it comes forwards."""
    units = {}
    for name, depth in (("front", target.front), ("back", target.back)):
        pixels = (depth - nearer - 1) * FOCAL + RESOLUTION / 2  # docs/2k2k-dataset.md
        empty = 6.0 if name == "front" else 0.0
        units[name] = np.where(depth > 0, pixels / (RESOLUTION / 4), empty).astype(np.float32)
    normals = np.concatenate([encode_slopes(target, side) for side in ("front", "back")])
    mask = target.inside.astype(np.float16)
    return {**units, "mask": mask, "normals": normals.astype(np.float16)}


def encode_slopes(target: PersonTarget, side: str) -> np.ndarray:
    """Encode the analytic slopes of ray length as normals of the nets (docs/losses.md)."""
    normal = target.normals[side == "back"].astype(np.float64)
    depth = (target.back if side == "back" else target.front).astype(np.float64)
    rows, columns = np.mgrid[:RESOLUTION, :RESOLUTION] + 0.5
    plane = np.stack([(columns - 32) / FOCAL, (rows - 32) / FOCAL, np.ones_like(rows)], axis=-1)
    ray = plane / np.linalg.norm(plane, axis=-1, keepdims=True)
    # On the tangent plane n . (l r) is constant: l' = -l (n . r') / (n . r).
    slopes = []
    for axis in range(2):
        step = np.zeros((1, 1, 3))
        step[..., axis] = 1 / FOCAL
        moved = plane + step * 1e-4
        change = (moved / np.linalg.norm(moved, axis=-1, keepdims=True) - ray) / 1e-4
        below = (normal * ray).sum(-1)
        slopes.append(-depth * (normal * change).sum(-1) / np.where(below == 0, 1, below) * FOCAL)
    raw = np.stack([-slopes[0], -slopes[1], np.full_like(slopes[0], 2.008)])
    return np.where(target.inside, (raw / np.linalg.norm(raw, axis=0) + 1) / 2, 0)


def test_a_perfect_prediction_has_no_error(target: PersonTarget) -> None:
    measures = measure_maps(target, predict(target))
    assert measures["mask_overlap"] == 1.0
    for side in ("front", "back"):
        assert measures[f"depth_{side}_cm"] == pytest.approx(0, abs=1e-3)
        assert measures[f"depth_normal_{side}_angle_degrees"] < 2  # differences over two pixels
        assert measures[f"normal_{side}_angle_degrees"] < 1  # 16-bit floats, steep at the rim


def test_a_shift_is_a_depth_error_in_centimetres(target: PersonTarget) -> None:
    measures = measure_maps(target, predict(target, nearer=0.02))
    assert measures["depth_front_cm"] == pytest.approx(0.02 * CM, rel=1e-3)
    assert measures["depth_front_aligned_cm"] == pytest.approx(0, abs=1e-3)


def test_normals_of_an_analytic_ball_come_from_its_depth(target: PersonTarget) -> None:
    across, down, inside = slopes_of_depth(target.front.astype(np.float64), target.inside)
    found = normals_of_slopes(across, down, target.front, target.camera, is_front=True)
    cosine = (found * target.normals[0]).sum(-1)[inside]
    assert np.median(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) < 0.5


def test_the_mesh_of_a_perfect_prediction_lies_on_the_scan(
    ball: StoredSample, target: PersonTarget, tmp_path: Path
) -> None:
    scan = tmp_path / "ball.ply"
    trimesh.creation.icosphere(subdivisions=5, radius=RADIUS).export(scan)
    item = DataItem("ball", tmp_path, "", 0, SETTINGS, scan)
    measures, mesh = measure_mesh(target, item, ball, predict(target), PROTOCOL, scale=1.0)
    assert len(mesh.faces) > 1000
    assert measures["mesh_coverage"] == 1.0
    assert measures["p2s_cm"] < 0.01 * RADIUS * CM  # the wall at the silhouette is a chord
    assert measures["silhouette_overlap"] > 0.85  # half a pixel of 21 is lost all around


def test_without_the_scan_the_stored_depth_is_the_target(
    ball: StoredSample, target: PersonTarget, tmp_path: Path
) -> None:
    item = DataItem("ball", tmp_path, "", 0, SETTINGS, None)
    measures, _ = measure_mesh(target, item, ball, predict(target), PROTOCOL, scale=1.0)
    assert measures["chamfer_cm"] == pytest.approx(0, abs=0.01)


def test_a_prediction_without_a_person_has_no_mesh(
    ball: StoredSample, target: PersonTarget, tmp_path: Path
) -> None:
    item = DataItem("ball", tmp_path, "", 0, SETTINGS, None)
    empty = {**predict(target), "front": np.full_like(target.front, 6.0)}
    with pytest.raises(InputError, match="no pixel"):
        measure_mesh(target, item, ball, empty, PROTOCOL, scale=1.0)


def test_half_a_person_covers_half(
    ball: StoredSample, target: PersonTarget, tmp_path: Path
) -> None:
    item = DataItem("ball", tmp_path, "", 0, SETTINGS, None)
    half = predict(target)
    half["front"][:, RESOLUTION // 2 :] = 6.0
    measures, _ = measure_mesh(target, item, ball, half, PROTOCOL, scale=1.0)
    assert measures["mesh_coverage"] == pytest.approx(0.5, abs=0.01)


def test_a_resolution_that_divides_nothing_is_refused(ball: StoredSample) -> None:
    with pytest.raises(InputError, match="64 pixels a side; expected a multiple of the 48"):
        read_target(ball, 48)


def test_half_the_resolution_takes_every_second_pixel(ball: StoredSample) -> None:
    half = read_target(ball, RESOLUTION // 2)
    np.testing.assert_array_equal(half.front, ball.depth[0][::2, ::2])
    assert half.image.shape == (32, 32, 3)
    np.testing.assert_allclose(half.keypoints[0, :2], ball.keypoints[0, :2] / 2)
