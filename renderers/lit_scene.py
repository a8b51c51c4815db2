"""pyrender's scene, camera and renderer, made to draw exactly what our own passes draw.

The pyrender that is pinned is known by heart here: private methods are replaced where it would
draw into a multisampled target, read back what nobody wants, or sum lights in no fixed order.
"""

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, UInt8

from renderers.gl import GL
from renderers.gl_objects import LevelSampler
from renderers.rasterizer import COLOR, DEPTH, fit_target, reset_state
from renderers.view_rays import Rectangle, clip_matrix
from schemas.camera import Camera

# isort: split
# pyrender imports OpenGL, and that may not happen before renderers.gl has chosen the platform.
import pyrender

if TYPE_CHECKING:
    from renderers.gl_objects import Target

TEXTURE_UNIT = 0
"""Where pyrender binds the first, and here only, texture of a material."""

GL_CAMERA_FROM_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
"""pyrender's cameras look along -z with y up."""


class OrderedScene(pyrender.Scene):  # type: ignore[misc] # pyrender has no types
    """A scene whose lights keep the order in which they came.

    pyrender holds them in a set, ordered by memory address, and adds their light up in that order:
    the last bit of a sum, and so a byte of the image, would change from run to run.
    """

    def __init__(self, **settings: object) -> None:
        """Make an empty scene."""
        super().__init__(**settings)
        self._lights_in_order: list[pyrender.Node] = []

    @property
    def light_nodes(self) -> list[pyrender.Node]:
        """Return the light nodes, first added first."""
        return self._lights_in_order

    def add_node(self, node: pyrender.Node, parent_node: pyrender.Node | None = None) -> None:
        """Add a node, and note its place when it is a light."""
        super().add_node(node, parent_node)
        if node.light is not None:
            self._lights_in_order.append(node)


class RectangleCamera(pyrender.Camera):  # type: ignore[misc] # pyrender has no types
    """Our camera, off axis or orthographic too, for one rectangle of its image."""

    def __init__(self, camera: Camera, rectangle: Rectangle, near: float, far: float) -> None:
        """Work out the projection, rows running down the image."""
        super().__init__()
        self._matrix = clip_matrix(camera, rectangle, near, far) @ GL_CAMERA_FROM_CAMERA

    def get_projection_matrix(
        self,
        width: int | None = None,  # noqa: ARG002 - pyrender's signature
        height: int | None = None,  # noqa: ARG002 - pyrender's signature
    ) -> Float64[np.ndarray, "4 4"]:
        """Return the projection; the size is the rectangle's already."""
        return self._matrix


class LitRenderer(pyrender.Renderer):  # type: ignore[misc] # pyrender has no types
    """pyrender's renderer into a single-sampled target of ours, with nothing read but colour.

    Its own target has four samples a pixel, whose edges would not be our silhouette's.
    """

    def __init__(self) -> None:
        """Make one without a target; the first drawing makes that."""
        super().__init__(1, 1)
        self._main_fb_ms: int = 0
        self._sampler = LevelSampler()
        self._target: Target | None = None
        self._rectangle = Rectangle(0, 0, 1, 1)

    def draw(self, scene: OrderedScene, rectangle: Rectangle) -> UInt8[np.ndarray, "h w 4"]:
        """Draw one scene; alpha is 255 where something was drawn."""
        self._rectangle = rectangle
        self.viewport_width, self.viewport_height = rectangle.width, rectangle.height
        reset_state(rectangle)
        flags = pyrender.RenderFlags.OFFSCREEN | pyrender.RenderFlags.SKIP_CULL_FACES
        self._sampler.bind(TEXTURE_UNIT)
        try:
            lit: UInt8[np.ndarray, "h w 4"] = self.render(scene, flags)
        finally:
            self._sampler.release(TEXTURE_UNIT)
            GL.glDisable(GL.GL_SCISSOR_TEST)
        return lit

    def forget(self, mesh: pyrender.Mesh) -> None:
        """Free the mesh's buffers; its textures are not pyrender's to free."""
        for primitive in mesh.primitives:
            primitive.delete()
            self._mesh_textures -= set(primitive.material.textures)
        self._meshes.discard(mesh)

    def close(self) -> None:
        """Free programs, meshes, the sampler and the target."""
        self.delete()
        self._sampler.close()
        if self._target is not None:
            self._target.close()
            self._target = None

    def _configure_main_framebuffer(self) -> None:
        self._target = fit_target(self._target, (COLOR, DEPTH), self._rectangle)
        self._main_fb_ms = self._target.id

    def _delete_main_framebuffer(self) -> None:
        self._main_fb_ms = 0  # the target itself is freed by close

    def _read_main_framebuffer(
        self,
        scene: OrderedScene,  # noqa: ARG002 - pyrender's signature
        flags: int,  # noqa: ARG002 - pyrender's signature
    ) -> UInt8[np.ndarray, "h w 4"]:
        shape = (self._rectangle.height, self._rectangle.width, 4)
        target = fit_target(self._target, (COLOR, DEPTH), self._rectangle)
        return target.read(0, np.empty(shape, np.uint8))

    def __del__(self) -> None:
        """Do nothing: GL may only be called from `close`, while the context is current."""
