"""The GL objects that the rasteriser needs, each owned by one Python object with `close`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8, UInt32

from renderers.gl import GL
from schemas.errors import MachineError

SHADERS = Path(__file__).parent / "shaders"

Uniform = int | float | np.ndarray


class Program:
    """Own a linked pair of shaders from `shaders/`; set uniforms by name."""

    def __init__(
        self, vertex: str, *fragment: str, defines: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Compile and link; raise MachineError with the driver's words when it refuses.

        fragment: files that make one shader, one after the other. defines: its macros.
        """
        self._id = GL.glCreateProgram()
        for names, kind in (((vertex,), GL.GL_VERTEX_SHADER), (fragment, GL.GL_FRAGMENT_SHADER)):
            shader = GL.glCreateShader(kind)
            GL.glShaderSource(shader, _source(names, defines))
            GL.glCompileShader(shader)
            if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
                raise _shader_error(names[-1], GL.glGetShaderInfoLog(shader))
            GL.glAttachShader(self._id, shader)
            GL.glDeleteShader(shader)
        GL.glLinkProgram(self._id)
        if not GL.glGetProgramiv(self._id, GL.GL_LINK_STATUS):
            raise _shader_error(f"{vertex} + {fragment[-1]}", GL.glGetProgramInfoLog(self._id))
        self._locations: dict[str, int] = {}

    def use(self, uniforms: Mapping[str, Uniform]) -> None:
        """Make it current with these uniforms: int, float, float32 vectors of 2 and 3, 4x4."""
        GL.glUseProgram(self._id)
        for name, value in uniforms.items():
            self._set(self._location(name), value)

    def close(self) -> None:
        """Free the program."""
        GL.glDeleteProgram(self._id)

    def _location(self, name: str) -> int:
        if name not in self._locations:
            self._locations[name] = GL.glGetUniformLocation(self._id, name)
        return self._locations[name]

    @staticmethod
    def _set(location: int, value: Uniform) -> None:
        if isinstance(value, int):
            GL.glUniform1i(location, value)
        elif isinstance(value, float):
            GL.glUniform1f(location, value)
        elif value.shape == (4, 4):
            GL.glUniformMatrix4fv(location, 1, GL.GL_TRUE, np.ascontiguousarray(value, np.float32))
        elif value.shape == (3, 3):
            GL.glUniformMatrix3fv(location, 1, GL.GL_TRUE, np.ascontiguousarray(value, np.float32))
        elif value.shape == (3,):
            GL.glUniform3f(location, *map(float, value))
        else:
            GL.glUniform2f(location, *map(float, value))


def _source(names: tuple[str, ...], defines: Mapping[str, int]) -> str:
    """Join files, the first of which begins with its version, and set macros behind that line."""
    version, _, rest = "".join((SHADERS / name).read_text() for name in names).partition("\n")
    macros = (f"#define {name} {value}" for name, value in defines.items())
    return "\n".join((version, *macros, rest))


def _shader_error(name: str, log: bytes | str) -> MachineError:
    text = log.decode(errors="replace") if isinstance(log, bytes) else log
    return MachineError(
        f"shader {name}",
        found=f"the driver refuses it: {text.strip()}",
        expected="GLSL 3.30",
        hint="Update the driver, or draw with software EGL and report the message.",
    )


class BufferTexture:
    """Own an array that shaders read by index with texelFetch.

    data: (N, 4) float32, (N, 4) uint8 or (N,) int32.
    """

    def __init__(self, data: np.ndarray) -> None:
        """Upload the array."""
        formats = {"f": GL.GL_RGBA32F, "u": GL.GL_RGBA8, "i": GL.GL_R32I}
        self._buffer, self._id = GL.glGenBuffers(1), GL.glGenTextures(1)
        data = np.ascontiguousarray(data)
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, self._buffer)
        GL.glBufferData(GL.GL_TEXTURE_BUFFER, data.nbytes, data, GL.GL_STATIC_DRAW)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self._id)
        GL.glTexBuffer(GL.GL_TEXTURE_BUFFER, formats[data.dtype.kind], self._buffer)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, 0)
        GL.glBindBuffer(GL.GL_TEXTURE_BUFFER, 0)

    def bind(self, unit: int) -> None:
        """Bind to a texture unit."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_BUFFER, self._id)

    def close(self) -> None:
        """Free texture and buffer."""
        GL.glDeleteTextures([self._id])
        GL.glDeleteBuffers(1, [self._buffer])


class ImageTexture:
    """Own an image as a texture; row 0 of the image is row 0 of the texture."""

    def __init__(self, image: UInt8[np.ndarray, "H W 3"]) -> None:
        """Upload the image as RGB, without widening it to RGBA; smaller levels come on demand."""
        self.id = int(GL.glGenTextures(1))
        self._image: UInt8[np.ndarray, "H W 3"] | None = np.ascontiguousarray(image)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.id)
        self._upload(0, self._image)
        for name, value in (
            (GL.GL_TEXTURE_MAX_LEVEL, 0),
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_WRAP_S, GL.GL_REPEAT),
            (GL.GL_TEXTURE_WRAP_T, GL.GL_REPEAT),
        ):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, value)
        GL.glBindTexture(GL.GL_TEXTURE_2D, 0)

    def add_levels(self) -> None:
        """Upload the smaller levels too, once; each is the mean of the one below over its area."""
        if self._image is None:
            return
        level, number = self._image, 0
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.id)
        while max(level.shape[:2]) > 1:
            height, width = level.shape[:2]
            half = (max(width // 2, 1), max(height // 2, 1))
            level = np.asarray(cv2.resize(level, half, interpolation=cv2.INTER_AREA))
            number += 1
            self._upload(number, level)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAX_LEVEL, number)
        GL.glBindTexture(GL.GL_TEXTURE_2D, 0)
        self._image = None

    @staticmethod
    def _upload(number: int, level: UInt8[np.ndarray, "H W 3"]) -> None:
        height, width = level.shape[:2]
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 1)  # rows of RGB end at any byte
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, number, GL.GL_RGB8, width, height, 0,
            GL.GL_RGB, GL.GL_UNSIGNED_BYTE, level,
        )  # fmt: skip
        GL.glPixelStorei(GL.GL_UNPACK_ALIGNMENT, 4)

    def bind(self, unit: int) -> None:
        """Bind to a texture unit."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.id)

    def close(self) -> None:
        """Free the texture."""
        GL.glDeleteTextures([self.id])
        self._image = None


class ReadBuffers:
    """Own the arrays into which targets are read: memory that is there already costs nothing."""

    def __init__(self) -> None:
        """Begin without any."""
        self._held: dict[np.dtype[Any], np.ndarray] = {}

    def take(self, shape: tuple[int, ...], kind: type[np.generic]) -> np.ndarray:
        """Return an array with any content; the next call of this kind takes it again."""
        size, dtype = math.prod(shape), np.dtype(kind)
        held = self._held.get(dtype)
        if held is None or held.size < size:
            held = self._held[dtype] = np.empty(size, dtype)
        return held[:size].reshape(shape)

    def close(self) -> None:
        """Free them."""
        self._held.clear()


class EmptyVertexArray:
    """Own a vertex array without data, which the core profile wants even for computed vertices."""

    def __init__(self) -> None:
        """Make it."""
        self._id = GL.glGenVertexArrays(1)

    def draw_triangle(self) -> None:
        """Draw the one triangle that covers everything."""
        GL.glBindVertexArray(self._id)
        GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)
        GL.glBindVertexArray(0)

    def close(self) -> None:
        """Free it."""
        GL.glDeleteVertexArrays(1, [self._id])


class LevelSampler:
    """Own a sampler that mixes two levels of a texture, for shaders without a filter of their own.

    It overrides the texture's own setting on one unit, while it is bound there.
    """

    def __init__(self) -> None:
        """Make it."""
        self._id = int(GL.glGenSamplers(1))
        for name, value in (
            (GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR),
            (GL.GL_TEXTURE_MAG_FILTER, GL.GL_LINEAR),
            (GL.GL_TEXTURE_WRAP_S, GL.GL_REPEAT),
            (GL.GL_TEXTURE_WRAP_T, GL.GL_REPEAT),
        ):
            GL.glSamplerParameteri(self._id, name, value)

    def bind(self, unit: int) -> None:
        """Use it for whatever texture is bound to a unit."""
        GL.glBindSampler(unit, self._id)

    @staticmethod
    def release(unit: int) -> None:
        """Give the unit's textures their own settings back."""
        GL.glBindSampler(unit, 0)

    def close(self) -> None:
        """Free it."""
        GL.glDeleteSamplers(1, [self._id])


class TriangleArray:
    """Own the vertex array of an indexed mesh: positions at location 0."""

    def __init__(self, positions: np.ndarray, faces: np.ndarray) -> None:
        """Upload (V, 3) float32 positions and (F, 3) int32 faces."""
        self._count = faces.size
        self._id, self._buffers = GL.glGenVertexArrays(1), GL.glGenBuffers(2)
        GL.glBindVertexArray(self._id)
        for buffer, target, data in (
            (self._buffers[0], GL.GL_ARRAY_BUFFER, np.ascontiguousarray(positions, np.float32)),
            (self._buffers[1], GL.GL_ELEMENT_ARRAY_BUFFER, np.ascontiguousarray(faces, np.int32)),
        ):
            GL.glBindBuffer(target, buffer)
            GL.glBufferData(target, data.nbytes, data, GL.GL_STATIC_DRAW)
        GL.glEnableVertexAttribArray(0)
        GL.glVertexAttribPointer(0, 3, GL.GL_FLOAT, GL.GL_FALSE, 0, None)
        GL.glBindVertexArray(0)

    def draw(self) -> None:
        """Draw all triangles in their order, so that gl_PrimitiveID is the face's number."""
        GL.glBindVertexArray(self._id)
        GL.glDrawElements(GL.GL_TRIANGLES, self._count, GL.GL_UNSIGNED_INT, None)
        GL.glBindVertexArray(0)

    def close(self) -> None:
        """Free the vertex array and its buffers."""
        GL.glDeleteVertexArrays(1, [self._id])
        GL.glDeleteBuffers(2, self._buffers)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One texture to draw into: its internal format and how it is read back."""

    internal: int
    format: int
    type: int
    point: int


class Target:
    """Own a framebuffer of textures; single-sampled, of one size."""

    def __init__(
        self,
        attachments: tuple[Attachment, ...],
        *,
        width: int,
        height: int,
        depth_of: "Target | None" = None,
    ) -> None:
        """Allocate; raise MachineError when the device has no room or refuses the formats.

        depth_of: a target of this size whose depth is this one's too.
        """
        self.width, self.height = width, height
        self.attachments = attachments
        self.id = int(GL.glGenFramebuffers(1))
        self._textures = [int(GL.glGenTextures(1)) for _ in attachments]
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.id)
        for texture, attachment in zip(self._textures, attachments, strict=True):
            self._attach(texture, attachment)
        if depth_of is not None:
            depth_of.lend_depth()
        points = [a.point for a in attachments if a.point != GL.GL_DEPTH_ATTACHMENT]
        self._colors: UInt32[np.ndarray, " C"] = np.array(points, np.uint32)
        GL.glDrawBuffers(len(self._colors), self._colors)
        status = GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER)
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, 0)
        if status != GL.GL_FRAMEBUFFER_COMPLETE:
            self.close()
            raise MachineError(
                f"framebuffer of {width} x {height}",
                found=f"the device refuses it (status {int(status):#06x})",
                expected="32-bit depth, integer and float textures to draw into",
                hint="Draw at a lower resolution, or on another device.",
            )

    def _attach(self, texture: int, attachment: Attachment) -> None:
        GL.glBindTexture(GL.GL_TEXTURE_2D, texture)
        GL.glTexImage2D(
            GL.GL_TEXTURE_2D, 0, attachment.internal, self.width, self.height, 0,
            attachment.format, attachment.type, None,
        )  # fmt: skip
        for name in (GL.GL_TEXTURE_MIN_FILTER, GL.GL_TEXTURE_MAG_FILTER):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, name, GL.GL_NEAREST)
        GL.glBindTexture(GL.GL_TEXTURE_2D, 0)
        GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, attachment.point, GL.GL_TEXTURE_2D, texture, 0)

    def lend_depth(self) -> None:
        """Attach this target's depth to the framebuffer that is bound."""
        points = [attachment.point for attachment in self.attachments]
        depth = self._textures[points.index(GL.GL_DEPTH_ATTACHMENT)]
        GL.glFramebufferTexture2D(
            GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, depth, 0
        )

    def bind(self, colors: int | None = None) -> None:
        """Make it the framebuffer to draw into; colors: how many of its textures, None: all."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self.id)
        chosen = self._colors[:colors]
        GL.glDrawBuffers(len(chosen), chosen)

    def bind_texture(self, index: int, unit: int) -> None:
        """Bind one of its textures for reading in a shader."""
        GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
        GL.glBindTexture(GL.GL_TEXTURE_2D, self._textures[index])

    def read(self, index: int, out: np.ndarray) -> np.ndarray:
        """Read the lower left of one texture into a C-contiguous array of rows and columns."""
        attachment = self.attachments[index]
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, self.id)
        GL.glReadBuffer(attachment.point)
        height, width = out.shape[:2]
        GL.glReadPixels(0, 0, width, height, attachment.format, attachment.type, array=out)
        GL.glBindFramebuffer(GL.GL_READ_FRAMEBUFFER, 0)
        return out

    def close(self) -> None:
        """Free textures and framebuffer."""
        GL.glDeleteTextures(self._textures)
        GL.glDeleteFramebuffers(1, [self.id])
