"""Passes over the pixels of a surface that was drawn before: what its points look like otherwise.

The rasteriser knows which triangle each pixel sees; a pass meets each pixel's ray with its triangle
once more (shaders/hit.glsl) and works out a colour, so that nothing is rasterised a second time and
the silhouette is the same to the pixel.
"""

from collections.abc import Mapping

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from renderers.gl_objects import LevelSampler, ReadBuffers, Target, Uniform
from renderers.rasterizer import UNITS, Rasterizer, drawing
from renderers.view_rays import ViewRays
from schemas.camera import Camera
from schemas.profiling import span


def paint_seen(
    rasterizer: Rasterizer,
    fragment: str,
    camera: Camera,
    mesh_to_world: Float[np.ndarray, "4 4"],
    *,
    uniforms: Mapping[str, Uniform],
) -> UInt8[np.ndarray, "H W 3"]:
    """Run a pass over the pixels of the front surface; 0 where no triangle is seen.

    fragment: its file in shaders/. Right after `Rasterizer.draw` of the same view it costs least.
    """
    rasterizer.context.check()
    image: UInt8[np.ndarray, "H W 3"] = np.zeros((camera.height, camera.width, 3), np.uint8)
    view = rasterizer.view_of(camera, mesh_to_world)
    if view is None:
        return image
    box = view.rectangle.slices
    target = _run(rasterizer, fragment, view, uniforms)
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
    uniforms: Mapping[str, Uniform],
) -> Target:
    sampler = rasterizer.context.cached("level sampler", LevelSampler)
    with drawing(f"draw {fragment}"):
        rasterizer.show(view, is_front=True)
        sampler.bind(UNITS["picture"])
        target = rasterizer.paint_pixels(fragment, view, uniforms, is_front=True, attachments=1)
        sampler.release(UNITS["picture"])
    return target
