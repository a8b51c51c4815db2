"""Draws a scan into its front and back surface: colour, ray length, normal, triangle, mask.

A visibility buffer: for each surface one pass over the triangles notes only which of them owns
each pixel (depth test LESS for the front, GREATER from depth 0 for the back); then one pass over
the pixels meets each pixel's centre ray with its triangle exactly, in float32, and works out the
rest. So the costly work is done once a pixel, and its precision hangs on no interpolator.

Axes and conventions: see schemas.camera and schemas.sample. Row 0 of the framebuffer is the top
row of the image everywhere in here; nothing is flipped.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from renderers.egl import Closable, GLContext, GLResourceCache, Resource
from renderers.gl import GL
from renderers.gl_objects import (
    Attachment,
    BufferTexture,
    EmptyVertexArray,
    ImageTexture,
    Program,
    ReadBuffers,
    Target,
    TriangleArray,
    Uniform,
)
from renderers.limits import check_faces, check_resolution, fit_images
from renderers.mesh_buffers import pack_mesh
from renderers.view_rays import Rectangle, ViewRays, work_out_view
from schemas.camera import Camera
from schemas.errors import MachineError
from schemas.profiling import is_profiled, span
from schemas.sample import Surface, Surfaces
from schemas.scan import Mesh

NormalStyle = Literal["smooth", "flat"]
ColorFilter = Literal["box", "nearest"]

TRIANGLE = Attachment(GL.GL_R32I, GL.GL_RED_INTEGER, GL.GL_INT, GL.GL_COLOR_ATTACHMENT0)
DEPTH = Attachment(
    GL.GL_DEPTH_COMPONENT32F, GL.GL_DEPTH_COMPONENT, GL.GL_FLOAT, GL.GL_DEPTH_ATTACHMENT
)
COLOR = Attachment(GL.GL_RGBA8, GL.GL_RGBA, GL.GL_UNSIGNED_BYTE, GL.GL_COLOR_ATTACHMENT0)
NORMAL_DEPTH = Attachment(GL.GL_RGBA32F, GL.GL_RGBA, GL.GL_FLOAT, GL.GL_COLOR_ATTACHMENT1)

TARGET_STEP_PX = 128
"""Targets grow in steps, so that the views of one scan share one pair."""

UNITS = {
    "triangles": 0, "face_data": 1, "corner_colors": 2, "face_slots": 3, "picture": 4, "charts": 5,
}  # fmt: skip
"""Texture unit of each sampler; every one needs its own, as their kinds differ."""


class Rasterizer(AbstractContextManager["Rasterizer"]):
    """Own one uploaded mesh; draw it from any camera at any placement.

    warnings: what was changed to fit the device, to be kept with the samples.
    """

    def __init__(
        self,
        context: GLContext,
        mesh: Mesh,
        *,
        normals: NormalStyle = "smooth",
        color_filter: ColorFilter = "box",
    ) -> None:
        """Upload a mesh and its textures.

        normals: "smooth" as the data set defines them, or "flat" face normals. color_filter: "box",
        the mean of the texture over the pixel, or "nearest", the texel at its centre.
        Raises InputError for a mesh that cannot be drawn, MachineError where the device is too
        small for it.
        """
        context.check()
        self.context = context
        with span("pack mesh"):
            buffers = pack_mesh(mesh)
        check_faces(context.info, buffers)
        self.local_to_mesh = buffers.local_to_mesh
        self._positions = buffers.positions.astype(np.float64)  # once, not for every view
        self._defines = {
            "FLAT_NORMALS": int(normals == "flat"),
            "POINT_SAMPLED": int(color_filter == "nearest"),
        }
        images, self.warnings = fit_images(buffers.images, context.info.max_texture)
        with span("upload texture"):
            self.images = [ImageTexture(image) for image in images]
        with span("upload mesh"):
            self._triangles = TriangleArray(buffers.positions, buffers.faces)
            self._face_data = BufferTexture(buffers.face_data.reshape(-1, 4))
            self._face_slots = BufferTexture(buffers.face_slots)
            colors = buffers.corner_colors
            self._colors = BufferTexture(
                np.zeros((3, 4), np.uint8) if colors is None else colors.reshape(-1, 4)
            )
        self._slots = np.flatnonzero(np.bincount(buffers.face_slots)).tolist()
        self._seen: tuple[Camera, Float[np.ndarray, "4 4"], ViewRays | None] | None = None
        self._targets: _Targets | None = None
        self._cache = GLResourceCache()

    def draw(self, camera: Camera, mesh_to_world: Float[np.ndarray, "4 4"]) -> Surfaces:
        """Draw front and back surface of the mesh placed by a similarity transform.

        Raises RequestError for an image of no size or a mesh behind the camera, MachineError for
        one larger than the device can draw.
        """
        self.context.check()
        check_resolution(self.context.info, camera)
        view = self.view_of(camera, mesh_to_world)
        if view is None:
            front, back = _blank_surface(camera), _blank_surface(camera)
        else:
            # The front last: passes over its pixels then find its triangles there.
            back = self._draw_surface(camera, view, is_front=False)
            front = self._draw_surface(camera, view, is_front=True)
        # On a silhouette both surfaces are as near as rounding, which may turn their order.
        np.maximum(front.seen[..., 3], back.seen[..., 3], out=back.seen[..., 3])
        mask = np.zeros(front.color.shape[:2], bool)
        np.greater_equal(front.seen_triangle, 0, out=mask[front.box])
        return Surfaces(front=front, back=back, mask=mask)

    def view_of(self, camera: Camera, mesh_to_world: Float[np.ndarray, "4 4"]) -> ViewRays | None:
        """Work out a view of the mesh, or take it again; None where the mesh is outside of it.

        Raises RequestError when any of the mesh lies behind a pinhole camera.
        """
        if self._seen is None or not (
            self._seen[0] is camera and np.array_equal(self._seen[1], mesh_to_world)
        ):
            view = work_out_view(camera, mesh_to_world @ self.local_to_mesh, self._positions)
            self._seen = (camera, mesh_to_world.copy(), view)
        return self._seen[2]

    def cached(self, key: str, make: Callable[[], Resource]) -> Resource:
        """Return this mesh's object of a key, made on first use and freed by `close`."""
        self.context.check()
        return self._cache.get(key, make)

    def close(self) -> None:
        """Free all that was uploaded; idempotent."""
        self._cache.close()
        owned: list[Closable] = [
            self._triangles, self._face_data, self._face_slots, self._colors, *self.images,
        ]  # fmt: skip
        owned += [] if self._targets is None else [self._targets]
        for thing in owned:
            thing.close()
        self.images, self._targets = [], None

    def __exit__(self, *_: object) -> None:
        """Close, whatever happened."""
        self.close()

    def _draw_surface(self, camera: Camera, view: ViewRays, *, is_front: bool) -> Surface:
        with drawing("draw visibility"):
            self.show(view, is_front=is_front)
        with drawing("draw surface"):
            uniforms = _camera_uniforms(camera, view) | {"viewer_side": 1.0 if is_front else -1.0}
            resolved = self.paint_pixels(
                "resolve.frag", view, uniforms, is_front=is_front, attachments=2
            )
        with span("read back"):
            targets, buffers = self._fit(view), self.context.cached("read buffers", ReadBuffers)
            return _read_surface(targets.visibility, resolved, camera, view.rectangle, buffers)

    def _fit(self, view: ViewRays) -> "_Targets":
        """Return targets that hold a view, larger ones in the place of those before if need be."""
        if self._targets is None or not self._targets.hold(view.rectangle):
            smaller, self._targets = self._targets, None
            self._targets = _Targets.make(view.rectangle, smaller)
        return self._targets

    def show(self, view: ViewRays, *, is_front: bool) -> None:
        """Note which triangle owns each pixel of a surface, unless that is the last one noted."""
        targets = self._fit(view)
        reset_state(view.rectangle)
        if targets.shown is None or targets.shown[0] is not view or targets.shown[1] != is_front:
            self._draw_visibility(targets.visibility, view, is_front=is_front)
            targets.shown = view, is_front

    def _draw_visibility(self, target: Target, view: ViewRays, *, is_front: bool) -> None:
        target.bind()
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glDepthFunc(GL.GL_LESS if is_front else GL.GL_GREATER)
        GL.glClearBufferiv(GL.GL_COLOR, 0, np.array([-1, 0, 0, 0], np.int32))
        GL.glClearBufferfv(GL.GL_DEPTH, 0, np.array([1.0 if is_front else 0.0], np.float32))
        program = self.context.cached(
            "visibility program", lambda: Program("visibility.vert", "visibility.frag")
        )
        program.use({"local_to_clip": view.local_to_clip})
        self._triangles.draw()

    def paint_pixels(
        self,
        fragment: str,
        view: ViewRays,
        uniforms: Mapping[str, Uniform],
        *,
        is_front: bool,
        attachments: int,
    ) -> Target:
        """Run hit.glsl and a file of shaders/ over the pixels of the surface that is shown.

        They run once for each texture of the mesh; attachments: of the target that is returned, 0
        where nothing is seen. There the depth test ends a pixel before its program begins, which a
        software renderer would run to its end even where the program discards it.
        """
        targets = self._fit(view)
        targets.resolved.bind(attachments)
        targets.visibility.bind_texture(0, UNITS["triangles"])
        for attachment in range(attachments):
            GL.glClearBufferfv(GL.GL_COLOR, attachment, np.zeros(4, np.float32))
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glDepthMask(GL.GL_FALSE)
        GL.glDepthFunc(GL.GL_GREATER if is_front else GL.GL_LESS)
        uniforms = {**uniforms, **_ray_uniforms(view), "nowhere": 1.0 if is_front else -1.0}
        self._face_data.bind(UNITS["face_data"])
        self._colors.bind(UNITS["corner_colors"])
        self._face_slots.bind(UNITS["face_slots"])
        empty = self.context.cached("empty vertex array", EmptyVertexArray)
        for slot in self._slots:
            self._program(fragment, slot).use({**uniforms, **UNITS, "slot": slot})
            empty.draw_triangle()
        GL.glDepthMask(GL.GL_TRUE)
        GL.glDisable(GL.GL_DEPTH_TEST)
        GL.glDisable(GL.GL_SCISSOR_TEST)  # else it would cut what others draw in this context
        return targets.resolved

    def _program(self, fragment: str, slot: int) -> Program:
        """Bind the image of one slot and return the program for its faces."""
        is_textured = slot < len(self.images)
        if is_textured:
            self.images[slot].bind(UNITS["picture"])
        defines = self._defines | {
            "SLOTTED": int(len(self._slots) > 1), "TEXTURED": int(is_textured),
        }  # fmt: skip
        return self.context.cached(
            f"{fragment} {defines}",
            lambda: Program("rectangle.vert", "hit.glsl", fragment, defines=defines),
        )


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Count a pass as a span; only then is it waited for, else the next one is given at once."""
    with span(name, drives=True):
        yield
        if is_profiled():
            GL.glFinish()


@dataclass(slots=True)
class _Targets:
    """Own what a mesh is drawn into: whose triangle a pixel is, and what is worked out of it.

    resolved: has visibility's depth. shown: the view whose front (True) or back is in visibility.
    """

    visibility: Target
    resolved: Target
    shown: tuple[ViewRays, bool] | None = None

    @classmethod
    def make(cls, rectangle: Rectangle, smaller: "_Targets | None") -> "_Targets":
        """Make targets that hold a rectangle, in the place of smaller ones."""
        width, height = rectangle.width, rectangle.height
        if smaller is not None:
            before = smaller.visibility
            width, height = max(width, before.width), max(height, before.height)
            smaller.close()
        width, height = (-(-side // TARGET_STEP_PX) * TARGET_STEP_PX for side in (width, height))
        visibility = Target((TRIANGLE, DEPTH), width=width, height=height)
        try:
            resolved = Target(
                (COLOR, NORMAL_DEPTH), width=width, height=height, depth_of=visibility
            )
        except MachineError:
            visibility.close()
            raise
        return cls(visibility, resolved)

    def hold(self, rectangle: Rectangle) -> bool:
        """Return whether a rectangle has room."""
        target = self.visibility
        return rectangle.width <= target.width and rectangle.height <= target.height

    def close(self) -> None:
        """Free both."""
        self.resolved.close()
        self.visibility.close()


def reset_state(rectangle: Rectangle) -> None:
    """Set all the state that our passes rely on, whatever was drawn before."""
    for switch in (GL.GL_CULL_FACE, GL.GL_BLEND, GL.GL_MULTISAMPLE, GL.GL_STENCIL_TEST):
        GL.glDisable(switch)
    GL.glPolygonMode(GL.GL_FRONT_AND_BACK, GL.GL_FILL)
    GL.glColorMask(*[GL.GL_TRUE] * 4)
    GL.glDepthMask(GL.GL_TRUE)
    GL.glDepthRange(0.0, 1.0)
    GL.glViewport(0, 0, rectangle.width, rectangle.height)
    GL.glScissor(0, 0, rectangle.width, rectangle.height)
    GL.glEnable(GL.GL_SCISSOR_TEST)  # clears are cut by it too
    GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)


def _ray_uniforms(view: ViewRays) -> dict[str, Uniform]:
    return {
        "middle": view.middle,
        "origin": view.origin,
        "origin_x": view.origin_x,
        "origin_y": view.origin_y,
        "direction": view.direction,
        "direction_x": view.direction_x,
        "direction_y": view.direction_y,
    }


def _camera_uniforms(camera: Camera, view: ViewRays) -> dict[str, Uniform]:
    return {
        "camera_direction": view.camera_direction,
        "camera_direction_step": view.camera_direction_step,
        "local_to_camera": view.local_to_camera,
        "orthographic": int(not camera.is_perspective),
    }


def _blank_surface(camera: Camera) -> Surface:
    return Surface(
        color=np.zeros((camera.height, camera.width, 3), np.uint8),
        box=np.s_[0:1, 0:1],
        seen=np.zeros((1, 1, 4), np.float32),
        seen_triangle=np.full((1, 1), -1, np.int32),
    )


def _read_surface(
    visibility: Target,
    resolved: Target,
    camera: Camera,
    rectangle: Rectangle,
    buffers: ReadBuffers,
) -> Surface:
    """Read both targets back; colour is placed in an image of full size (OpenCV's `dst`)."""
    shape, box = (rectangle.height, rectangle.width), rectangle.slices
    image: UInt8[np.ndarray, "H W 3"] = np.zeros((camera.height, camera.width, 3), np.uint8)
    color = resolved.read(0, buffers.take((*shape, 4), np.uint8))
    cv2.cvtColor(color, cv2.COLOR_RGBA2RGB, dst=image[box])
    return Surface(
        color=image,
        box=box,
        seen=resolved.read(1, np.empty((*shape, 4), np.float32)),
        seen_triangle=visibility.read(0, np.empty(shape, np.int32)),
    )
