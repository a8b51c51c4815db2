"""A data set of analytic rows: balls, seen by the perspective and the orthographic camera."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from schemas.atomic_files import write_atomically
from schemas.camera import camera_2k2k, camera_orthographic, to_camera
from schemas.codecs import encode_depth, encode_mask, encode_normals, encode_png
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Background, BackgroundList, Manifest, PlannedShard, PlanSegment
from schemas.scan import ScanRef
from schemas.settings import RenderSettings, digest_of
from tasks.dataset.code_digest import code_digest
from tasks.dataset.preparation import prepare_dataset
from tasks.dataset.shards import write_shard
from tests.tasks.sample_rows import RADIUS, RESOLUTION, ball_row

SETTINGS = RenderSettings(resolution=RESOLUTION, yaws=(-10, 0), orthographic=True)
REFS = (
    ScanRef(dataset="RP", item="rp_ball_posed_001", subject="rp_ball", split="train"),
    ScanRef(dataset="RP", item="rp_orb_posed_002", subject="rp_orb", split="val"),
)
BACKGROUNDS = BackgroundList(
    images=(
        Background(path="bar/a.jpg", sha256="0" * 64, width=1024, height=1500),
        Background(path="bar/b.jpg", sha256="1" * 64, width=1023, height=1500),
    )
)


def make_ball_set(root: Path, *, lost: slice | list[int] | None = None) -> Path:
    """Write a committed data set of two shards; returns its folder. lost: joints of all rows."""
    folder = DatasetFolder.at(root)
    prepare_dataset(folder, SETTINGS)
    write_atomically((folder.root / "backgrounds.json"), BACKGROUNDS.model_dump_json())
    shards = tuple(
        PlannedShard(shard_id=f"shard-{number:05d}", scans=(ref,))
        for number, ref in enumerate(REFS)
    )
    segment = PlanSegment(segment=0, shards=shards)
    write_atomically(folder.root / "plan" / "00000.json", segment.model_dump_json())
    for shard in shards:
        _commit(folder, shard, lost)
    return root


def rows_of(ref: ScanRef) -> Iterator[dict[str, object]]:
    """Make the rows of one ball, in the order of the settings."""
    for view in SETTINGS.views:
        row = person_row(view.sample_id(ref.scan_id), split=ref.split, red=190)
        row["subject"] = ref.subject
        yield row if view.camera == "2k2k" else row | _orthographic()


def person_row(
    sample_id: str = "RP/rp_ball_posed_001/0", *, split: str = "train", red: int = 200
) -> dict[str, object]:
    """Make the row of a ball with joints that suffice: all but an eye and a finger."""
    row, camera = ball_row(sample_id, split=split, red=red), camera_2k2k(RESOLUTION)
    random = np.random.default_rng(0).uniform(-0.2, 0.2, (31, 3))
    points: np.ndarray = np.asarray(row["joints_camera"]).reshape(31, 3)
    points = np.where(np.isnan(points), to_camera(camera, random), points)
    points[[1, 30]] = np.nan
    known: np.ndarray = np.isfinite(points[:, 0])
    pixels = points[:, :2] / points[:, 2:] * np.diag(camera.K)[:2] + camera.K[:2, 2]
    keypoints = np.where(known[:, None], np.column_stack([pixels, np.ones(31)]), 0)
    return row | {
        "keypoints": keypoints.astype(np.float32).ravel(),
        "joints_camera": points.astype(np.float32).ravel(),
        "keypoint_source": known.astype(np.uint8),
        "keypoint_occluded": np.where(known, 0, 255).astype(np.uint8),
    }


def _orthographic() -> dict[str, object]:
    camera = camera_orthographic(RESOLUTION)
    half = RESOLUTION / 2 / camera.focal_px
    centres = (np.arange(RESOLUTION) + 0.5) / RESOLUTION * 2 * half - half
    x, y = np.meshgrid(centres, centres)
    mask = x**2 + y**2 < RADIUS**2
    bulge = np.sqrt(np.where(mask, RADIUS**2 - x**2 - y**2, 0))
    front, back = (np.where(mask, 1 + s * bulge, 0).astype(np.float32) for s in (-1, 1))
    normals = [
        np.where(mask[..., None], np.stack([x, y, s * bulge], axis=-1) / RADIUS, 0).astype(
            np.float32
        )
        for s in (-1, 1)
    ]
    color = np.where(mask[..., None], np.array([190, 120, 40]), 0).astype(np.uint8)
    images = dict.fromkeys(("color_front", "color_back", "shaded"), encode_png(color))
    return {
        "camera": "orthographic",
        "depth": encode_depth(front, back, mask),
        "normals": encode_normals(normals[0], normals[1], mask),
        "mask": {"bytes": encode_mask(mask), "path": None},
        **{name: {"bytes": data, "path": None} for name, data in images.items()},
    }


def _commit(folder: DatasetFolder, shard: PlannedShard, lost: slice | list[int] | None) -> None:
    with write_shard(folder.shard_path(shard.shard_id)) as writer:
        for ref in shard.scans:
            for row in rows_of(ref):
                if lost is not None:
                    np.asarray(row["keypoints"]).reshape(31, 3)[lost] = 0
                writer.write(row)
        written = writer.finish()
    manifest = Manifest(
        shard_id=shard.shard_id, rows=len(written.sample_ids), bytes=written.bytes,
        sha256=written.sha256, settings_digest=digest_of(SETTINGS), code_digest=code_digest(),
        renderer="none", versions={}, inputs=(), sample_ids=written.sample_ids,
        started="2026-01-01T00:00:00+00:00", ended="2026-01-01T00:00:01+00:00",
        seconds={}, host="here",
    )  # fmt: skip
    write_atomically(folder.manifest_path(shard.shard_id), manifest.model_dump_json())


def analytic_depth() -> tuple[np.ndarray, np.ndarray]:
    """Return front and back ray length of the ball in the perspective view; 0 outside."""
    focal = camera_2k2k(RESOLUTION).focal_px
    steps = (np.arange(RESOLUTION) + 0.5 - RESOLUTION / 2) / focal
    x, y = np.meshgrid(steps, steps)
    middle = 1 / np.sqrt(1 + x**2 + y**2)
    inside = middle**2 > 1 - RADIUS**2
    chord = np.sqrt(np.where(inside, middle**2 - 1 + RADIUS**2, 0))
    return np.where(inside, middle - chord, 0), np.where(inside, middle + chord, 0)
