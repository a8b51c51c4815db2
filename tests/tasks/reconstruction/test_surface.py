"""HDNet's files: a ball before its camera comes back from text, images and mesh."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh

from schemas.camera import HDNET_RESOLUTION, camera_hdnet, ray_directions
from schemas.codecs import decode_exr
from schemas.errors import InputError
from schemas.reconstruct_request import ReconstructRequest
from tasks.reconstruction.photos import read_photo
from tasks.reconstruction.surface_files import TO_WORLD, UNITS_PER_M, write_surface
from tasks.reconstruction.surface_input import prepare_surface
from tasks.video.number_grids import read_grid
from tests.image_files import read_pixels
from tests.tasks.reconstruction.photo_files import draw_figure, write_photo

CENTRE, RADIUS = np.array([0.3, 0.2, 4.0]), 0.4
SIDE = HDNET_RESOLUTION


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the front of a ball, seen in closed form, metres."""
    rays = ray_directions(camera_hdnet(np.eye(4)))
    along = rays @ CENTRE
    under = along**2 - (CENTRE @ CENTRE - RADIUS**2)
    mask = under > 0
    length = along - np.sqrt(np.where(mask, under, 0))
    points = rays * length[..., None]
    normals = np.where(mask[..., None], (points - CENTRE) / RADIUS, 0)
    image, _ = draw_figure(SIDE, SIDE)
    given = {"mask": mask, "color": image, "image": image, "densepose": image}
    depth = np.where(mask, points[..., 2], 0)
    predicted = {
        "depth": depth.astype(np.float32),
        "normals": normals.transpose(2, 0, 1).astype(np.float32),
    }
    folder = tmp_path_factory.mktemp("surface")
    write_surface(folder, "ball", given, predicted)
    return folder


def test_mesh_lies_on_the_ball(written: Path) -> None:
    mesh: Any = trimesh.load(written / "mesh.ply", process=False)
    distance = np.linalg.norm(mesh.vertices - CENTRE * TO_WORLD, axis=1)
    assert np.abs(distance - RADIUS).max() < 1e-5
    middles = mesh.vertices[mesh.faces].mean(axis=1) - CENTRE * TO_WORLD
    assert (np.einsum("fk,fk->f", mesh.face_normals, middles) > 0).all()


def test_text_images_and_exr_hold_the_same_depth(written: Path) -> None:
    text = read_grid(written / "depth.txt", ",", side=SIDE)
    stored = read_pixels(written / "depth.png", -1) / UNITS_PER_M
    exact = decode_exr((written / "depth.exr").read_bytes(), ("Z",))["Z"]
    assert np.abs(text - exact).max() < 1e-6
    assert np.abs(stored - exact).max() <= 0.5 / UNITS_PER_M + 1e-9
    assert exact[exact > 0].min() == pytest.approx(CENTRE[2] - RADIUS, abs=0.02)


def test_normals_are_written_as_published(written: Path) -> None:
    planes = [read_grid(written / f"pred_normals_{axis}.txt", " ", side=SIDE) for axis in (1, 2, 3)]
    lengths = np.linalg.norm(planes, axis=0)
    assert lengths.max() <= 1
    assert np.allclose(lengths[lengths > 0], 1, atol=1e-5)
    assert planes[2].min() < -0.9


def test_a_person_is_cut_out_on_white(tmp_path: Path) -> None:
    image, mask = draw_figure(500, 300)
    iuv = np.zeros((500, 300, 3), np.uint8)
    iuv[mask] = (2, 120, 40)
    write_photo(tmp_path / "p/a.png", image)
    write_photo(tmp_path / "m/a.png", mask.astype(np.uint8) * 255)
    write_photo(tmp_path / "d/a.png", iuv)
    request = ReconstructRequest(
        method="hdnet", photos=(str(tmp_path / "p"),), checkpoint="c", normal_checkpoint="n",
        out="o", mask=str(tmp_path / "m"), densepose=str(tmp_path / "d"),
    )  # fmt: skip
    made = prepare_surface(read_photo(tmp_path / "p/a.png"), request)
    rows = np.flatnonzero(made.mask.any(axis=1))
    assert np.ptp(rows) + 1 == pytest.approx(0.9 * SIDE, abs=2)
    assert (made.image[~made.mask] == 255).all()
    assert set(np.unique(made.arrays()["densepose"][..., 2])) == {0, 2}  # V, U, I

    write_photo(tmp_path / "d/a.png", np.roll(iuv, 200, axis=1))
    with pytest.raises(InputError, match="same photograph"):
        prepare_surface(read_photo(tmp_path / "p/a.png"), request)
