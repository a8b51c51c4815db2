import os
from pathlib import Path

import pytest

from schemas.errors import RequestError
from schemas.scan import DatasetName
from tasks.scans.layouts import find_scan, list_scans, list_unusable_names
from tests.fixtures_meshes import write, write_rp_scan

RP = "obj/RP/rp_ada_posed_001_OBJ/rp_ada_posed_001"
TEX = "obj/RP/rp_ada_posed_001_OBJ/tex/rp_ada_posed_001"


def test_scans_are_sorted_by_item(tmp_path: Path) -> None:
    for item in ("rp_b_posed_002", "rp_a_posed_010", "rp_a_posed_009"):
        write_rp_scan(tmp_path, item)
    items = [scan.item for scan in list_scans(tmp_path, "RP")]
    assert items == ["rp_a_posed_009", "rp_a_posed_010", "rp_b_posed_002"]


def test_all_files_of_a_renderpeople_scan_are_found(tmp_path: Path) -> None:
    write_rp_scan(tmp_path)
    scan = find_scan(tmp_path, "RP", "rp_ada_posed_001")
    assert scan.mesh == tmp_path / f"{RP}_100k.obj"
    assert scan.texture == tmp_path / f"{TEX}_dif_8k.jpg"
    assert scan.joints == tmp_path / "Joint3D/RP/rp_ada_posed_001.json"
    assert scan.fit is None


@pytest.mark.parametrize(
    ("present", "chosen"),
    [
        (("_100k.obj", "_100k.OBJ", "_200k.obj"), "_100k.obj"),
        (("_100k.OBJ", "_200k.obj"), "_100k.OBJ"),
        (("_200k.obj",), "_200k.obj"),
    ],
)
def test_mesh_names_fall_back_in_order(
    tmp_path: Path, present: tuple[str, ...], chosen: str
) -> None:
    for ending in present:
        write(tmp_path / f"{RP}{ending}", "v")
    assert find_scan(tmp_path, "RP", "rp_ada_posed_001").mesh == tmp_path / f"{RP}{chosen}"


def test_the_texture_falls_back_to_the_small_one(tmp_path: Path) -> None:
    write(tmp_path / f"{TEX}_dif.jpg", "x")
    assert find_scan(tmp_path, "RP", "rp_ada_posed_001").texture == tmp_path / f"{TEX}_dif.jpg"


def test_names_that_were_tried_in_vain_are_kept_later_ones_are_not(tmp_path: Path) -> None:
    write(tmp_path / f"{RP}_100k.OBJ", "v")
    tried = find_scan(tmp_path, "RP", "rp_ada_posed_001").looked_for
    assert [path.relative_to(tmp_path).as_posix() for path in tried] == [
        f"{RP}_100k.obj",
        f"{RP}_100k.OBJ",
        f"{TEX}_dif_8k.jpg",
        f"{TEX}_dif.jpg",
        "Joint3D/RP/rp_ada_posed_001.json",
        "DensePose/RP/rp_ada_posed_001.npy",
    ]


def test_a_thuman_scan_has_a_fit(tmp_path: Path) -> None:
    base = tmp_path / "obj/THuman2"
    for name in ("data/0016/0016.obj", "data/0016/material0.jpeg", "smplx/0016/smplx_param.pkl"):
        write(base / name, "x")
    write(tmp_path / "Joint3D/THuman2/0016.json", "{}")
    (scan,) = list_scans(tmp_path, "THuman2")
    assert scan.scan_id == "THuman2/0016"
    assert scan.fit == base / "smplx/0016/smplx_param.pkl"
    assert len(scan.found) == 4
    assert scan.looked_for[-1] == tmp_path / "DensePose/THuman2/0016.npy"


@pytest.mark.parametrize("ending", ["ply", "obj"])
def test_a_2k2k_scan_is_ply_or_obj(tmp_path: Path, ending: str) -> None:
    path = write(tmp_path / f"obj/2K2K/00003/00003.{ending}", "x")
    (scan,) = list_scans(tmp_path, "2K2K")
    assert scan.mesh == path


def test_a_scan_without_any_file_is_listed(tmp_path: Path) -> None:
    (tmp_path / "obj/RP/rp_ada_posed_001_OBJ").mkdir(parents=True)
    (scan,) = list_scans(tmp_path, "RP")
    assert scan.found == {}


@pytest.mark.parametrize(
    ("dataset", "item", "subject"),
    [
        ("RP", "rp_aaron_posed_013", "rp_aaron"),
        ("RP", "rp_aaron", "rp_aaron"),
        ("THuman2", "0016", "0016"),
    ],
)
def test_the_subject_is_the_person(
    tmp_path: Path, dataset: DatasetName, item: str, subject: str
) -> None:
    assert find_scan(tmp_path, dataset, item).subject == subject


@pytest.mark.parametrize("name", ["__MACOSX", ".hidden_OBJ", "._rp_a_OBJ", "notes", "_OBJ"])
def test_folders_that_hold_no_scan_are_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / "obj/RP" / name).mkdir(parents=True)
    assert list_scans(tmp_path, "RP") == ()


def test_files_beside_the_folders_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "obj/THuman2/data/0001", "a file")
    assert list_scans(tmp_path, "THuman2") == ()


def test_a_folder_in_place_of_a_mesh_is_no_mesh(tmp_path: Path) -> None:
    (tmp_path / f"{RP}_100k.obj").mkdir(parents=True)
    assert find_scan(tmp_path, "RP", "rp_ada_posed_001").mesh is None


def test_a_folder_that_is_no_data_root_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RequestError, match=r"no folder obj/2K2K; .* Give the folder that holds obj/"
    ):
        list_scans(tmp_path, "2K2K")


def test_folder_names_that_are_no_text_are_named_escaped_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    for name in (b"a\nb_OBJ", b"\xff\xfe_OBJ", b"c_OBJ"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/obj/RP/" + name)).mkdir(parents=True)
    assert [scan.item for scan in list_scans(tmp_path, "RP")] == ["c"]
    assert list_unusable_names(tmp_path, "RP") == ("a\\nb_OBJ", "\\udcff\\udcfe_OBJ")
