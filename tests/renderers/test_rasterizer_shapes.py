"""Images of a sphere, a box and a tilted plane against formulas, for each camera.

All shapes come in centimetres, far from the origin of their file, as scans do.
"""

from collections.abc import Callable
from functools import cache
from typing import Literal

import numpy as np
import pytest

from renderers.egl import GLContext
from renderers.rasterizer import Rasterizer
from schemas.camera import Camera, project
from schemas.sample import Surfaces
from schemas.scan import Mesh
from tests.renderers.figures import box, in_file_units, plane, rotation_y, sphere
from tests.renderers.scenes import (
    angle_deg,
    inner,
    make_camera,
    pixel_rays,
    sphere_hits,
    sphere_margin_px,
    to_camera_axes,
)

CAMERAS = ("2k2k", "orthographic", "hdnet")
RADIUS = 0.25
HALF = np.array([0.16, 0.22, 0.12])
BOX_TURN = 25.0
NORMAL = np.array([0.4, 0.3, 0.8]) / np.linalg.norm([0.4, 0.3, 0.8])

pytestmark = pytest.mark.parametrize("name", CAMERAS)


@cache
def shape(kind: str) -> Mesh:
    if kind == "sphere":
        return sphere(RADIUS, steps=256)
    return box(tuple(HALF)) if kind == "box" else plane(size=0.4, normal=tuple(NORMAL))


Drawer = Callable[[str, str], tuple[Camera, Surfaces]]


@pytest.fixture(scope="module")
def drawn(context: GLContext) -> Drawer:
    @cache
    def draw(kind: str, name: str) -> tuple[Camera, Surfaces]:
        mesh, file_to_world = in_file_units(shape(kind))
        turn = rotation_y(BOX_TURN if kind == "box" else 0.0)
        style: Literal["smooth", "flat"] = "flat" if kind == "box" else "smooth"
        camera = make_camera(name)
        with Rasterizer(context, mesh, normals=style) as rasterizer:
            return camera, rasterizer.draw(camera, turn @ file_to_world)

    return draw


def tolerance(camera: Camera) -> float:
    return 1 / (32 * camera.focal_px)


def test_front_of_a_sphere_has_the_length_of_the_ray(drawn: Drawer, name: str) -> None:
    camera, surfaces = drawn("sphere", name)
    hit, first, _ = sphere_hits(camera, RADIUS)
    error = np.abs(surfaces.front.depth - first)[inner(hit)]
    assert error.max() <= tolerance(camera)


def test_back_of_a_sphere_has_the_length_of_the_ray(drawn: Drawer, name: str) -> None:
    camera, surfaces = drawn("sphere", name)
    hit, _, last = sphere_hits(camera, RADIUS)
    error = np.abs(surfaces.back.depth - last)[inner(hit)]
    assert error.max() <= tolerance(camera)


@pytest.mark.parametrize("side", ["front", "back"])
def test_normals_of_a_sphere_point_away_from_its_centre(
    drawn: Drawer, name: str, side: str
) -> None:
    camera, surfaces = drawn("sphere", name)
    hit, first, last = sphere_hits(camera, RADIUS)
    starts, rays = pixel_rays(camera)
    length = first if side == "front" else last
    expected = to_camera_axes(camera, (starts + length[..., None] * rays) / RADIUS)
    error = angle_deg(getattr(surfaces, side).normal.astype(float), expected)
    assert error[inner(hit)].max() <= 0.5


def test_outline_of_a_sphere_is_right_to_half_a_pixel(drawn: Drawer, name: str) -> None:
    camera, surfaces = drawn("sphere", name)
    margin = sphere_margin_px(camera, RADIUS)
    assert surfaces.mask[margin > 0.5].all()
    assert not surfaces.mask[margin < -0.5].any()


def box_hits(camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Meet rays with the turned box: hit, first and last length, axis of each of these sides."""
    to_box = rotation_y(-BOX_TURN)[:3, :3]
    starts, rays = (part @ to_box.T for part in pixel_rays(camera))
    safe = np.where(rays == 0, 1e-300, rays)
    one, other = (-HALF - starts) / safe, (HALF - starts) / safe
    enter, leave = np.minimum(one, other), np.maximum(one, other)
    first, last = enter.max(-1), leave.min(-1)
    return last > first, first, last, enter.argmax(-1), leave.argmin(-1)


@pytest.mark.parametrize("side", ["front", "back"])
def test_a_box_has_the_length_of_the_ray(drawn: Drawer, name: str, side: str) -> None:
    camera, surfaces = drawn("box", name)
    hit, first, last, *axes = box_hits(camera)
    axis = axes[0] if side == "front" else axes[1]
    one_side = np.logical_or.reduce([inner(hit & (axis == k)) for k in range(3)])
    expected = first if side == "front" else last
    error = np.abs(getattr(surfaces, side).depth - expected)[one_side]
    assert error.max() <= tolerance(camera)


@pytest.mark.parametrize("side", ["front", "back"])
def test_flat_normals_of_a_box_are_those_of_its_sides(drawn: Drawer, name: str, side: str) -> None:
    camera, surfaces = drawn("box", name)
    hit, _, _, *axes = box_hits(camera)
    axis = axes[0] if side == "front" else axes[1]
    to_box = rotation_y(-BOX_TURN)[:3, :3]
    rays = pixel_rays(camera)[1] @ to_box.T
    sign = (-1 if side == "front" else 1) * np.sign(np.take_along_axis(rays, axis[..., None], -1))
    expected = to_camera_axes(camera, (np.eye(3)[axis] * sign) @ to_box)
    one_side = np.logical_or.reduce([inner(hit & (axis == k)) for k in range(3)])
    error = angle_deg(getattr(surfaces, side).normal.astype(float), expected)
    assert error[one_side].max() <= 0.5


def outline_margin_px(camera: Camera, points_world: np.ndarray) -> np.ndarray:
    """Return how far inside the hull of projected points each pixel centre lies, in pixels."""
    points = project(camera, points_world)
    middle = points.mean(0)
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    margin = np.full(x.shape, np.inf)
    for a in points:
        for b in points:
            normal = np.array([b[1] - a[1], a[0] - b[0]])
            length = np.linalg.norm(normal)
            if length < 1e-6:
                continue
            normal /= length * (np.sign((middle - a) @ normal) or 1)
            if ((points - a) @ normal).min() > -1e-6:  # an edge of the hull
                margin = np.minimum(margin, (x - a[0]) * normal[0] + (y - a[1]) * normal[1])
    return margin


def test_outline_of_a_box_is_right_to_half_a_pixel(drawn: Drawer, name: str) -> None:
    camera, surfaces = drawn("box", name)
    signs = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    margin = outline_margin_px(camera, (signs * HALF) @ rotation_y(BOX_TURN)[:3, :3].T)
    assert surfaces.mask[margin > 0.5].all()
    assert not surfaces.mask[margin < -0.5].any()


@pytest.mark.parametrize("side", ["front", "back"])
def test_a_tilted_plane_has_the_length_of_the_ray(drawn: Drawer, name: str, side: str) -> None:
    camera, surfaces = drawn("plane", name)
    starts, rays = pixel_rays(camera)
    expected = -(starts @ NORMAL) / (rays @ NORMAL)
    error = np.abs(getattr(surfaces, side).depth - expected)[inner(surfaces.mask)]
    assert error.max() <= tolerance(camera)


@pytest.mark.parametrize(("side", "sign"), [("front", 1), ("back", -1)])
def test_a_tilted_plane_faces_the_viewer_in_front_and_away_behind(
    drawn: Drawer, name: str, side: str, sign: int
) -> None:
    camera, surfaces = drawn("plane", name)
    error = angle_deg(
        getattr(surfaces, side).normal.astype(float)[surfaces.mask],
        to_camera_axes(camera, sign * NORMAL),
    )
    assert error.max() <= 0.5


def test_outline_of_a_tilted_plane_is_right_to_half_a_pixel(drawn: Drawer, name: str) -> None:
    camera, surfaces = drawn("plane", name)
    margin = outline_margin_px(camera, shape("plane").vertices)
    assert surfaces.mask[margin > 0.5].all()
    assert not surfaces.mask[margin < -0.5].any()
