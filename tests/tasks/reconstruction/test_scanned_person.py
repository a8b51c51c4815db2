"""True depth of a known body, seen by Embree, comes back as its surface: points and meshes."""

from pathlib import Path
from typing import Any

import igl
import numpy as np
import pytest
import trimesh

from schemas.camera import camera_2k2k, ray_directions
from schemas.reconstruct_request import Meshing
from tasks.formats.twok2k.depth16 import UNITS_PER_PIXEL, decode_depth16
from tasks.reconstruction.clouds import join_clouds, make_cloud, make_sides
from tasks.reconstruction.meshing import make_mesh
from tasks.reconstruction.person_files import write_maps
from tasks.reconstruction.poisson import is_installed
from tasks.reconstruction.surfaces import Surfaces, lift_to_world
from tests.image_files import read_pixels

RESOLUTION = 512
HEIGHT = 0.7
MAX_MEAN_SHARE = 0.005


def body() -> trimesh.Trimesh:
    """Make a trunk, a head, two legs and an arm before the trunk: 0.7 high, turned a little."""
    parts = [
        trimesh.creation.icosphere(subdivisions=4, radius=1.0)
        .apply_scale(size)
        .apply_translation(place)
        for size, place in (
            ((0.10, 0.17, 0.06), (0, 0.04, 0)), ((0.045, 0.06, 0.05), (0, 0.29, 0)),
            ((0.045, 0.2, 0.05), (0.05, -0.15, 0)), ((0.045, 0.2, 0.05), (-0.05, -0.15, 0)),
            ((0.12, 0.02, 0.02), (0.03, 0.06, 0.12)),
        )
    ]  # fmt: skip
    turned: Any = trimesh.util.concatenate(parts)
    turned.apply_transform(trimesh.transformations.rotation_matrix(0.4, (0, 1, 0)))
    whole: trimesh.Trimesh = turned
    return whole


@pytest.fixture(scope="module")
def scan() -> trimesh.Trimesh:
    return body()


@pytest.fixture(scope="module")
def seen(scan: trimesh.Trimesh) -> Surfaces:
    """First and last hit of each pixel's ray, by Embree."""
    camera = camera_2k2k(RESOLUTION)
    rays = ray_directions(camera).reshape(-1, 3) * [1, -1, -1]
    eye, far = np.array([0.0, 0, 1]), 2.0
    depths = []
    for origins, directions, sign in (
        (np.tile(eye, (len(rays), 1)), rays, 1.0), (eye + far * rays, -rays, -1.0)
    ):  # fmt: skip
        places, index, _ = scan.ray.intersects_location(origins, directions, multiple_hits=False)
        length = np.zeros(len(rays), np.float32)
        length[index] = np.linalg.norm(places - eye, axis=1)
        depths.append(length.reshape(RESOLUTION, RESOLUTION))
        assert sign * length.max() <= far
    inside = (depths[0] > 0) & (depths[1] >= depths[0])
    front, back = (np.where(inside, depth, 0).astype(np.float32) for depth in depths)
    image = np.full((RESOLUTION, RESOLUTION, 3), 128, np.uint8)
    return Surfaces(front, back, image, camera)


def distances(mesh: trimesh.Trimesh, points: np.ndarray) -> np.ndarray:
    squared, _, _ = igl.point_mesh_squared_distance(
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(mesh.vertices, np.float64),
        np.ascontiguousarray(mesh.faces, np.int64),
    )
    return np.sqrt(np.asarray(squared))


def test_files_of_depth_lie_on_the_scan_within_one_unit(
    scan: trimesh.Trimesh, seen: Surfaces, tmp_path: Path
) -> None:
    flat = np.zeros((6, RESOLUTION, RESOLUTION), np.float16)
    write_maps(tmp_path, seen, {"normals": flat, "consistency": flat})
    unit = 1 / (UNITS_PER_PIXEL * seen.camera.focal_px)
    for side in ("front", "back"):
        stored = read_pixels(tmp_path / f"depth_{side}.png", -1)
        read = decode_depth16(stored.astype(np.uint16), seen.camera)
        points = lift_to_world(seen.camera, read, read > 0)
        assert len(points) == seen.mask.sum()
        assert distances(scan, points).max() <= unit


@pytest.mark.parametrize("meshing", ["sheets", "poisson"])
def test_a_mesh_of_true_depth_is_the_scan_where_it_was_seen(
    scan: trimesh.Trimesh, seen: Surfaces, meshing: Meshing
) -> None:
    if meshing == "poisson" and not is_installed():
        pytest.skip("the extra mesh is not installed")
    cloud = join_clouds([make_cloud(seen, 1.0), make_sides(seen, 1.0)])
    mesh = make_mesh(seen, cloud, 1.0, meshing)
    made = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    points = made.sample(5000, seed=0)
    assert distances(scan, points).mean() < MAX_MEAN_SHARE * HEIGHT
    visible = make_cloud(seen, 1.0).points[::20]
    assert distances(made, visible).mean() < MAX_MEAN_SHARE * HEIGHT


def test_the_gap_behind_an_arm_is_no_surface(scan: trimesh.Trimesh, seen: Surfaces) -> None:
    mesh = make_mesh(seen, make_cloud(seen, 1.0), 1.0, "sheets")
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    assert distances(scan, middles).max() < 0.03
