import csv
from pathlib import Path

import numpy as np
import pytest

from schemas.atomic_files import write_atomically
from schemas.camera import camera_hdnet, ray_directions
from schemas.dataset_folder import DatasetFolder
from schemas.manifest import Manifest
from schemas.settings import RenderSettings, digest_of
from tasks.dataset.preparation import prepare_dataset
from tasks.dataset.shards import write_shard
from tasks.formats.hdnet.hdnet_check import check_folder
from tasks.formats.hdnet.hdnet_export import HdnetExport
from tests.tasks.formats.folders import export_to
from tests.tasks.formats.hdnet.ball_rows import (
    HDNET_DISTANCE_M,
    HDNET_RADIUS_M,
    crop_ray,
    hdnet_row,
    meet_ball,
    standard_row,
)
from tests.tasks.formats.hdnet.published_reader import read_frame, read_rgb, read_text


def commit(root: Path, camera: str, rows: list[dict[str, object]]) -> DatasetFolder:
    """Commit one shard of rows of one camera."""
    folder = DatasetFolder.at(root)
    resolution = 640 if camera == "2k2k" else 256
    settings = RenderSettings.model_validate({"camera": camera, "resolution": resolution})
    prepare_dataset(folder, settings)
    with write_shard(folder.shard_path("shard-00000")) as writer:
        for row in rows:
            writer.write(row)
        written = writer.finish()
    manifest = Manifest(
        shard_id="shard-00000", rows=len(rows), bytes=written.bytes, sha256=written.sha256,
        settings_digest=digest_of(settings), code_digest="", renderer="none", versions={},
        inputs=(), sample_ids=written.sample_ids, started="", ended="", seconds={}, host="here",
    )  # fmt: skip
    write_atomically(folder.manifest_path("shard-00000"), manifest.model_dump_json())
    return folder


def export(tmp_path: Path, camera: str, rows: list[dict[str, object]]) -> HdnetExport:
    report = export_to(tmp_path / "to", "hdnet", commit(tmp_path / "out", camera, rows).root)
    assert isinstance(report, HdnetExport)
    return report


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    export(tmp_path, "hdnet", [hdnet_row(), hdnet_row(0.7)])
    return tmp_path / "to/Tang_data"


def test_depth_is_z_in_metres_separated_by_commas(labelled: Path) -> None:
    depth = read_text(labelled, "depth", "0000000", ",")
    rays = ray_directions(camera_hdnet(np.eye(4)))
    mask, near, _ = meet_ball(rays, HDNET_DISTANCE_M * crop_ray(), HDNET_RADIUS_M)
    np.testing.assert_allclose(depth[mask], (near * rays[..., 2])[mask], atol=1e-5)
    assert not depth[~mask].any()


def test_normals_are_three_files_and_face_the_camera(labelled: Path) -> None:
    normals = np.stack(
        [read_text(labelled, "normal", f"0000001_{axis}", ",") for axis in (1, 2, 3)], axis=-1
    )
    inside = read_frame(labelled, 1)["mask"][..., 0] > 100
    assert np.linalg.norm(normals[inside], axis=-1) == pytest.approx(1, abs=2e-3)
    assert (normals[inside, 2] < 0).mean() > 0.95
    assert normals[128, 128] == pytest.approx(-crop_ray(), abs=0.01)


def test_no_printed_normal_is_longer_than_1(labelled: Path) -> None:
    paths = [labelled / f"normal/0000000_{axis}.txt" for axis in (1, 2, 3)]
    digits = [
        [
            round(float(word) * 10**6)
            for line in path.read_text().split()
            for word in line.split(",")
        ]
        for path in paths
    ]  # whole numbers: a float of 1.0000000000000002 would prove nothing
    squares = [x * x + y * y + z * z for x, y, z in zip(*digits, strict=True)]
    assert max(squares) <= 10**12
    assert min(filter(None, squares)) > 0.999996 * 10**12


def test_images_are_there_and_right(labelled: Path) -> None:
    frame = read_frame(labelled, 0)
    assert frame["densepose"][128, 128].tolist() == [150, 100, 2]  # V, U, I to an RGB reader
    assert frame["color_WO_bg"][0, 0].tolist() == [255, 255, 255]
    assert frame["color_WO_bg"][128, 128].tolist() == [200, 120, 40]
    assert read_rgb(labelled / "normal_png/0000000.png")[128, 128, 2] < 20


def test_names_map_back_to_samples(labelled: Path) -> None:
    with (labelled / "frames.csv").open(newline="") as file:
        names = {row["name"]: row["sample_id"] for row in csv.DictReader(file)}
    assert set(names) == {"0000000", "0000001"}
    assert names["0000000"] == "RP/rp_ball_posed_001/0/hdnet"


def test_the_checker_takes_it(labelled: Path) -> None:
    check = check_folder(labelled)
    assert (check.findings, check.samples) == ((), 2)


def test_samples_of_the_2k2k_camera_are_converted_where_geometry_allows(tmp_path: Path) -> None:
    report = export(tmp_path, "2k2k", [standard_row(), standard_row(offset=(0.3, 0.0))])
    assert report.samples == 1
    assert "a person cut by its own image" in report.warnings[0]
    assert check_folder(tmp_path / "to").passed


def test_samples_without_iuv_are_written_without_and_said_once(tmp_path: Path) -> None:
    report = export(tmp_path, "hdnet", [hdnet_row() | {"iuv": None}])
    assert "1 labelled samples have no DensePose image" in report.warnings[0]
    assert not (tmp_path / "to/Tang_data/densepose").exists()
    check = check_folder(tmp_path / "to")
    assert check.passed
    assert "no densepose" in check.notes[0]


def spoil_depth(folder: Path) -> None:
    grid = np.loadtxt(folder / "depth/0000000.txt", delimiter=",") * 1000
    np.savetxt(folder / "depth/0000000.txt", grid, delimiter=",", fmt="%.3f")


def flip_normals(folder: Path) -> None:
    path = folder / "normal/0000000_3.txt"
    np.savetxt(path, -np.loadtxt(path, delimiter=","), delimiter=",", fmt="%.6f")


def lose_normals(folder: Path) -> None:
    for axis in (1, 2, 3):
        (folder / f"normal/0000000_{axis}.txt").write_text((",".join(["0"] * 256) + "\n") * 256)


def lengthen_normals(folder: Path) -> None:
    for axis in (1, 2, 3):
        path = folder / f"normal/0000000_{axis}.txt"
        grid = np.loadtxt(path, delimiter=",") * 1.0004
        np.savetxt(path, grid, delimiter=",", fmt="%.6f")


def write_spaces(folder: Path) -> None:
    path = folder / "depth/0000000.txt"
    path.write_text(path.read_text().replace(",", " "))


def lose_image(folder: Path) -> None:
    (folder / "normal_png/0000000.png").unlink()


@pytest.mark.parametrize(
    ("spoil", "finding"),
    [
        (spoil_depth, "100% of the person outside"),
        (flip_normals, "n_z < 0 for"),
        (lose_normals, "none for 100% of the person"),
        (lengthen_normals, "lengths off by up to 0.0004"),
        (write_spaces, "in line 1"),
        (lose_image, "no such file"),
    ],
)
def test_every_breach_of_the_labelled_set_is_found(
    labelled: Path, spoil: object, finding: str
) -> None:
    spoil(labelled)  # type: ignore[operator]  # one of those above
    found = " ".join(f"{one.what} {one.found}" for one in check_folder(labelled).findings)
    assert finding in found
