import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import RequestError
from tasks.checks.inspection import (
    Inspection,
    ScanInspection,
    TextureSize,
    expect_sample_bytes,
    inspect_root,
)
from tests.fixtures_meshes import joints_json, tetrahedron_obj, write, write_rp_scan
from tests.tasks.fits.fitted_scans import write_thuman_scan

ITEM = "rp_ada_posed_001"


def inspect(root: Path, *, decode: bool = False) -> Inspection:
    return inspect_root(root, "RP", resolution=512, views=7, decode=decode)


def only(inspection: Inspection) -> ScanInspection:
    (scan,) = inspection.scans
    return scan


def test_a_good_scan_is_described(tmp_path: Path) -> None:
    write_rp_scan(tmp_path)
    scan = only(inspect(tmp_path))
    assert scan.is_readable
    assert (scan.triangles, scan.vertices) == (4, 4)
    texture = f"obj/RP/{ITEM}_OBJ/tex/{ITEM}_dif_8k.jpg"
    assert scan.textures == (TextureSize(path=texture, width=8, height=8),)
    assert (scan.joints_visible, scan.joints_total) == (67, 133)
    assert set(scan.found) == {"mesh", "texture", "joints"}
    assert scan.absent == {"charts": (f"DensePose/RP/{ITEM}.npy",)}
    assert (scan.warnings, scan.problems) == ((), ())


def test_charts_of_another_mesh_are_a_problem(tmp_path: Path) -> None:
    write_rp_scan(tmp_path)
    charts = tmp_path / f"DensePose/RP/{ITEM}.npy"
    charts.parent.mkdir(parents=True)
    np.save(charts, np.ones((3, 7), "<u2"))
    (problem,) = only(inspect(tmp_path)).problems
    assert "charts of 3 faces; expected of the mesh's 4" in problem


def test_totals_count_readable_and_broken_scans(tmp_path: Path) -> None:
    write_rp_scan(tmp_path, "rp_a_posed_001")
    write_rp_scan(tmp_path, "rp_a_posed_002")
    write_rp_scan(tmp_path, "rp_b_posed_001", obj="v 0 0 0\n")
    inspection = inspect(tmp_path)
    assert (inspection.readable, inspection.broken, inspection.subjects) == (2, 1, 2)
    assert (inspection.triangles, inspection.expected_samples) == (8, 14)


def test_every_problem_of_a_scan_is_listed(tmp_path: Path) -> None:
    folder = write_rp_scan(tmp_path)
    write(folder / f"tex/{ITEM}_dif_8k.jpg", "<html>")
    write(tmp_path / f"Joint3D/RP/{ITEM}.json", "{}")
    problems = only(inspect(tmp_path)).problems
    assert len(problems) == 2
    assert "an HTML page" in problems[0]
    assert 'expected keys "joint3d" and "visible"' in problems[1]


def test_missing_files_are_listed_with_the_names_tried(tmp_path: Path) -> None:
    folder = write_rp_scan(tmp_path, joints=False)
    (folder / f"{ITEM}_100k.obj").unlink()
    scan = only(inspect(tmp_path))
    base = f"obj/RP/{ITEM}_OBJ/{ITEM}"
    assert scan.absent["mesh"] == (f"{base}_100k.obj", f"{base}_100k.OBJ", f"{base}_200k.obj")
    assert scan.absent["joints"] == (f"Joint3D/RP/{ITEM}.json",)
    assert "no mesh" in scan.problems[0]


def test_a_scan_without_annotation_is_readable_with_a_warning(tmp_path: Path) -> None:
    write_rp_scan(tmp_path, joints=False)
    scan = only(inspect(tmp_path))
    assert scan.is_readable
    assert scan.warnings == ("no Joint3D annotation: all keypoints are unknown",)


def test_a_hostile_fit_is_a_problem_named_by_what_it_asks_for(tmp_path: Path) -> None:
    write_thuman_scan(tmp_path, "0001", yaw_deg=10.0)
    path = tmp_path / "obj/THuman2/smplx/0001/smplx_param.pkl"
    path.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    inspection = inspect_root(tmp_path, "THuman2", resolution=64, views=1)
    assert "asks for 'posix.system'" in only(inspection).problems[0]


@pytest.mark.parametrize(
    ("item", "release"),
    [("0525", "THuman2.0"), ("0526", "THuman2.1"), ("2444", "THuman2.1"), ("9000", None)],
)
def test_the_release_of_a_thuman_scan_is_told_by_its_number(
    tmp_path: Path, item: str, release: str | None
) -> None:
    write_thuman_scan(tmp_path, item, yaw_deg=0.0)
    inspection = inspect_root(tmp_path, "THuman2", resolution=64, views=1)
    assert only(inspection).release == release


def test_a_thuman_scan_without_fit_is_warned_of(tmp_path: Path) -> None:
    folder = tmp_path / "obj/THuman2/data/0001"
    write(folder / "0001.obj", tetrahedron_obj())
    write(
        folder / "material0.jpeg", (write_rp_scan(tmp_path) / f"tex/{ITEM}_dif_8k.jpg").read_bytes()
    )
    write(tmp_path / "Joint3D/THuman2/0001.json", joints_json())
    inspection = inspect_root(tmp_path, "THuman2", resolution=512, views=1)
    assert only(inspection).warnings == ("no SMPL-X fit: the scan is not turned to the front",)


def test_an_annotation_without_any_visible_joint_is_warned_of(tmp_path: Path) -> None:
    write_rp_scan(tmp_path)
    path = tmp_path / f"Joint3D/RP/{ITEM}.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"visible": [0] * 133}))
    assert only(inspect(tmp_path)).warnings == ("no joint of the Joint3D annotation is visible",)


def test_warnings_of_the_reader_are_kept(tmp_path: Path) -> None:
    write_rp_scan(tmp_path, obj=tetrahedron_obj() + "f 1/1 1/1 2/2\n")
    inspection = inspect(tmp_path)
    assert only(inspection).warnings == ("1 faces without area were dropped",)
    assert inspection.with_warnings == 1


def test_damage_in_the_middle_of_a_image_needs_decoding(tmp_path: Path) -> None:
    path = write_rp_scan(tmp_path) / f"tex/{ITEM}_dif_8k.jpg"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\xff\xda")] + b"\xff\xd9")
    assert only(inspect(tmp_path)).is_readable
    assert "damaged" in only(inspect(tmp_path, decode=True)).problems[0]


def test_a_cut_image_needs_no_decoding(tmp_path: Path) -> None:
    path = write_rp_scan(tmp_path) / f"tex/{ITEM}_dif_8k.jpg"
    path.write_bytes(path.read_bytes()[:-20])
    assert "it was cut" in only(inspect(tmp_path)).problems[0]


def test_the_answer_is_json(tmp_path: Path) -> None:
    write_rp_scan(tmp_path)
    inspection = inspect(tmp_path)
    assert json.loads(inspection.model_dump_json())["scans"][0]["scan_id"] == f"RP/{ITEM}"
    assert Inspection.model_validate_json(inspection.model_dump_json()) == inspection


def test_progress_is_told(tmp_path: Path) -> None:
    for item in ("rp_a_posed_001", "rp_b_posed_001"):
        write_rp_scan(tmp_path, item)
    told: list[tuple[int, int]] = []
    inspect_root(
        tmp_path, "RP", resolution=512, views=1, on_scan=lambda done, of: told.append((done, of))
    )
    assert told == [(1, 2), (2, 2)]


def test_a_folder_that_is_no_data_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no folder obj/RP"):
        inspect(tmp_path)


def test_a_sample_of_2048_is_expected_to_take_some_thirteen_megabytes() -> None:
    assert expect_sample_bytes(2048) == pytest.approx(13.4e6, rel=0.01)


def test_twice_the_resolution_takes_four_times_the_bytes() -> None:
    assert expect_sample_bytes(2048) / expect_sample_bytes(1024) == pytest.approx(4, rel=0.02)


def test_importing_it_brings_nothing_heavy() -> None:
    heavy = "('prefect', 'torch', 'trimesh', 'OpenGL', 'pyarrow', 'PIL', 'scipy')"
    code = f"import sys, tasks.checks.inspection; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
