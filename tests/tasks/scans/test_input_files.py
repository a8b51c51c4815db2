from pathlib import Path

import pytest

from schemas.scan import InputFile, ScanRef
from tasks.scans.input_files import (
    is_scan_gone,
    list_failed_background,
    list_inputs,
    list_inputs_of_failed,
    locate_input,
)
from tests.tasks.scan_folders import write_scan

ITEM = "rp_box_posed_001"
REF = ScanRef(dataset="RP", item=ITEM, subject="rp_box", split="train")
FOLDER = f"obj/RP/{ITEM}_OBJ"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_scan(tmp_path, ITEM)
    return tmp_path


def test_found_inputs_have_digests(data: Path) -> None:
    found = {one.path: one.size for one in list_inputs(data, REF)}
    assert found[f"{FOLDER}/{ITEM}_100k.obj"] == (data / FOLDER / f"{ITEM}_100k.obj").stat().st_size


def test_absent_inputs_are_kept_as_absent(data: Path) -> None:
    (data / f"Joint3D/RP/{ITEM}.json").unlink()
    assert InputFile(path=f"Joint3D/RP/{ITEM}.json") in list_inputs(data, REF)


def test_a_failed_scan_names_every_file_of_its_folder(data: Path) -> None:
    (data / FOLDER / "more.mtl").write_text("newmtl a\n")
    paths = {one.path for one in list_inputs_of_failed(data, REF, named="")}
    assert f"{FOLDER}/more.mtl" in paths


def test_a_failed_scan_names_the_file_that_its_error_names(data: Path) -> None:
    named = str(data / FOLDER / "lost.png")
    assert InputFile(path=f"{FOLDER}/lost.png") in list_inputs_of_failed(data, REF, named=named)


@pytest.mark.parametrize("named", ["", "RP/rp_box_posed_001", "/etc/passwd", "a\0b"])
def test_what_an_error_names_elsewhere_is_left_alone(data: Path, named: str) -> None:
    paths = {one.path for one in list_inputs_of_failed(data, REF, named=named)}
    assert paths == {f"{FOLDER}/{ITEM}_100k.obj", f"{FOLDER}/tex/{ITEM}_dif_8k.jpg"}


def test_a_lost_background_is_an_input_of_its_own_root(tmp_path: Path) -> None:
    named = str(tmp_path / "hall.png")
    assert list_failed_background(tmp_path, named) == (
        InputFile(path="hall.png", root="backgrounds"),
    )


def test_without_backgrounds_none_is_named(tmp_path: Path) -> None:
    assert list_failed_background(None, str(tmp_path / "hall.png")) == ()


def test_an_input_stands_below_its_own_root(tmp_path: Path) -> None:
    one = InputFile(path="a/b.jpg", root="backgrounds")
    assert locate_input(one, {"data": None, "backgrounds": tmp_path}) == tmp_path / "a/b.jpg"
    assert locate_input(one, {"data": tmp_path, "backgrounds": None}) is None


def test_a_scan_is_gone_with_its_folder(data: Path) -> None:
    assert not is_scan_gone(data, REF)
    (data / FOLDER).rename(data / "elsewhere")
    assert is_scan_gone(data, REF)
