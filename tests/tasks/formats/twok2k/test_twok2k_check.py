import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from schemas.errors import RequestError
from tasks.formats.outcomes import ExportOutcome
from tasks.formats.twok2k.twok2k_check import check_folder
from tests.image_files import read_pixels

ITEM = "rp_ball_posed_001"
FRONT = f"PERS/DEPTH/RP_0_y_0_x/{ITEM}_front.png"
KEYPOINTS = f"PERS/keypoint/RP_0_y_0_x/{ITEM}_front.npy"


def _hole(root: Path) -> None:
    depth = read_pixels(root / FRONT, cv2.IMREAD_UNCHANGED)
    depth[32, 30:33] = 0
    cv2.imwrite(str(root / FRONT), depth)


def _push_front_behind(root: Path) -> None:
    depth = read_pixels(root / FRONT, cv2.IMREAD_UNCHANGED)
    depth[32, 32] = 65000
    cv2.imwrite(str(root / FRONT), depth)


def _paint_outside(root: Path) -> None:
    path = root / FRONT.replace("DEPTH", "COLOR/SHADED")
    image = read_pixels(path)
    image[0, :5] = 200
    cv2.imwrite(str(path), image)


def _half_known(root: Path) -> None:
    joints = np.load(root / KEYPOINTS)
    joints[3] = (10, 10, 0)
    np.save(root / KEYPOINTS, joints)


def _forget_joints(root: Path) -> None:
    np.save(root / KEYPOINTS, np.zeros((31, 3)))


def _lose_an_arm(root: Path) -> None:
    joints = np.load(root / KEYPOINTS)
    joints[[5, 7]] = 0
    np.save(root / KEYPOINTS, joints)


def _append(name: str, line: str) -> Callable[[Path], None]:
    def append(root: Path) -> None:
        with (root / "list" / name).open("a") as file:
            file.write(f"{line}\n")

    return append


DEFECTS: dict[str, Callable[[Path], object]] = {
    "3 pixels with one surface only": _hole,
    "front behind back in 1 pixels": _push_front_behind,
    "5 coloured pixels outside the person": _paint_outside,
    "an unknown joint with coordinates": _half_known,
    "no joints: the published loader can't invert its part transforms": _forget_joints,
    "no joints to align left upper arm: a singular matrix": _lose_an_arm,
    "no such file": lambda root: (root / KEYPOINTS).unlink(),
    "1 lines that name no view, such as '/a /b /c'": _append("RP_all.txt", "/a /b /c"),
    "4 views in no list": lambda root: (root / "list/RP_all.txt").write_text("\n"),
    "an HTML page": lambda root: (root / FRONT.replace("front", "back")).write_text("<html>"),
}


@pytest.fixture
def copy(exported: tuple[Path, ExportOutcome], tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported[0], tmp_path / "copy"))


def test_an_export_holds(exported: tuple[Path, ExportOutcome]) -> None:
    check = check_folder(exported[0])
    assert check.findings == ()
    assert (check.views, check.listed) == (8, 2)


@pytest.mark.parametrize("found", DEFECTS)
def test_a_planted_defect_is_found(copy: Path, found: str) -> None:
    DEFECTS[found](copy)
    findings = check_folder(copy).findings
    assert len(findings) == 1
    assert found in findings[0].found


def test_a_view_without_joints_may_be_in_no_list(copy: Path) -> None:
    _forget_joints(copy)
    for path in (copy / "list").glob("*.txt"):
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(one for one in lines if FRONT not in one))
    check = check_folder(copy)
    assert (check.findings, check.listed) == ((), 1)


def test_a_folder_without_views_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no PERS/DEPTH"):
        check_folder(tmp_path)
