"""`scanmill reconstruct`: one bad photograph fails alone, what is done is not done again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from schemas.camera import camera_2k2k
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.photo_folder import read_record
from tasks.reconstruction.photo_jobs import plan_photos
from tests.flows.conftest import Command, refusal
from tests.tasks.reconstruction.photo_files import (
    draw_figure,
    joints_of,
    write_openpose,
    write_photo,
)
from tests.training.inference.slab_nets import BACK, FRONT, write_slab

pytestmark = pytest.mark.xdist_group("prefect-server")
SIZE = (300, 180)
SIDE = 256


@pytest.fixture
def request_of(tmp_path: Path) -> ReconstructRequest:
    """Ask for a whole photograph, a cut one, and one whose joints are of another."""
    image, mask = draw_figure(*SIZE)
    for name in ("ann", "bob", "cut"):
        write_photo(tmp_path / f"photos/{name}.jpg", image)
        write_photo(tmp_path / f"masks/{name}.png", mask.astype(np.uint8) * 255)
        write_openpose(tmp_path / f"openpose/{name}_keypoints.json", joints_of(*SIZE))
    write_openpose(tmp_path / "openpose/bob_keypoints.json", joints_of(900, 900))
    whole = (tmp_path / "photos/cut.jpg").read_bytes()
    (tmp_path / "photos/cut.jpg").write_bytes(whole[: len(whole) // 2])
    return ReconstructRequest(
        method="2k2k", photos=(str(tmp_path / "photos"),), out=str(tmp_path / "out"),
        checkpoint=str(write_slab(tmp_path / "run")), keypoints=str(tmp_path / "openpose"),
        mask=str(tmp_path / "masks"), meshing="sheets",
    )  # fmt: skip


def run(scanmill: Command, request: ReconstructRequest) -> tuple[int, dict[str, object]]:
    done = scanmill(
        "reconstruct", request.method, *request.photos, "--checkpoint", request.checkpoint,
        "--out", request.out, "--keypoints", request.keypoints, "--mask", request.mask,
        "--meshing", request.meshing, "--json",
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout)


def test_a_bad_photograph_fails_alone_and_the_good_one_is_a_slab(
    scanmill: Command, request_of: ReconstructRequest, tmp_path: Path
) -> None:
    code, summary = run(scanmill, request_of)
    assert code == 1
    photos = {one["name"]: one for one in summary["photos"]}  # type: ignore[attr-defined]
    assert {name: one["state"] for name, one in photos.items()} == {
        "ann": "done", "bob": "failed", "cut": "failed"
    }  # fmt: skip
    assert "inside the photograph" in photos["bob"]["reason"]
    assert "cut" in photos["cut"]["reason"]

    out = Path(request_of.out)
    assert sorted(path.name for path in out.iterdir()) == ["ann"]
    record = read_record(out / "ann")
    assert record is not None
    assert {"mesh.glb", "cloud.ply", "view.html", "depth.exr", "depth_front.png"} <= set(
        record.files
    )
    mesh: Any = trimesh.load(out / "ann/mesh.glb", force="mesh")
    depth = (2 - np.array([FRONT, BACK])) * SIDE / 4 / camera_2k2k(SIDE).focal_px
    middle = np.linalg.norm(mesh.vertices[:, :2], axis=1) < 0.02
    found = np.unique(mesh.vertices[middle][:, 2].round(3))
    assert np.abs(found[[-1, 0]] - depth).max() < 0.002

    plan = plan_photos(request_of)
    assert plan.known["ann"].state == "already done"
    assert [job.name for job in plan.jobs] == ["bob", "cut"]
    check_what_is_redone(request_of, tmp_path)


def check_what_is_redone(request: ReconstructRequest, folder: Path) -> None:
    """Another mask, other weights or a file that is gone make a photograph something to do."""

    def is_left() -> bool:
        return "ann" in [job.name for job in plan_photos(request).jobs]

    mask = draw_figure(*SIZE)[1].astype(np.uint8) * 255
    write_photo(folder / "masks/ann.png", np.roll(mask, 3, axis=0))
    assert is_left()
    write_photo(folder / "masks/ann.png", mask)
    assert not is_left()
    weights = folder / "run/model.safetensors"
    stored = weights.read_bytes()
    weights.write_bytes(stored[:-1] + b"x")
    assert is_left()
    weights.write_bytes(stored)
    (folder / "out/ann/mesh.obj").unlink()
    assert is_left()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2k2k", "none.jpg", "--checkpoint", ".", "--out", "o"], "nothing at none.jpg"),
        (["2k2k", ".", "--checkpoint", "none", "--out", "o"], "--checkpoint: nothing at none"),
        (["hdnet", ".", "--checkpoint", ".", "--out", "o"], "--normal-checkpoint: none"),
        (["2k2k", ".", "--checkpoint", ".", "--out", "o", "--densepose", "."], "no such option"),
        (["3d", ".", "--checkpoint", ".", "--out", "o"], "2k2k or hdnet"),
    ],
)
def test_a_wrong_request_ends_with_two_and_one_line(
    arguments: list[object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, line = refusal(["reconstruct", *arguments], capsys)
    assert code == 2
    assert said in line
    assert len(line.splitlines()) == 1
