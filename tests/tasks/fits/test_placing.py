from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from schemas.scan import Scan
from schemas.settings import RenderSettings
from tasks.fits.placing import place_fitted
from tasks.samples.scan_reading import load_scan
from tests.tasks.fits.fitted_scans import thuman_ref, write_thuman_scan

SETTINGS = RenderSettings(resolution=64, yaws=(0,))


def _load(root: Path, yaw_deg: float | None) -> Scan:
    write_thuman_scan(root, yaw_deg=yaw_deg)
    return load_scan(root, thuman_ref())


def _placed(scan: Scan, settings: RenderSettings = SETTINGS) -> np.ndarray:
    matrix = place_fitted(scan, settings).mesh_to_world
    return scan.mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]


@pytest.mark.parametrize("yaw", [-120.0, -30.0, 10.0, 75.0])
def test_a_fitted_scan_is_turned_to_the_front(tmp_path: Path, yaw: float) -> None:
    placed = _placed(_load(tmp_path, yaw))
    # a box of half sizes 0.12, 0.45, 0.06, straight before the camera; its fit's turn is float32
    assert np.abs(placed).max(axis=0) / np.abs(placed).max() == pytest.approx(
        [0.12 / 0.45, 1, 0.06 / 0.45], abs=1e-6
    )


def test_a_scan_without_fit_is_unturned_and_marked(tmp_path: Path) -> None:
    scan = _load(tmp_path, None)
    assert scan.fit is None
    assert "no SMPL-X fit: the scan is not turned to the front" in scan.warnings
    assert np.allclose(place_fitted(scan, SETTINGS).mesh_to_world[0, 1:3], 0)


def test_the_size_of_a_unit_comes_from_the_fit(tmp_path: Path) -> None:
    placement = place_fitted(_load(tmp_path, 10.0), SETTINGS)
    assert placement.metric_source == "fit"
    # the box is 0.9 units, so 0.9 / 0.45 = 2 metres high, and 2 / 2.8 scene units
    assert placement.metres_per_unit == pytest.approx(2.8)


def test_the_published_turn_is_a_setting(tmp_path: Path) -> None:
    scan = _load(tmp_path, 10.0)
    assert scan.fit is not None
    leaning = replace(scan, fit=replace(scan.fit, global_orient=np.array([0.8, 0.5, 0.3])))
    published = place_fitted(leaning, SETTINGS.model_copy(update={"fronting": "published"}))
    turn = np.degrees(np.arctan2(published.mesh_to_world[0, 2], published.mesh_to_world[2, 2]))
    assert turn == pytest.approx(-np.degrees(0.5))


def test_a_hostile_fit_fails_the_scan_by_name(tmp_path: Path) -> None:
    write_thuman_scan(tmp_path, yaw_deg=10.0)
    path = tmp_path / "obj/THuman2/smplx/0001/smplx_param.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    with pytest.raises(InputError, match=r"a pickle that asks for 'posix\.system'"):
        load_scan(tmp_path, thuman_ref())


def test_a_person_who_lies_is_unturned_and_marked(tmp_path: Path) -> None:
    scan = _load(tmp_path, 10.0)
    assert scan.fit is not None
    lying = replace(scan.fit, global_orient=np.array([-np.pi / 2, 0, 0]))
    assert np.allclose(place_fitted(replace(scan, fit=lying), SETTINGS).mesh_to_world[0, 2], 0)
