"""Colours: which texel, which mean, which material."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.supersampling import box_reference
from renderers.egl import GLContext
from renderers.rasterizer import ColorFilter, Rasterizer
from schemas.camera import Camera, camera_2k2k
from schemas.sample import Surfaces
from schemas.scan import Material, Mesh
from tests.renderers.figures import (
    checkerboard,
    join,
    plane,
    rotation_y,
    sphere,
    tilted,
    with_texture,
)

CAMERA = camera_2k2k(256)
RED, GREEN, BLUE, WHITE = (230, 20, 30), (10, 200, 40), (20, 30, 240), (250, 251, 252)
QUADRANTS = np.array([[RED, GREEN], [BLUE, WHITE]], np.uint8)
SHAPES = {
    "plane": (plane(size=0.5), np.eye(4)),
    "tilted plane": (plane(size=0.5, normal=(0.5, 0.3, 0.8)), rotation_y(7)),
    "sphere": (sphere(0.3, steps=48), tilted(20)),
}
# squares a side, texels a square: from magnified to thirty texels a pixel, also off powers of two
BOARDS = ((16, 4), (7, 37), (16, 64), (31, 65), (50, 82))


Board = tuple[int, int]
Painter = Callable[[str, Board], tuple[Mesh, Surfaces]]


@pytest.fixture(scope="module")
def painted(context: GLContext) -> Painter:
    @cache
    def draw(shape: str, board: Board) -> tuple[Mesh, Surfaces]:
        mesh, turn = SHAPES[shape]
        mesh = with_texture(mesh, checkerboard(squares=board[0], square_px=board[1]))
        return mesh, draw_colors(context, mesh, turn=turn)

    return draw


def draw_colors(
    context: GLContext,
    mesh: Mesh,
    *,
    camera: Camera = CAMERA,
    turn: np.ndarray | None = None,
    color_filter: ColorFilter = "box",
) -> Surfaces:
    with Rasterizer(context, mesh, color_filter=color_filter) as rasterizer:
        return rasterizer.draw(camera, np.eye(4) if turn is None else turn)


def some_pixels(surfaces: Surfaces) -> np.ndarray:
    pixels = np.argwhere(surfaces.mask)
    return pixels[np.random.default_rng(5).permutation(len(pixels))[:3000]]


def plane_squares(shape: str, pixels: np.ndarray, squares: int) -> np.ndarray:
    """Return the number of the square under each pixel's four corners; -1 outside the plane."""
    mesh, turn = SHAPES[shape]
    a, b, d = (turn[:3, :3] @ mesh.vertices[k] for k in (0, 1, 2))
    right, up = b - a, d - a
    normal = np.cross(right, up)
    numbers = []
    for down in (0, 1):
        for across in (0, 1):
            toward = (pixels[:, ::-1] + (across, down) - CAMERA.K[:2, 2]) / CAMERA.focal_px
            rays = np.column_stack([toward[:, 0], -toward[:, 1], -np.ones(len(pixels))])
            eye = np.array([0.0, 0.0, 1.0])
            hit = eye + rays * (((a - eye) @ normal) / (rays @ normal))[:, None] - a
            u, v = hit @ right / (right @ right), hit @ up / (up @ up)
            inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
            row, column = np.floor((1 - v) * squares), np.floor(u * squares)
            numbers.append(np.where(inside, row * squares + column, -1))
    return np.stack(numbers, 1).astype(int)


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("shape", ["plane", "tilted plane"])
def test_a_footprint_inside_one_square_has_exactly_its_texel(
    painted: Painter, shape: str, board: Board
) -> None:
    _, surfaces = painted(shape, board)
    pixels = some_pixels(surfaces)
    squares = plane_squares(shape, pixels, board[0])
    even = (squares == squares[:, :1]).all(1) & (squares[:, 0] >= 0)
    colors = checkerboard(squares=board[0], square_px=1).reshape(-1, 3)
    expected = colors[squares[even, 0]]
    assert even.sum() > 300
    assert (surfaces.front.color[tuple(pixels[even].T)] == expected).all()


# A regular grid of rays cannot measure edges that run along it, so these shapes are turned.
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("shape", ["tilted plane", "sphere"])
def test_the_rest_is_the_mean_over_the_pixel(painted: Painter, shape: str, board: Board) -> None:
    mesh, surfaces = painted(shape, board)
    pixels = some_pixels(surfaces)
    expected, whole, even = box_reference(mesh, CAMERA, SHAPES[shape][1], pixels)
    rest = whole & ~even
    error = np.abs(surfaces.front.color[tuple(pixels[rest].T)] - expected[rest])
    assert error.mean() <= 2.0


def test_the_top_row_of_a_texture_is_at_v_one(context: GLContext) -> None:
    color = draw_colors(context, with_texture(plane(size=0.5), QUADRANTS)).front.color
    middles = [color[y, x].tolist() for y in (90, 166) for x in (90, 166)]
    assert middles == [list(RED), list(GREEN), list(BLUE), list(WHITE)]


def test_a_texture_is_seen_mirrored_from_behind(context: GLContext) -> None:
    mesh = with_texture(plane(size=0.5), QUADRANTS)
    color = draw_colors(context, mesh, turn=rotation_y(180)).front.color
    assert color[90, 90].tolist() == list(GREEN)


@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (5, 3)])
def test_textures_repeat(context: GLContext, shift: tuple[int, int]) -> None:
    mesh = with_texture(plane(size=0.5), QUADRANTS)
    assert mesh.uv is not None
    moved = replace(mesh, uv=mesh.uv + np.array(shift, np.float32))
    first, second = (draw_colors(context, one).front.color for one in (mesh, moved))
    assert (first == second).all()


def test_the_nearest_filter_gives_only_colours_of_the_texture(context: GLContext) -> None:
    texture = checkerboard(squares=40, square_px=1)
    mesh = with_texture(plane(size=0.5, normal=(0.3, 0.2, 1)), texture)
    surfaces = draw_colors(context, mesh, color_filter="nearest")
    found = {tuple(color) for color in surfaces.front.color[surfaces.mask].tolist()}
    assert found <= {tuple(color) for color in texture.reshape(-1, 3).tolist()}


def test_vertex_colours_are_interpolated(context: GLContext) -> None:
    colors = np.array([[0, 0, 0], [240, 0, 0], [0, 120, 0], [240, 120, 0]], np.uint8)
    mesh = replace(plane(size=0.4), vertex_colors=colors)
    color = draw_colors(context, mesh).front.color
    # Half way up and a quarter across the plane, which is 0.4 * f = 109.8 pixels wide.
    assert color[128, 128 - 27].tolist() == pytest.approx([60, 60, 0], abs=2)


def test_a_material_without_texture_gives_its_colour(context: GLContext) -> None:
    mesh = replace(plane(), materials=(Material("skin", None, BLUE),))
    surfaces = draw_colors(context, mesh)
    assert (surfaces.front.color[surfaces.mask] == BLUE).all()


def test_faces_without_material_are_grey(context: GLContext) -> None:
    surfaces = draw_colors(context, replace(plane(), uv=None, uv_faces=None))
    assert (surfaces.front.color[surfaces.mask] == 204).all()


def test_any_number_of_materials_is_drawn(context: GLContext) -> None:
    count = 40
    colors = np.random.default_rng(2).integers(0, 256, (count, 3)).astype(np.uint8)
    parts = [plane(size=0.01) for _ in range(count)]
    where = np.linspace(-0.3, 0.3, count)
    parts = [
        replace(part, vertices=part.vertices + np.array([x, 0, 0]))
        for part, x in zip(parts, where, strict=True)
    ]
    materials = tuple(
        Material(
            str(k), np.full((2 + k % 3, 5, 3), color, np.uint8) if k % 2 else None, tuple(color)
        )
        for k, color in enumerate(colors.tolist())
    )
    mesh = replace(
        join(parts),
        materials=materials,
        face_material=np.repeat(np.arange(count), 2).astype(np.int32),
    )
    color = draw_colors(context, mesh).front.color
    columns = np.floor(128 + where * CAMERA.focal_px).astype(int)
    assert (color[128, columns] == colors).all()


def test_faces_without_texture_coordinates_keep_their_material_colour(context: GLContext) -> None:
    mesh = with_texture(plane(), QUADRANTS)
    uv_faces = np.full_like(mesh.faces, -1)
    bare = replace(mesh, uv_faces=uv_faces, materials=(replace(mesh.materials[0], color=RED),))
    surfaces = draw_colors(context, bare)
    assert (surfaces.front.color[surfaces.mask] == RED).all()
