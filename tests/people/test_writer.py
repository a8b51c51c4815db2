"""The written root has the published layout, is the same for the same seed, and is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from people.markers import marker_color
from people.writer import write_synthetic_root
from schemas.atomic_files import TEMPORARY_PREFIX
from schemas.errors import RequestError
from schemas.keypoints import COCO_WHOLEBODY_INDICES

ITEM = "rp_synth000_posed_001"


def make_root(out: Path, progress: Callable[[str], None] | None = None) -> None:
    write_synthetic_root(
        out, subjects=1, seed=4, texture_size=512, backgrounds=1, detail="fast", markers=True,
        progress=progress, figures="sculpted",
    )  # fmt: skip


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synth")
    make_root(out)
    return out


@pytest.mark.parametrize(
    "path",
    [
        f"obj/RP/{ITEM}_OBJ/{ITEM}_100k.obj",
        f"obj/RP/{ITEM}_OBJ/{ITEM}_100k.mtl",
        f"obj/RP/{ITEM}_OBJ/tex/{ITEM}_dif.jpg",
        f"Joint3D/RP/{ITEM}.json",
        "IndoorCVPR09/livingroom/livingroom_synth0000.jpg",
    ],
)
def test_published_file_is_there(root: Path, path: str) -> None:
    assert (root / path).stat().st_size > 0


def test_no_temporary_file_is_left(root: Path) -> None:
    assert not list(root.rglob(f"{TEMPORARY_PREFIX}*"))


def test_joint_file_holds_133_joints(root: Path) -> None:
    data = json.loads((root / f"Joint3D/RP/{ITEM}.json").read_text())
    assert np.array(data["joint3d"]).shape == (133, 3)
    assert [data["visible"][i] for i in COCO_WHOLEBODY_INDICES] == [1] * 31


def test_background_is_large_enough_for_the_default_camera(root: Path) -> None:
    image = cv2.imread(str(root / "IndoorCVPR09/livingroom/livingroom_synth0000.jpg"))
    assert image is not None
    assert min(image.shape[:2]) >= 1024


def test_second_call_writes_nothing(root: Path) -> None:
    told: list[str] = []
    make_root(root, progress=told.append)
    assert told == []


def test_a_shortened_file_is_made_again(root: Path) -> None:
    image = root / "IndoorCVPR09/livingroom/livingroom_synth0000.jpg"
    before = image.read_bytes()
    image.write_bytes(before[:100])
    make_root(root)
    assert image.read_bytes() == before


def test_marker_colors_differ() -> None:
    colors = np.array([marker_color(number) for number in range(31)])
    apart = np.abs(colors[:, None] - colors[None, :]).sum(axis=-1)
    assert apart[~np.eye(31, dtype=bool)].min() >= 40


def test_negative_number_of_subjects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="-1 subjects"):
        write_synthetic_root(tmp_path, subjects=-1, seed=0)


def test_a_root_of_one_kind_of_people_takes_no_others(root: Path) -> None:
    with pytest.raises(RequestError, match="--figures sculpted"):
        write_synthetic_root(root, subjects=1, seed=4, figures="lifelike")


def test_stamps_from_before_there_were_two_kinds_are_still_read(root: Path) -> None:
    job = json.loads((root / "synth.json").read_text())[f"RP/{ITEM}"]["job"]
    assert "figures" not in job
