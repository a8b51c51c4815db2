"""A data set whose truth is known by a formula: ellipsoids before the 2K2K camera.

Camera axes, the camera at the origin; the ellipsoid's centre stands at z = 1, the scene's origin.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from schemas.camera import camera_2k2k
from schemas.codecs import (
    encode_depth,
    encode_jpeg,
    encode_mask,
    encode_normals,
    encode_png,
)
from schemas.manifest import Manifest
from schemas.samples import row_table, sample_schema

MakeDataset = Callable[..., Path]


def request_of(words: Sequence[str]) -> list[str]:
    """Return the training program's arguments for a stage and options in the command's words."""
    stage, *rest = words
    values: dict[str, object] = {"stage": stage}
    check = [word for word in rest if word == "--check"]
    for text in " ".join(word for word in rest if word != "--check").split(" --"):
        name, *given = text.removeprefix("--").split()
        name = name.replace("-", "_")
        many = name in ("data", "split", "val_split")
        values[name] = given if many else _plain(given[0]) if given else True
    return ["--request", json.dumps(values), *check]


# Where the 31 joints stand on a standing figure 0.62 high: (x, y), scene units, y down.
STANDING = np.array(
    [
        (0, -0.27), (0.02, -0.28), (-0.02, -0.28), (0.04, -0.27), (-0.04, -0.27),
        (0.08, -0.2), (-0.08, -0.2), (0.11, -0.1), (-0.11, -0.1), (0.12, 0.0), (-0.12, 0.0),
        (0.05, 0.02), (-0.05, 0.02), (0.05, 0.15), (-0.05, 0.15), (0.05, 0.28), (-0.05, 0.28),
        (0.06, 0.31), (0.07, 0.31), (0.04, 0.29), (-0.06, 0.31), (-0.07, 0.31), (-0.04, 0.29),
        (0.12, 0.03), (0.125, 0.03), (0.13, 0.03), (0.135, 0.03),
        (-0.12, 0.03), (-0.125, 0.03), (-0.13, 0.03), (-0.135, 0.03),
    ]
)  # fmt: skip


def _plain(word: str) -> object:
    """Return the number that a word is, else the word."""
    with suppress(ValueError):
        return float(word) if "." in word else int(word)
    return word


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Half axes in scene units."""

    axes: tuple[float, float, float] = (0.14, 0.32, 0.1)

    def ray_lengths(self, resolution: int) -> tuple[np.ndarray, np.ndarray]:
        """Return first and last ray length of every pixel, 0 outside: roots of a quadratic."""
        focal = resolution / (2 * math.tan(math.radians(25)))
        centre = (np.arange(resolution) + 0.5 - resolution / 2) / focal
        x, y = np.meshgrid(centre, centre)
        rays = np.stack([x, y, np.ones_like(x)], axis=-1)
        rays /= np.linalg.norm(rays, axis=-1, keepdims=True)
        scaled = rays / np.array(self.axes)
        origin = np.array([0, 0, -1.0]) / np.array(self.axes)
        a, b, c = (scaled**2).sum(-1), scaled @ origin, origin @ origin - 1
        inside = b * b - a * c > 0
        root = np.sqrt(np.where(inside, b * b - a * c, 0))
        lengths = [np.where(inside, (-b + sign * root) / a, 0) for sign in (-1, 1)]
        return lengths[0].astype(np.float32), lengths[1].astype(np.float32)


def ellipsoid_row(name: str, split: str, resolution: int, body: Ellipsoid) -> dict[str, object]:
    """Make one row of the sample schema."""
    front, back = body.ray_lengths(resolution)
    mask = front > 0
    camera = camera_2k2k(resolution)
    shade = np.where(mask, 255 * (1.4 - front) / 0.6, 0).clip(0, 255).astype(np.uint8)
    shaded = np.stack([shade, shade // 2, 255 * mask.astype(np.uint8) - shade], axis=-1) * mask[
        ..., None
    ].astype(np.uint8)
    yy, xx = np.mgrid[:resolution, :resolution]
    room = np.stack([xx, yy, xx + yy], axis=-1) * 255 // (2 * resolution)
    image = np.where(mask[..., None], shaded, room.astype(np.uint8))
    pixels = STANDING * camera.focal_px + resolution / 2
    keypoints = np.concatenate([pixels, np.ones((31, 1))], axis=1).astype(np.float32)
    lossless = {"bytes": encode_png(shaded), "path": None}
    flat = np.zeros((resolution, resolution, 3), np.float32)
    return {
        "sample_id": f"RP/{name}/0", "dataset": "RP", "item": name, "subject": name,
        "split": split, "yaw": 0.0, "pitch": 0.0, "camera": "2k2k", "width": resolution,
        "height": resolution, "intrinsics": camera.K.ravel().tolist(),
        "world_to_camera": camera.world_to_camera.ravel().tolist(),
        "mesh_to_world": np.eye(4).ravel().tolist(), "metres_per_unit": 2.5,
        "metric_source": "file", "image": {"bytes": encode_jpeg(image, 95), "path": None},
        "color_front": lossless, "color_back": lossless, "shaded": lossless,
        "mask": {"bytes": encode_mask(mask), "path": None}, "iuv": None,
        "depth": encode_depth(front, back, mask), "normals": encode_normals(flat, flat, mask),
        "keypoints": keypoints.ravel().tolist(), "joints_camera": [math.nan] * 93,
        "keypoint_source": [1] * 31, "keypoint_occluded": [0] * 31, "background": "", "seed": 1,
    }  # fmt: skip


def write_shard(root: Path, shard: str, rows: list[dict[str, object]]) -> None:
    """Write a shard and its manifest, one row a row group."""
    path = root / "samples" / f"{shard}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, sample_schema(), compression="none") as writer:
        for row in rows:
            writer.write_table(row_table(row, sample_schema()))
    data = path.read_bytes()
    manifest = Manifest(
        shard_id=shard, rows=len(rows), bytes=len(data), sha256=hashlib.sha256(data).hexdigest(),
        settings_digest="s", code_digest="c", renderer="formula", versions={}, inputs=(),
        sample_ids=tuple(str(row["sample_id"]) for row in rows), started="2026-01-01T00:00:00Z",
        ended="2026-01-01T00:00:00Z", seconds={}, host="test",
    )  # fmt: skip
    target = root / "manifests" / "samples" / f"{shard}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(manifest.model_dump_json())


def make_ellipsoids(
    root: Path,
    *,
    resolution: int = 256,
    train: int = 4,
    val: int = 2,
    shards: int = 2,
    prefix: str = "rp",
) -> Path:
    bodies = [("train", n) for n in range(train)] + [("val", n) for n in range(val)]
    rows = [
        ellipsoid_row(
            f"{prefix}_{split}_posed_{n:03d}", split, resolution,
            Ellipsoid((0.1 + 0.01 * n, 0.3 + 0.005 * n, 0.08 + 0.01 * n)),
        )
        for split, n in bodies
    ]  # fmt: skip
    for shard in range(shards):
        write_shard(root, f"shard-{shard:05d}", rows[shard::shards])
    return root


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four ellipsoids to train on and two to validate on, 256 pixels, in two shards."""
    return make_ellipsoids(tmp_path_factory.mktemp("ellipsoids"))


@pytest.fixture
def make_dataset() -> MakeDataset:
    """Return the maker itself, for other sizes."""
    return make_ellipsoids


@pytest.fixture(autouse=True)
def seeded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test from the same random state, on one core: the nets are tiny."""
    monkeypatch.setenv("LOCAL_WORLD_SIZE", str(os.cpu_count()))
    torch.set_num_threads(1)
    torch.manual_seed(0)
