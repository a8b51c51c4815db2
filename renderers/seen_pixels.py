"""Passes over the pixels of a surface that was drawn before: what its points look like otherwise.

The rasteriser says which triangle each pixel sees; a pass meets each pixel's ray with its triangle
once more (shaders/hit.glsl) and works out a colour, so that nothing is rasterised a second time and
the silhouette is the same to the pixel.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, Int32, UInt8

from renderers.gl import GL
from renderers.gl_objects import IndexTexture, LevelSampler, Program, ReadBuffers, Target, Uniform
from renderers.rasterizer import COLOR, UNITS, Rasterizer, drawing, fit_target, reset_state
from renderers.view_rays import Rectangle, ViewRays
from schemas.camera import Camera
from schemas.profiling import span
from schemas.sample import Surface


class PixelPasses:
    """Own what all passes of a context share: the target, the triangles, the sampler, programs."""

    def __init__(self) -> None:
        """Begin without a target; the first pass makes one."""
        self._target: Target | None = None
        self._triangles = IndexTexture()
        self._sampler = LevelSampler()
        self._programs: dict[str, Program] = {}

    def program(self, fragment: str) -> Program:
        """Return the program of a pass, compiled on first use."""
        if fragment not in self._programs:
            self._programs[fragment] = Program("rectangle.vert", "hit.glsl", fragment)
        return self._programs[fragment]

    def begin(self, rectangle: Rectangle, triangle: Int32[np.ndarray, "h w"]) -> Target:
        """Bind a target for a rectangle, and the triangles that its pixels see."""
        self._target = fit_target(self._target, (COLOR,), rectangle)
        self._triangles.upload(triangle)
        self._triangles.bind(UNITS["triangles"])
        self._target.bind()
        return self._target

    def mix_levels(self, *, is_on: bool) -> None:
        """Let the texture be read between two of its levels, or from its own filter again."""
        if is_on:
            self._sampler.bind(UNITS["picture"])
        else:
            self._sampler.release(UNITS["picture"])

    def close(self) -> None:
        """Free it all."""
        self._triangles.close()
        self._sampler.close()
        for program in self._programs.values():
            program.close()
        if self._target is not None:
            self._target.close()
            self._target = None


def paint_seen(
    rasterizer: Rasterizer,
    fragment: str,
    camera: Camera,
    mesh_to_world: Float[np.ndarray, "4 4"],
    surface: Surface,
    *,
    uniforms: Mapping[str, Uniform],
) -> UInt8[np.ndarray, "H W 3"]:
    """Run a pass over the pixels of a surface; 0 where no triangle is seen.

    fragment: its file in shaders/. camera, mesh_to_world: as the surface was drawn.
    """
    rasterizer.context.check()
    image: UInt8[np.ndarray, "H W 3"] = np.zeros((camera.height, camera.width, 3), np.uint8)
    view = rasterizer.view_of(camera, mesh_to_world)
    if view is None:
        return image
    box = view.rectangle.slices
    target = _run(rasterizer, fragment, view, surface.seen_triangle, uniforms)
    with span("read back"):
        shape = (view.rectangle.height, view.rectangle.width, 4)
        buffers = rasterizer.context.cached("read buffers", ReadBuffers)
        painted = target.read(0, buffers.take(shape, np.uint8))
        cv2.cvtColor(painted, cv2.COLOR_RGBA2RGB, dst=image[box])
    return image


def _run(
    rasterizer: Rasterizer,
    fragment: str,
    view: ViewRays,
    triangle: Int32[np.ndarray, "h w"],
    uniforms: Mapping[str, Uniform],
) -> Target:
    passes = rasterizer.context.cached("pixel passes", PixelPasses)
    with drawing(f"draw {fragment}"):
        reset_state(view.rectangle)
        target = passes.begin(view.rectangle, triangle)
        program = passes.program(fragment)
        program.use(uniforms)
        passes.mix_levels(is_on=True)
        rasterizer.paint_pixels(program, view)
        passes.mix_levels(is_on=False)
        GL.glDisable(GL.GL_SCISSOR_TEST)
    return target
