"""The flat-shaded copy of a mesh that pyrender draws, painted with textures already uploaded."""

import numpy as np
from jaxtyping import Bool, Float, Float32, Int32, Int64, UInt8

from renderers.gl import GL
from renderers.lit_scene import LitRenderer
from renderers.rasterizer import Rasterizer

# isort: split
# pyrender imports OpenGL, and that may not happen before renderers.gl has chosen the platform.
import pyrender

ROUGHNESS, METALLIC = (2 / 3) ** 0.25, 1.0
"""What pyrender makes of an OBJ material without a shininess. Source: pyrender.Mesh."""

WHITE = 255
SRGB_OFFSET, SRGB_POWER, SRGB_KNEE, SRGB_SLOPE = 0.055, 2.4, 0.04045, 12.92
"""Source: IEC 61966-2-1."""


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
        for image in rasterizer.images:
            image.add_levels()
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
    if slot < len(rasterizer.images):
        uv = _from_first_corner(data[:, :, 3].reshape(-1, 3, 2)) * [1, -1] + [0, 1]
        texture = BorrowedTexture(rasterizer.images[slot].id)
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
