"""THuman2.0 and 2K2K layouts: fits that fit, colours at vertices, OpenPose's order of joints."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import smplx
import torch
import trimesh
from jaxtyping import Float

from people.published_files import openpose_joints
from people.writer import MODEL_PATH, background_size, write_synthetic_root

ITEM = "9000"
SMPLX_OF_JOINT = {
    0: 55, 1: 57, 2: 56, 3: 59, 4: 58, 5: 16, 6: 17, 7: 18, 8: 19, 9: 20, 10: 21, 11: 1, 12: 2,
    13: 4, 14: 5, 15: 7, 16: 8, 17: 60, 18: 61, 19: 62, 20: 63, 21: 64, 22: 65,
}  # fmt: skip
"""Source: docs/keypoints.md, "Gap filling"."""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("layouts")
    for dataset in ("THuman2", "2K2K"):
        write_synthetic_root(
            out, subjects=1, seed=6, texture_size=256, backgrounds=0, detail="fast",
            dataset=dataset, figures="sculpted",
        )  # fmt: skip
    return out


@pytest.fixture(scope="module")
def fitted(root: Path) -> Float[np.ndarray, "J 3"]:
    """Return the stand-in model's joints in the scan's coordinates."""
    path = root / f"obj/THuman2/smplx/{ITEM}/smplx_param.pkl"
    fit = pickle.loads(path.read_bytes())  # noqa: S301 - written by this test's own fixture
    folder = str((root / MODEL_PATH).parents[1])
    model = smplx.create(folder, model_type="smplx", gender="male", num_pca_comps=12)
    pose = {k: torch.from_numpy(v) for k, v in fit.items() if k not in ("scale", "translation")}
    joints = model(**pose).joints.detach().numpy()[0]
    return joints * fit["scale"] + fit["translation"]


@pytest.mark.parametrize("joint", sorted(SMPLX_OF_JOINT))
def test_the_fit_puts_the_models_joint_onto_the_annotated_one(
    root: Path, fitted: Float[np.ndarray, "J 3"], joint: int
) -> None:
    data = json.loads((root / f"Joint3D/THuman2/{ITEM}.json").read_text())
    np.testing.assert_allclose(fitted[SMPLX_OF_JOINT[joint]], data["joint3d"][joint], atol=1e-5)


@pytest.mark.parametrize(("joint", "tip"), [(67, 99), (70, 111), (72, 120), (75, 132)])
def test_the_fit_curls_the_fingers_as_ours(
    root: Path, fitted: Float[np.ndarray, "J 3"], joint: int, tip: int
) -> None:
    data = json.loads((root / f"Joint3D/THuman2/{ITEM}.json").read_text())
    np.testing.assert_allclose(fitted[joint], data["joint3d"][tip], atol=1e-5)


def test_ply_is_watertight_and_colored(root: Path) -> None:
    mesh: Any = trimesh.load(root / f"obj/2K2K/{ITEM}/{ITEM}.ply")
    assert mesh.is_watertight
    assert mesh.visual.vertex_colors[:, :3].std() > 10


def test_2k2k_joints_file_has_118_rows(root: Path) -> None:
    rows = np.array(json.loads((root / f"obj/2K2K/{ITEM}/kp3ds.json").read_text()))
    assert rows.shape == (118, 4)


@pytest.mark.parametrize(
    ("row", "joint"),
    [(0, 0), (2, 6), (5, 5), (11, 16), (14, 15), (19, 17), (25 + 6, 97), (46 + 6, 118)],
)
def test_openpose_row_is_that_joint(row: int, joint: int) -> None:
    joints = np.arange(133.0)[:, None].repeat(3, axis=1)
    assert openpose_joints(joints)[row, 0] == joint


def test_the_neck_of_openpose_lies_between_the_shoulders() -> None:
    joints = np.arange(133.0)[:, None].repeat(3, axis=1)
    assert openpose_joints(joints)[1, 0] == 5.5


@pytest.mark.parametrize("index", range(8))
def test_the_first_eight_rooms_are_large_enough(index: int) -> None:
    assert min(background_size(index)) >= 1024


def test_later_rooms_run_from_200_to_4000_pixels() -> None:
    sizes = [max(background_size(index)) for index in range(8, 14)]
    assert (min(sizes), max(sizes)) == (200, 4000)
