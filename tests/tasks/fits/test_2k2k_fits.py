"""The present release of 2K2K: a PLY with its SMPL-X fit beside it, or without one."""

import json
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import InputError
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from tasks.fits.fit_parameters import read_fit
from tasks.fits.placing import place_fitted
from tasks.samples.scan_reading import load_scan
from tasks.scans.layouts import DATASETS_WITH_FITS
from tasks.scans.ply import read_ply
from tests.tasks.fits.fit_pickles import fit_arrays, write_release_a

REF = ScanRef(dataset="2K2K", item="00003", subject="00003", split="train")
SETTINGS = RenderSettings(resolution=64, yaws=(0,))
HEADER = """ply
format binary_little_endian 1.0
element vertex {vertices}
property float x
property float y
property float z
property uchar red
property uchar green
property uchar blue
property uchar alpha
element face {faces}
property list uchar int vertex_indices
end_header
"""


def write_grid(path: Path, rows: int, columns: int) -> Path:
    """Write a sheet of rows x columns vertices as the release writes its scans."""
    vertices = np.zeros(rows * columns, [("place", "<f4", 3), ("color", "u1", 4)])
    y, x = np.mgrid[0:rows, 0:columns]
    vertices["place"] = np.stack([x / columns, y / rows * 1.7, 0.1 * np.sin(x)], -1).reshape(-1, 3)
    vertices["color"] = (200, 120, 40, 255)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.zeros(2 * corner.size, [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"] = 3
    faces["corners"][::2] = corner[:, None] + [0, 1, columns]
    faces["corners"][1::2] = corner[:, None] + [1, columns + 1, columns]
    head = HEADER.format(vertices=len(vertices), faces=len(faces)).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + vertices.tobytes() + faces.tobytes())
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_grid(tmp_path / "obj/2K2K/00003/00003.ply", 30, 20)
    return tmp_path


def parameters() -> dict[str, object]:
    """Make parameters as the release has them: lists, hands of 45 numbers, transl."""
    arrays = fit_arrays(global_orient=(0.0, 0.4, 0.0))
    arrays |= dict.fromkeys(("left_hand_pose", "right_hand_pose"), np.full(45, 0.1))
    kept = {name: array.ravel().tolist() for name, array in arrays.items()}
    del kept["scale"], kept["translation"], kept["leye_pose"], kept["reye_pose"]
    return {**kept, "transl": [0.1, 0.9, 0.0]}


def write_json(
    root: Path, name: str = "00003_smplx.json", changes: dict[str, object] | None = None
) -> Path:
    path = root / "obj/2K2K/00003" / name
    path.write_text(json.dumps(parameters() | (changes or {})))
    return path


def test_a_scan_without_a_fit_is_no_warning_and_keeps_its_turn(root: Path) -> None:
    scan = load_scan(root, REF)
    assert scan.fit is None
    assert scan.warnings == ("no Joint3D annotation: all keypoints are unknown",)
    assert place_fitted(scan, SETTINGS).metric_source == "assumed_height"


@pytest.mark.parametrize("name", ["00003_smplx.json", "smplx_param.json"])
def test_a_fit_beside_the_scan_sizes_it_and_does_not_turn_it(root: Path, name: str) -> None:
    write_json(root, name)
    scan = load_scan(root, REF)
    placement = place_fitted(scan, SETTINGS)
    assert scan.fit is not None
    assert scan.fit.translation.tolist() == [0.1, 0.9, 0.0]
    assert placement.metric_source == "fit"
    assert placement.mesh_to_world[0, 2] == 0


def test_a_pickled_fit_beside_the_scan_is_read_as_safely_as_thumans(root: Path) -> None:
    write_release_a(root / "obj/2K2K/00003/00003_smplx.pkl")
    fit = load_scan(root, REF).fit
    assert fit is not None
    assert fit.scale == pytest.approx(0.42)


def test_what_json_leaves_out_is_zero_and_scale_one(root: Path) -> None:
    fit = read_fit(write_json(root))
    assert fit.scale == 1
    assert fit.left_hand_pose.tolist() == [0.1] * 45
    assert not fit.leye_pose.any()


def test_a_scale_moves_the_body_too(root: Path) -> None:
    fit = read_fit(write_json(root, changes={"scale": 2.0}))
    assert fit.translation.tolist() == [0.2, 1.8, 0.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"betas": None}, "betas of shape .*expected 10 numbers"),
        ({"betas": [0.0] * 300}, r"betas of shape \(300,\); expected 10 numbers"),
        ({"body_pose": [0.0, "x"]}, "body_pose is no table of numbers"),
        ({"global_orient": [0.0, float("nan"), 0.0]}, "expected finite numbers"),
        ({"scale": 0}, "expected a positive scale"),
        ({"scale": [1, 2]}, "scale of shape"),
    ],
)
def test_a_broken_json_fit_is_refused_by_its_parameter(
    root: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_fit(write_json(root, changes=changes))


def test_json_that_is_no_fit_is_refused(root: Path) -> None:
    path = root / "obj/2K2K/00003/smplx_param.json"
    path.write_text("[1, 2]")
    with pytest.raises(InputError, match="no object; expected the parameters betas"):
        read_fit(path)


def test_fits_can_be_required_of_2k2k() -> None:
    assert "2K2K" in DATASETS_WITH_FITS


def test_a_million_vertices_are_read_within_a_gigabyte(tmp_path: Path) -> None:
    path = write_grid(tmp_path / "scan.ply", 1000, 1000)
    tracemalloc.start()
    geometry = read_ply(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(geometry.vertices) == 1_000_000
    assert len(geometry.faces) == 1_996_002
    assert peak < 1 << 30
