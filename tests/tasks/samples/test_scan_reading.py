"""One scan from its files to a value, with what had to be put right."""

import json
from pathlib import Path

import pytest

from schemas.scan import ScanRef
from tasks.samples.scan_reading import load_scan
from tests.tasks.scan_folders import write_scan

REF = ScanRef(dataset="RP", item="rp_box_posed_001", subject="rp_box", split="train")


@pytest.fixture
def joints(tmp_path: Path) -> Path:
    """Write a box with joints; return the annotation."""
    write_scan(tmp_path)
    return tmp_path / "Joint3D/RP/rp_box_posed_001.json"


def test_an_annotation_without_any_visible_joint_is_a_warning(tmp_path: Path, joints: Path) -> None:
    content = json.loads(joints.read_bytes())
    joints.write_text(json.dumps(content | {"visible": [0] * 133}))
    scan = load_scan(tmp_path, REF)
    assert not scan.joints.known.any()
    assert scan.warnings[-1] == (
        "no joint of the Joint3D annotation is visible: all keypoints are unknown"
    )


def test_one_absurd_joint_leaves_the_others(tmp_path: Path, joints: Path) -> None:
    content = json.loads(joints.read_bytes())
    content["joint3d"][9] = [0.0, 1e5, 0.0]
    joints.write_text(json.dumps(content))
    scan = load_scan(tmp_path, REF)
    assert scan.joints.known.sum() == 29
    assert scan.warnings[-1] == "joints far outside the mesh are dropped: left wrist"
