"""Labelled samples whose truth is known by a formula: balls before HDNet's camera."""

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from schemas.camera import HDNET_CENTRE_PX, HDNET_FOCAL_PX
from schemas.codecs import encode_depth, encode_mask, encode_normals, encode_png
from tests.tasks.video.paired import pair_all
from tests.tasks.video.sequence_files import write_sequence
from tests.training.conftest import write_shard
from tests.training.hdnet.video_runs import FRAMES, predict_into, run

SIDE = 256
METRES_PER_UNIT = 2.0


def ball_rays() -> np.ndarray:
    """Return the unit rays of HDNet's camera by its own numbers."""
    x = (np.arange(SIDE) + 0.5 - HDNET_CENTRE_PX[0]) / HDNET_FOCAL_PX
    y = (np.arange(SIDE) + 0.5 - HDNET_CENTRE_PX[1]) / HDNET_FOCAL_PX
    rays = np.stack([*np.meshgrid(x, y), np.ones((SIDE, SIDE))], axis=-1)
    return rays / np.linalg.norm(rays, axis=-1, keepdims=True)


def ball(radius_m: float, distance_m: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return ray length in metres, outward normals and mask; the ball stands mid-crop."""
    rays = ball_rays()
    centre = distance_m * rays[SIDE // 2, SIDE // 2]
    along = rays @ centre
    inside = along**2 - distance_m**2 + radius_m**2 > 0
    length = along - np.sqrt(np.where(inside, along**2 - distance_m**2 + radius_m**2, 0))
    length = np.where(inside, length, 0)
    normals = np.where(inside[..., None], (rays * length[..., None] - centre) / radius_m, 0)
    return length, normals, inside


def labelled_row(
    name: str, split: str, radius_m: float, *, distance_m: float = 2.5, with_iuv: bool = True
) -> dict[str, object]:
    """Make one row of the sample schema; stored units are two metres long."""
    length_m, normals, mask = ball(radius_m, distance_m)
    length = (length_m / METRES_PER_UNIT).astype(np.float32)
    flat = normals.astype(np.float32)
    shaded = np.where(mask[..., None], (127.5 * (normals + 1)).astype(np.uint8), 0)
    image = {"bytes": encode_png(shaded.astype(np.uint8)), "path": None}
    iuv = np.zeros((SIDE, SIDE, 3), np.uint8)
    iuv[mask] = (2, 100, 200)
    return {
        "sample_id": f"RP/{name}/0/hdnet", "dataset": "RP", "item": name, "subject": name,
        "split": split, "yaw": 0.0, "pitch": 0.0, "camera": "hdnet", "width": SIDE, "height": SIDE,
        "intrinsics": [1.0] * 9, "world_to_camera": np.eye(4).ravel().tolist(),
        "mesh_to_world": np.eye(4).ravel().tolist(), "metres_per_unit": METRES_PER_UNIT,
        "metric_source": "file", "image": image, "color_front": image, "color_back": image,
        "shaded": image, "mask": {"bytes": encode_mask(mask), "path": None},
        "iuv": {"bytes": encode_png(iuv), "path": None} if with_iuv else None,
        "depth": encode_depth(length, length, mask), "normals": encode_normals(flat, -flat, mask),
        "keypoints": [0.0] * 93, "joints_camera": [math.nan] * 93, "keypoint_source": [0] * 31,
        "keypoint_occluded": [255] * 31, "background": "", "seed": 1,
    }  # fmt: skip


def write_balls(root: Path, *, lacking: int = 0) -> Path:
    """Write eight balls to train on and one to validate on; the first ones lack their IUV."""
    sizes = np.linspace(0.35, 0.55, 9)
    rows = [
        labelled_row(f"rp_b{n}_posed_001", "train" if n else "val", size, with_iuv=n >= lacking)
        for n, size in enumerate(sizes)
    ]
    write_shard(root, "shard-00000", rows)
    return root


@pytest.fixture(scope="session")
def balls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight balls to train on and one to validate on, all with IUV."""
    return write_balls(tmp_path_factory.mktemp("balls"))


@pytest.fixture(scope="session")
def trained(balls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of a normal and of a depth estimator, a step each."""
    folder = tmp_path_factory.mktemp("trained")
    for stage in ("hdnet-normal", "hdnet-depth"):
        assert run(stage, balls, folder / stage, "--steps", 1, "--batch", 2) == 0
    return folder


@pytest.fixture(scope="session")
def paired(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data set of one video, paired, without predictions."""
    folder = tmp_path_factory.mktemp("paired")
    write_sequence(folder / "data/dance", FRAMES)
    pair_all(folder / "out", folder / "data")
    return folder


@pytest.fixture
def dances(paired: Path, tmp_path: Path) -> Path:
    """Return a copy of it that a test may change."""
    shutil.copytree(paired / "out", tmp_path / "dances")
    return tmp_path / "dances"


@pytest.fixture(scope="session")
def predicted(paired: Path, trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data set with predictions."""
    folder = tmp_path_factory.mktemp("predicted")
    shutil.copytree(paired / "out", folder / "dances")
    predict_into(folder / "dances", trained / "hdnet-normal", folder / "run")
    return folder / "dances"
