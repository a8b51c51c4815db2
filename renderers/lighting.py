"""Lit colour of the front surface, by pyrender's shader in our own GL context.

Lights are a value, drawn from a seeded generator apart from any drawing, so that other kinds can
stand beside them. Of pyrender only the renderer class is used, none of its windows or platforms.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int32, Int64, UInt8

from renderers.gl import GL
from renderers.gl_objects import LevelSampler
from renderers.rasterizer import COLOR, DEPTH, Rasterizer, fit_target, reset_state
from renderers.view_rays import Rectangle, clip_matrix, work_out_view
from schemas.camera import Camera

# isort: split
# pyrender imports OpenGL, and that may not happen before renderers.gl has chosen the platform.
import pyrender

if TYPE_CHECKING:
    from renderers.gl_objects import Target

AmbientLight = Literal["neutral", "published"]

SPOT_COUNT = 360
SPOT_RADIUS = 2.0
SPOT_INTENSITIES = (8, 9)
SPOT_GREEN = (0.7, 0.8)
SPOT_INNER_CONE, SPOT_OUTER_CONE = np.pi / 10, np.pi / 6
"""Source: 2k2k-dataset.md, Measured on the published renderer, Lighting."""

SPOTS_USED = 4
"""What pyrender's shader holds of one kind. Source: pyrender.constants.MAX_N_LIGHTS."""

AMBIENT: dict[tuple[AmbientLight, str], tuple[float, float, float]] = {
    ("neutral", "perspective"): (0.01, 0.01, 0.01),
    ("neutral", "orthographic"): (0.01, 0.01, 0.01),
    ("published", "perspective"): (0.01, 0.01, 0.1),
    ("published", "orthographic"): (0.0, 0.0, 0.0),
}
"""By setting and projection. The published blue cast is kept out unless asked for."""

ROUGHNESS, METALLIC = (2 / 3) ** 0.25, 1.0
"""What pyrender makes of an OBJ material without a shininess. Source: pyrender.Mesh."""

WHITE = 255
SRGB_OFFSET, SRGB_POWER, SRGB_KNEE, SRGB_SLOPE = 0.055, 2.4, 0.04045, 12.92
"""Source: IEC 61966-2-1."""

NEIGHBOURS = ((0, -1), (0, 1), (-1, 0), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1))
"""Row and column steps; those that share a side come first."""

TEXTURE_UNIT = 0
"""Where pyrender binds the first, and here only, texture of a material."""

GL_CAMERA_FROM_CAMERA = np.diag([1.0, -1.0, -1.0, 1.0])
"""pyrender's cameras look along -z with y up."""


@dataclass(frozen=True, slots=True)
class SpotLights:
    """A ring of spot lights at height 0 round the world's origin, aimed at it.

    angles_deg: 0 is before the person (+z), 90 at +x. intensity: candela, for all. green: of the
    light's colour, whose red and blue are 1.
    """

    angles_deg: Int64[np.ndarray, " L"]
    intensity: float
    green: float


def choose_spot_lights(random: np.random.Generator) -> SpotLights:
    """Draw the lights of one view: the same generator state gives the same lights."""
    angles = random.integers(0, 360, size=SPOT_COUNT)
    intensity = SPOT_INTENSITIES[int(random.integers(0, len(SPOT_INTENSITIES)))]
    return SpotLights(angles, float(intensity), float(random.uniform(*SPOT_GREEN)))


def draw_lit(
    rasterizer: Rasterizer,
    camera: Camera,
    mesh_to_world: Float[np.ndarray, "4 4"],
    mask: Bool[np.ndarray, "H W"],
    lights: SpotLights,
    *,
    ambient: AmbientLight = "neutral",
    visible: Int32[np.ndarray, "H W"] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Draw the front surface under spot lights, flat-shaded, black outside the mask.

    mask: of the same view, from `Rasterizer.draw`. The few of its pixels that pyrender's own
    rasterisation misses take the colour of a neighbour. visible: the front surface's triangles, of
    the same view too; with it only these are drawn and lit, which takes half the time.
    """
    rasterizer.context.check()
    picture: UInt8[np.ndarray, "H W 3"] = np.zeros((camera.height, camera.width, 3), np.uint8)
    local_to_world = mesh_to_world @ rasterizer.buffers.local_to_mesh
    view = work_out_view(camera, local_to_world, rasterizer.buffers.positions)
    if view is None:
        return picture
    renderer = rasterizer.context.keep("lit renderer", LitRenderer)
    geometry = rasterizer.keep("lit geometry", lambda: LitGeometry(rasterizer, renderer))
    scene = OrderedScene(
        bg_color=(0.0, 0.0, 0.0, 0.0), ambient_light=AMBIENT[ambient, camera.projection]
    )
    geometry.show(None if visible is None else visible[view.rectangle.slices])
    scene.add(geometry.mesh, pose=local_to_world)
    pose = np.linalg.inv(camera.world_to_camera) @ GL_CAMERA_FROM_CAMERA
    scene.add(RectangleCamera(camera, view.rectangle, view.near, view.far), pose=pose)
    _add_spots(scene, lights)
    lit = renderer.draw(scene, view.rectangle)
    picture[view.rectangle.slices] = _cut_by_mask(lit, mask[view.rectangle.slices])
    return picture


class OrderedScene(pyrender.Scene):  # type: ignore[misc] # pyrender has no types
    """A scene whose lights keep the order in which they came.

    pyrender holds them in a set, ordered by memory address, and adds their light up in that order:
    the last bit of a sum, and so a byte of the picture, would change from run to run.
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
    """Our camera, off axis or orthographic too, for one rectangle of its picture."""

    def __init__(self, camera: Camera, rectangle: Rectangle, near: float, far: float) -> None:
        """Work out the projection, rows running down the picture."""
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


class BorrowedTexture(pyrender.Texture):  # type: ignore[misc] # pyrender has no types
    """A texture that the rasteriser uploaded and will free."""

    def __init__(self, texture_id: int) -> None:
        """Take the GL name of the texture."""
        super().__init__(source_channels="RGB", width=1, height=1)
        self._texid = texture_id

    def delete(self) -> None:
        """Leave the texture to its owner."""

    def _add_to_context(self) -> None:
        """Do nothing: it is there."""


class LitGeometry:
    """Own the flat-shaded copy of a mesh that pyrender draws: three vertices a face."""

    def __init__(self, rasterizer: Rasterizer, renderer: LitRenderer) -> None:
        """Build one primitive for each texture, and one for the faces without."""
        self._renderer = renderer
        for picture in rasterizer.pictures:
            picture.add_levels()
        slots = rasterizer.buffers.face_slots
        self._face_count = len(slots)
        self.mesh = pyrender.Mesh([_primitive(rasterizer, int(slot)) for slot in np.unique(slots)])

    def show(self, visible: Int32[np.ndarray, "h w"] | None) -> None:
        """Draw from now on only the faces that occur here (-1 stands for none), or all."""
        chosen = np.full(self._face_count, visible is None)
        if visible is not None:
            chosen[visible[visible >= 0]] = True
        for primitive in self.mesh.primitives:
            primitive.show(chosen)

    def close(self) -> None:
        """Free the buffers."""
        self._renderer.forget(self.mesh)


class ChosenFaces(pyrender.Primitive):  # type: ignore[misc] # pyrender has no types
    """Flat-shaded triangles, three vertices each, of which some are drawn."""

    def __init__(self, faces: Int64[np.ndarray, " N"], **attributes: object) -> None:
        """Take the mesh's numbers of these faces, ascending, and pyrender's vertex attributes."""
        super().__init__(**attributes)
        self._faces = faces
        self.show(np.ones(int(faces[-1]) + 1, bool))

    def show(self, chosen: Bool[np.ndarray, " F"]) -> None:
        """Draw from now on those faces that are chosen, by the mesh's numbers."""
        first = 3 * np.flatnonzero(chosen[self._faces])
        self._indices = (first[:, None] + np.arange(3)).astype(np.uint32)
        if self._vaid is None or self._indices.size == 0:
            return
        GL.glBindVertexArray(self._vaid)  # it knows its element buffer, the last that was made
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, self._buffers[-1])
        GL.glBufferData(
            GL.GL_ELEMENT_ARRAY_BUFFER, self._indices.nbytes, self._indices, GL.GL_STREAM_DRAW
        )
        GL.glBindVertexArray(0)


def _primitive(rasterizer: Rasterizer, slot: int) -> ChosenFaces:
    buffers = rasterizer.buffers
    faces = np.flatnonzero(buffers.face_slots == slot)
    data = buffers.face_data[faces]
    normals = np.cross(data[:, 1, :3], data[:, 2, :3])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    uv = colors = texture = None
    if slot < len(rasterizer.pictures):
        uv = _from_first_corner(data[:, :, 3].reshape(-1, 3, 2)) * [1, -1] + [0, 1]
        texture = BorrowedTexture(rasterizer.pictures[slot].id)
    elif buffers.corner_colors is not None:
        colors = _linear(buffers.corner_colors[faces]).reshape(-1, 4)
    return ChosenFaces(
        faces,
        positions=_from_first_corner(data[:, :3, :3]).reshape(-1, 3),
        normals=np.repeat(normals, 3, axis=0),
        texcoord_0=None if uv is None else uv.reshape(-1, 2),
        color_0=colors,
        material=pyrender.MetallicRoughnessMaterial(
            alphaMode="OPAQUE",
            baseColorTexture=texture,
            roughnessFactor=ROUGHNESS,
            metallicFactor=METALLIC,
        ),
    )


def _from_first_corner(steps: Float[np.ndarray, "F 3 C"]) -> Float[np.ndarray, "F 3 C"]:
    """Turn corner 0 and the steps from it to corners 1 and 2 into three corners."""
    corners = steps.copy()
    corners[:, 1:] += steps[:, :1]
    return corners


def _linear(colors: UInt8[np.ndarray, "... 4"]) -> Float32[np.ndarray, "... 4"]:
    """Undo the sRGB curve, as pyrender's shader does for textures but not for vertex colours."""
    unit = colors.astype(np.float32) / np.float32(WHITE)
    curved = ((unit + SRGB_OFFSET) / (1 + SRGB_OFFSET)) ** SRGB_POWER
    linear: Float32[np.ndarray, "... 4"] = np.where(
        unit <= SRGB_KNEE, unit / SRGB_SLOPE, curved
    ).astype(np.float32)
    return linear


def _add_spots(scene: OrderedScene, lights: SpotLights) -> None:
    """Add the spots that pyrender would use, and no more.

    Its shader takes the four nearest to the mesh's origin. All stand equally far, so which four
    hangs on rounding and memory addresses there; here it is the first four drawn.
    """
    for angle in np.radians(lights.angles_deg[:SPOTS_USED]):
        backward = np.array([np.sin(angle), 0.0, np.cos(angle)])
        pose = np.eye(4)
        pose[:3, 0] = np.cross([0.0, 1.0, 0.0], backward)
        pose[:3, 2], pose[:3, 3] = backward, SPOT_RADIUS * backward
        spot = pyrender.SpotLight(
            color=[1.0, lights.green, 1.0],
            intensity=lights.intensity,
            innerConeAngle=SPOT_INNER_CONE,
            outerConeAngle=SPOT_OUTER_CONE,
        )
        scene.add(spot, pose=pose)


def _cut_by_mask(
    lit: UInt8[np.ndarray, "h w 4"], inside: Bool[np.ndarray, "h w"]
) -> UInt8[np.ndarray, "h w 3"]:
    """Blacken what lies outside; give missed pixels the colour of a neighbour, ring by ring."""
    color = np.where(inside[..., None], lit[..., :3], np.uint8(0))
    known = inside & (lit[..., 3] > 0)
    missing = np.argwhere(inside & ~known)
    while len(missing) and known.any():
        found, colors = _neighbour_colors(color, known, missing)
        if not found.any():
            break
        rows, columns = missing[found].T
        color[rows, columns], known[rows, columns] = colors[found], True
        missing = missing[~found]
    return color


def _neighbour_colors(
    color: UInt8[np.ndarray, "h w 3"],
    known: Bool[np.ndarray, "h w"],
    pixels: Int64[np.ndarray, "N 2"],
) -> tuple[Bool[np.ndarray, " N"], UInt8[np.ndarray, "N 3"]]:
    """Look for a known neighbour of each pixel, in a fixed order: whether, and its colour."""
    found = np.zeros(len(pixels), bool)
    colors = np.zeros((len(pixels), 3), np.uint8)
    for step in NEIGHBOURS:
        rows, columns = (pixels + step).T
        valid = (rows >= 0) & (rows < known.shape[0]) & (columns >= 0) & (columns < known.shape[1])
        valid[valid] &= known[rows[valid], columns[valid]]
        new = valid & ~found
        colors[new], found[new] = color[rows[new], columns[new]], True
    return found, colors
