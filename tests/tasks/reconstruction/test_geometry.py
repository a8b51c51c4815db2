"""Clouds and meshes of a ball lie on the ball; files open in another library."""

import io
from typing import Any

import numpy as np
import pytest
import trimesh

from schemas.camera import camera_2k2k
from tasks.formats.twok2k.depth16 import UNITS_PER_PIXEL, decode_depth16, encode_depth16
from tasks.reconstruction.clouds import make_cloud, make_sides
from tasks.reconstruction.mesh_files import format_cloud, format_glb, format_obj, format_ply
from tasks.reconstruction.sheets import ColoredMesh, grid_triangles, make_sheets
from tasks.reconstruction.surfaces import Surfaces, lift_to_world, make_surfaces
from tests.tasks.reconstruction.shapes import RADIUS, ball_surfaces

RESOLUTION = 512


@pytest.fixture(scope="module")
def ball() -> Surfaces:
    return ball_surfaces(RESOLUTION)


@pytest.fixture(scope="module")
def mesh(ball: Surfaces) -> ColoredMesh:
    return make_sheets(ball, 1.0)


def test_points_lie_on_the_ball(ball: Surfaces) -> None:
    distance = np.linalg.norm(make_cloud(ball, 1.0).points, axis=1)
    assert np.abs(distance - RADIUS).max() < 1e-6


def test_written_and_read_depth_lies_on_the_ball_within_one_stored_unit(ball: Surfaces) -> None:
    unit = 1 / (UNITS_PER_PIXEL * ball.camera.focal_px)
    for depth, is_front in ((ball.front, True), (ball.back, False)):
        stored = encode_depth16(depth, ball.camera, is_front=is_front)
        read = decode_depth16(stored, ball.camera)
        points = lift_to_world(ball.camera, read, ball.mask)
        assert np.abs(np.linalg.norm(points, axis=1) - RADIUS).max() <= unit


def test_network_depth_becomes_ray_length(ball: Surfaces) -> None:
    camera = camera_2k2k(RESOLUTION)
    network = {
        name: ((length - 1) * camera.focal_px + RESOLUTION / 2) / (RESOLUTION / 4)
        for name, length in (("front", ball.front), ("back", ball.back))
    }
    network["front"][~ball.mask], network["back"][~ball.mask] = 6, 0
    made = make_surfaces(network, ball.image, None)
    assert np.array_equal(made.mask, ball.mask)
    assert np.abs(made.front - ball.front).max() < 1e-6
    assert np.abs(made.back - ball.back).max() < 1e-6


def test_scale_is_applied_to_points(ball: Surfaces) -> None:
    distance = np.linalg.norm(make_cloud(ball, 1 / 1.0367394).points, axis=1)
    assert np.allclose(distance, RADIUS / 1.0367394, atol=1e-6)


def test_side_layers_lie_inside_the_ball_at_its_silhouette(ball: Surfaces) -> None:
    sides = make_sides(ball, 1.0).points
    middle = make_cloud(ball, 1.0).points
    assert len(sides) > 7 * 100
    assert np.linalg.norm(sides, axis=1).max() < RADIUS + 0.02
    assert np.abs(sides[:, 2]).mean() < np.abs(middle[:, 2]).mean()


def test_sheets_are_closed_and_turned_outwards(mesh: ColoredMesh) -> None:
    whole = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert whole.is_watertight
    assert whole.volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)


def test_sheets_lie_on_the_ball(mesh: ColoredMesh) -> None:
    middles = mesh.vertices[mesh.faces].mean(axis=1)
    assert np.abs(np.linalg.norm(middles, axis=1) - RADIUS).mean() < 0.002 * RADIUS


def test_no_triangle_spans_a_jump(ball: Surfaces) -> None:
    front = np.where(np.arange(RESOLUTION) < RESOLUTION // 2, ball.front - 0.05, ball.front)
    front = np.where(ball.mask, front, 0).astype(np.float32)
    cut = make_sheets(Surfaces(front, ball.back, ball.image, ball.camera), 1.0)
    corners = cut.vertices[cut.faces]
    on_front = (corners[..., 2] > 0.02).all(axis=1)
    inner = np.linalg.norm(corners[on_front][..., :2], axis=-1).max(axis=1) < 0.8 * RADIUS
    assert np.ptp(corners[on_front][inner][..., 2], axis=1).max() < 0.04


def test_triangles_of_a_full_grid_are_two_a_cell() -> None:
    assert len(grid_triangles(np.ones((3, 4), bool))) == 2 * 2 * 3


@pytest.mark.parametrize("kind", ["ply", "obj", "glb"])
def test_mesh_opens_elsewhere_with_its_colours(mesh: ColoredMesh, kind: str) -> None:
    data = {"ply": format_ply, "obj": format_obj, "glb": format_glb}[kind](mesh)
    read: Any = trimesh.load(io.BytesIO(data), file_type=kind, force="mesh", process=False)
    assert np.allclose(read.vertices, mesh.vertices, atol=1e-5)
    assert np.array_equal(read.faces, mesh.faces)
    if kind != "glb":  # whose colours are linear
        colors = np.asarray(read.visual.vertex_colors)[:, :3].astype(int)
        assert np.abs(colors - mesh.colors).max() <= 1


def test_cloud_opens_elsewhere(ball: Surfaces) -> None:
    cloud = make_cloud(ball, 1.0)
    read: Any = trimesh.load(io.BytesIO(format_cloud(cloud)), file_type="ply")
    assert np.allclose(read.vertices, cloud.points, atol=1e-6)
    assert np.array_equal(np.asarray(read.colors)[:, :3], cloud.colors)
