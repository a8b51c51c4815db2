"""What a rasteriser promises beside right images: refusals, same bytes, nothing left over."""

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from renderers.egl import GLContext
from renderers.gl import GL
from renderers.lighting import choose_spot_lights, draw_lit
from renderers.limits import check_faces, fit_images
from renderers.mesh_buffers import pack_mesh
from renderers.rasterizer import Rasterizer
from schemas.camera import Camera, camera_2k2k, camera_orthographic, ray_directions
from schemas.errors import InputError, MachineError, RequestError
from schemas.sample import Surfaces
from schemas.scan import Mesh
from tests.renderers.figures import (
    checkerboard,
    folded_figure,
    plane,
    rotation_y,
    sphere,
    with_texture,
)

CAMERA = camera_2k2k(256)
FIGURE = with_texture(folded_figure(steps=20), checkerboard(squares=24, square_px=16))


def draw(
    context: GLContext, mesh: Mesh, *, camera: Camera = CAMERA, place: np.ndarray | None = None
) -> Surfaces:
    with Rasterizer(context, mesh) as rasterizer:
        return rasterizer.draw(camera, np.eye(4) if place is None else place)


def digest(surfaces: Surfaces) -> str:
    arrays = [
        array
        for side in (surfaces.front, surfaces.back)
        for array in (side.color, side.depth, side.normal, side.triangle)
    ]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def moved(*offset: float) -> np.ndarray:
    place = np.eye(4)
    place[:3, 3] = offset
    return place


def test_front_and_back_share_one_silhouette(context: GLContext) -> None:
    surfaces = draw(context, FIGURE)
    assert (surfaces.mask == (surfaces.front.triangle >= 0)).all()
    assert (surfaces.mask == (surfaces.back.triangle >= 0)).all()


def test_the_back_is_never_before_the_front(context: GLContext) -> None:
    surfaces = draw(context, FIGURE)
    assert (surfaces.back.depth - surfaces.front.depth)[surfaces.mask].min() >= -1e-6


@pytest.mark.parametrize("field", ["color", "depth", "normal"])
def test_nothing_is_drawn_outside_the_mask(context: GLContext, field: str) -> None:
    surfaces = draw(context, FIGURE)
    assert not getattr(surfaces.front, field)[~surfaces.mask].any()


@pytest.mark.parametrize(("side", "sign"), [("front", 1), ("back", -1)])
def test_no_normal_is_turned_past_the_silhouette(context: GLContext, side: str, sign: int) -> None:
    surfaces = draw(context, FIGURE)
    facing = (getattr(surfaces, side).normal * ray_directions(CAMERA)).sum(-1) * sign
    assert facing[surfaces.mask].max() <= 1e-6


def test_normals_are_unit_vectors(context: GLContext) -> None:
    surfaces = draw(context, FIGURE)
    length = np.linalg.norm(surfaces.back.normal[surfaces.mask], axis=-1)
    assert np.abs(length - 1).max() < 1e-5


def test_a_mesh_turned_inside_out_keeps_its_normals(context: GLContext) -> None:
    inside_out = replace(FIGURE, faces=FIGURE.faces[:, ::-1].copy())
    first, second = (draw(context, mesh).front.normal for mesh in (FIGURE, inside_out))
    assert np.abs(first - second).max() < 1e-3


def test_triangles_are_indices_into_the_faces(context: GLContext) -> None:
    surfaces = draw(context, plane(size=0.4))
    # The diagonal from top right to bottom left parts the square's two triangles.
    assert {int(surfaces.front.triangle[100, 120]), int(surfaces.front.triangle[150, 140])} == {
        0,
        1,
    }


def test_placement_scales_lengths_to_the_scene(context: GLContext) -> None:
    place = np.diag([0.01, 0.01, 0.01, 1.0])
    big = replace(plane(), vertices=plane().vertices * 100)
    assert draw(context, big, place=place).front.depth[128, 128] == pytest.approx(1.0, abs=1e-4)


def test_a_mesh_outside_the_image_leaves_it_empty(context: GLContext) -> None:
    surfaces = draw(context, plane(size=0.1), place=moved(3, 0, 0))
    assert not surfaces.mask.any()


def test_a_mesh_cut_by_the_border_is_drawn_up_to_it(context: GLContext) -> None:
    surfaces = draw(context, plane(size=2.0))
    assert surfaces.mask.all()


def test_the_same_view_gives_the_same_bytes_whatever_was_drawn_before(context: GLContext) -> None:
    with Rasterizer(context, FIGURE) as rasterizer:
        first = rasterizer.draw(CAMERA, np.eye(4))
        rasterizer.draw(camera_orthographic(512), rotation_y(90))
        lights = choose_spot_lights(np.random.default_rng(0))
        draw_lit(rasterizer, CAMERA, np.eye(4), lights)
        draw(context, sphere(steps=8))
        assert digest(rasterizer.draw(CAMERA, np.eye(4))) == digest(first)


DIGEST_PROGRAM = """
from renderers.egl import GLContext
from tests.renderers.test_rasterizer import FIGURE, digest, draw
with GLContext.open() as context:
    print(digest(draw(context, FIGURE)))
"""


def test_the_number_of_drawing_threads_changes_no_byte() -> None:
    digests = set()
    for threads in ("0", "1", "3"):
        result = subprocess.run(
            [sys.executable, "-c", DIGEST_PROGRAM],
            env=os.environ | {"LP_NUM_THREADS": threads, "PYTHONPATH": str(Path.cwd())},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        digests.add(result.stdout)
    (digest_of_all,) = digests
    assert re.fullmatch(r"[0-9a-f]{64}\n", digest_of_all)


def count_objects() -> dict[str, int]:
    """Count what GL holds, among the names that it hands out first."""
    kinds = {
        "textures": GL.glIsTexture, "buffers": GL.glIsBuffer, "arrays": GL.glIsVertexArray,
        "framebuffers": GL.glIsFramebuffer, "programs": GL.glIsProgram,
        "samplers": GL.glIsSampler, "renderbuffers": GL.glIsRenderbuffer,
    }  # fmt: skip
    return {
        kind: sum(bool(is_one(name)) for name in range(1, 2000)) for kind, is_one in kinds.items()
    }


def test_a_closed_rasterizer_leaves_nothing_on_the_device(context: GLContext) -> None:
    def work() -> None:
        with Rasterizer(context, FIGURE) as rasterizer:
            rasterizer.draw(CAMERA, np.eye(4))
            lights = choose_spot_lights(np.random.default_rng(0))
            draw_lit(rasterizer, CAMERA, np.eye(4), lights)

    work()  # what the context keeps for all scans is made here
    before = count_objects()
    for _ in range(3):
        work()
    assert count_objects() == before


def sized(width: int, height: int) -> Camera:
    return replace(CAMERA, width=width, height=height)


def test_a_resolution_past_the_device_is_refused_naming_the_limit(context: GLContext) -> None:
    limit = min(context.info.max_texture, context.info.max_viewport)
    with pytest.raises(MachineError, match=f"{limit + 1} x 8.* ends at {limit}"):
        draw(context, plane(), camera=sized(limit + 1, 8))


def test_a_image_of_no_size_is_refused(context: GLContext) -> None:
    with pytest.raises(RequestError, match="0 x 256"):
        draw(context, plane(), camera=sized(0, 256))


def test_a_mesh_behind_the_camera_is_refused(context: GLContext) -> None:
    with pytest.raises(RequestError, match="behind the pinhole"):
        draw(context, plane(), place=moved(0, 0, 1.5))


def test_a_mesh_without_faces_is_refused(context: GLContext) -> None:
    empty = Mesh(vertices=np.zeros((3, 3)), faces=np.zeros((0, 3), np.int32))
    with pytest.raises(InputError, match="no faces"):
        Rasterizer(context, empty)


@pytest.mark.parametrize("index", [-1, 4])
def test_an_index_out_of_range_is_refused(context: GLContext, index: int) -> None:
    faces = np.array([[0, 1, 2], [0, 1, index]], np.int32)
    with pytest.raises(InputError, match=r"mesh faces.*expected 0\.\.3"):
        Rasterizer(context, replace(plane(), faces=faces))


def test_a_material_out_of_range_is_refused(context: GLContext) -> None:
    with pytest.raises(InputError, match="face_material"):
        Rasterizer(context, replace(plane(), face_material=np.array([0, 1], np.int32)))


def test_a_coordinate_that_is_no_number_is_refused(context: GLContext) -> None:
    vertices = plane().vertices.copy()
    vertices[2, 1] = np.nan
    with pytest.raises(InputError, match="vertex 2"):
        Rasterizer(context, replace(plane(), vertices=vertices))


def test_more_faces_than_a_buffer_holds_are_refused(context: GLContext) -> None:
    with pytest.raises(MachineError, match="at most 1, the texture buffer size"):
        check_faces(replace(context.info, max_texture_buffer=11), pack_mesh(plane()))


def test_a_texture_past_the_device_is_shrunk_by_area_with_a_warning() -> None:
    image = np.zeros((8, 4, 3), np.uint8)
    image[::2] = 100
    (small,), warnings = fit_images((image,), 4)
    assert small.shape == (4, 2, 3)
    assert (small == 50).all()
    assert "4 x 8 shrunk to 2 x 4" in warnings[0]


def test_a_fitting_texture_is_not_touched() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    (same,), warnings = fit_images((image,), 4)
    assert same is image
    assert warnings == ()
