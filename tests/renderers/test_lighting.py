"""Lit colour: whose light it is, whose silhouette, and that it repeats."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image

from renderers.egl import GLContext
from renderers.lighting import AmbientLight, SpotLights, choose_spot_lights, draw_lit
from renderers.rasterizer import Rasterizer
from schemas.camera import Camera, camera_2k2k
from schemas.scan import Mesh
from tests.renderers.figures import checkerboard, folded_figure, plane, rotation_y, with_texture
from tests.renderers.scenes import make_camera

# isort: split
# After renderers.gl, which says to PyOpenGL that there is no display.
import pyrender

CAMERA = camera_2k2k(256)
FIGURE = with_texture(folded_figure(steps=24), checkerboard(squares=24, square_px=16))
WHITE = np.full((2, 2, 3), 255, np.uint8)


def front_light(angle: int = 0, *, count: int = 1) -> SpotLights:
    return SpotLights(np.full(count, angle), intensity=8.0, green=0.75)


def lit_and_mask(
    context: GLContext,
    mesh: Mesh,
    lights: SpotLights,
    *,
    camera: Camera = CAMERA,
    turn: np.ndarray | None = None,
    ambient: AmbientLight = "neutral",
) -> tuple[np.ndarray, np.ndarray]:
    place = np.eye(4) if turn is None else turn
    with Rasterizer(context, mesh) as rasterizer:
        drawn = rasterizer.draw(camera, place)
        lit = draw_lit(rasterizer, camera, place, lights, ambient=ambient)
        return lit, drawn.mask


def test_the_same_seed_gives_the_same_lights() -> None:
    one, other = (choose_spot_lights(np.random.default_rng(7)) for _ in range(2))
    assert (one.angles_deg == other.angles_deg).all()
    assert (one.intensity, one.green) == (other.intensity, other.green)


def test_lights_keep_to_the_published_ranges() -> None:
    drawn = [choose_spot_lights(np.random.default_rng(seed)) for seed in range(60)]
    assert all(lights.angles_deg.shape == (360,) for lights in drawn)
    assert {lights.intensity for lights in drawn} == {8.0, 9.0}
    assert all(0.7 <= lights.green <= 0.8 for lights in drawn)


@pytest.mark.parametrize("name", ["2k2k", "orthographic", "hdnet"])
def test_light_covers_the_mask_and_nothing_else(context: GLContext, name: str) -> None:
    lit, mask = lit_and_mask(context, FIGURE, front_light(), camera=make_camera(name))
    assert not lit[~mask].any()
    assert lit[mask].any(axis=-1).all()


def test_a_lit_white_plane_has_the_brightness_of_the_formula(context: GLContext) -> None:
    lit, _ = lit_and_mask(context, with_texture(plane(), WHITE), front_light())
    # Head on, pyrender's metallic model leaves D G / 4 of the light: G = 1 and
    # D = 1 / (pi a^2) with a = roughness^2 = sqrt(2 / 3); the light is 8 / 2^2.
    light = 8 / 2**2 * np.array([1, 0.75, 1]) * (1 / (np.pi * 2 / 3)) / (4 + 0.001)
    expected = 255 * (light + 0.01) ** (1 / 2.2)
    assert lit[128, 128] == pytest.approx(expected, abs=2)


def test_a_light_from_behind_leaves_the_ambient_light(context: GLContext) -> None:
    lit, _ = lit_and_mask(context, with_texture(plane(), WHITE), front_light(180))
    # Turned away, the shader still counts one thousandth of the light.
    assert lit[128, 128] == pytest.approx([255 * 0.01 ** (1 / 2.2)] * 3, abs=2)


def test_published_ambient_light_is_blue(context: GLContext) -> None:
    mesh = with_texture(plane(), WHITE)
    lit, _ = lit_and_mask(context, mesh, front_light(180), ambient="published")
    expected = 255 * np.array([0.01, 0.01, 0.1]) ** (1 / 2.2)
    assert lit[128, 128] == pytest.approx(expected, abs=2)


def test_neutral_ambient_light_has_no_cast(context: GLContext) -> None:
    lit, mask = lit_and_mask(context, with_texture(plane(), WHITE), front_light(180))
    assert np.ptp(lit[mask], axis=-1).max() <= 1


@pytest.mark.parametrize(("angle", "brighter"), [(60, 1), (300, -1)])
def test_a_light_at_the_side_lights_that_side(
    context: GLContext, angle: int, brighter: int
) -> None:
    figure = with_texture(folded_figure(steps=24), WHITE)
    lit, mask = lit_and_mask(context, figure, front_light(angle))
    grey = lit.mean(-1)
    columns = np.arange(256)[None]
    left, right = (grey[mask & side].mean() for side in (columns < 128, columns >= 128))
    assert (right - left) * brighter > 5


def test_only_the_first_four_lights_count_as_in_pyrender(context: GLContext) -> None:
    angles = np.array([10, 80, 200, 330, 0, 0, 0])
    one, _ = lit_and_mask(context, FIGURE, SpotLights(angles, 8.0, 0.75))
    other, _ = lit_and_mask(context, FIGURE, SpotLights(angles[:4], 8.0, 0.75))
    assert (one == other).all()


def test_the_same_call_gives_the_same_bytes_in_any_order(context: GLContext) -> None:
    lights = choose_spot_lights(np.random.default_rng(3))
    with Rasterizer(context, FIGURE) as rasterizer:
        rasterizer.draw(CAMERA, np.eye(4))
        first = draw_lit(rasterizer, CAMERA, np.eye(4), lights)
        orthographic = make_camera("orthographic", 512)
        rasterizer.draw(orthographic, rotation_y(40))
        draw_lit(rasterizer, orthographic, rotation_y(40), lights)
        again = draw_lit(rasterizer, CAMERA, np.eye(4), lights)
    other, _ = lit_and_mask(context, FIGURE, lights)
    assert (first == again).all()
    assert (first == other).all()


def test_a_mesh_outside_the_image_stays_black(context: GLContext) -> None:
    place = np.eye(4)
    place[0, 3] = 3
    lit, _ = lit_and_mask(context, FIGURE, front_light(), turn=place)
    assert not lit.any()


@pytest.mark.parametrize("colored_by", ["texture", "vertex colours"])
def test_vertex_colours_are_lit_as_a_texture_of_that_colour(
    context: GLContext, colored_by: str
) -> None:
    color = (180, 90, 40)
    mesh = plane()
    if colored_by == "texture":
        mesh = with_texture(mesh, np.full((2, 2, 3), color, np.uint8))
    else:
        mesh = replace(mesh, vertex_colors=np.tile(np.array(color, np.uint8), (4, 1)))
    lit, _ = lit_and_mask(context, mesh, front_light())
    # As for white above, with the colour made linear; Fresnel adds nothing head on.
    linear = ((np.array(color) / 255 + 0.055) / 1.055) ** 2.4
    light = linear * 8 / 2**2 * np.array([1, 0.75, 1]) * (1 / (np.pi * 2 / 3)) / (4 + 0.001)
    assert lit[128, 128] == pytest.approx(255 * (light + 0.01 * linear) ** (1 / 2.2), abs=3)


def test_pyrender_alone_draws_the_same_image(context: GLContext) -> None:
    """Give the scene to pyrender's own renderer in its own way, in the same context."""
    texture = checkerboard(squares=8, square_px=64)
    mesh = with_texture(folded_figure(steps=24), texture)
    lit, mask = lit_and_mask(context, mesh, front_light(30))
    body = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    image = trimesh.visual.material.SimpleMaterial(
        image=Image.fromarray(texture), diffuse=[255, 255, 255, 255]
    )
    body.visual = trimesh.visual.TextureVisuals(uv=mesh.uv, material=image)
    scene = pyrender.Scene(bg_color=(0, 0, 0, 0), ambient_light=(0.01, 0.01, 0.01))
    scene.add(pyrender.Mesh.from_trimesh(body, smooth=False))
    f = CAMERA.focal_px
    scene.add(pyrender.IntrinsicsCamera(f, f, 128, 128, znear=0.1, zfar=10), pose=raised(0, 1.0))
    spot = pyrender.SpotLight(
        [1, 0.75, 1], 8.0, innerConeAngle=np.pi / 10, outerConeAngle=np.pi / 6
    )
    scene.add(spot, pose=raised(30, 2.0))
    renderer = pyrender.Renderer(256, 256)
    expected, _ = renderer.render(scene, pyrender.RenderFlags.OFFSCREEN)
    renderer.delete()
    difference = np.abs(lit.astype(int) - expected)[mask]
    assert difference.mean() < 2.5  # its edges are multisampled, ours are not
    assert np.median(difference) <= 1


def raised(turn_deg: float, distance: float) -> np.ndarray:
    """Stand at a distance from the origin, looking at it."""
    pose = rotation_y(turn_deg)
    pose[:3, 3] = pose[:3, 2] * distance
    return pose


def test_a_person_measured_in_another_unit_is_lit_alike(context: GLContext) -> None:
    # The same scene 2.4 times as large and shifted, camera and lights and all.
    larger = np.diag([2.4, 2.4, 2.4, 1.0])
    larger[:3, 3] = (0.3, -0.2, 0.5)
    view = CAMERA.world_to_camera.copy()
    view[:3, 3] = 2.4 * view[:3, 3] - view[:3, :3] @ larger[:3, 3]
    moved = replace(CAMERA, world_to_camera=view)
    plain, mask = lit_and_mask(context, FIGURE, front_light(20))
    with Rasterizer(context, FIGURE) as rasterizer:
        drawn = rasterizer.draw(moved, larger)
        seen = drawn.mask & mask
        lit = draw_lit(rasterizer, moved, larger, front_light(20), lights_to_world=larger)
    differing = np.abs(lit[seen].astype(int) - plain[seen].astype(int)).max(axis=-1)
    assert seen.sum() > 0.99 * mask.sum()
    assert np.percentile(differing, 99) <= 1  # an edge's pixel may fall to the triangle beside it
