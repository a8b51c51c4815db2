"""One GL context without a display: which device, how it is opened, and how it is freed.

Invariant: a process holds one open context at a time, uses it from one thread, and never after a
fork. Mesa's `eglTerminate` frees the display for everyone in the process, and a forked child
inherits GL's locks without the threads that hold them, so it would hang: both are refused.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, cast, runtime_checkable

from renderers import egl_library as egl
from renderers.cuda_devices import check_same_gpu, first_gpu
from renderers.egl_devices import EglDevice, candidates, describe_devices, list_devices
from renderers.egl_library import EglLibrary
from schemas.errors import DependencyError, MachineError, ScanmillError

__all__ = ["EglDevice", "GLContext", "GLInfo", "list_devices"]

GL_VENDOR, GL_RENDERER, GL_VERSION = 0x1F00, 0x1F01, 0x1F02
GL_MAX_TEXTURE_SIZE = 0x0D33
GL_MAX_RENDERBUFFER_SIZE = 0x84E8
GL_MAX_VIEWPORT_DIMS = 0x0D3A
GL_MAX_TEXTURE_BUFFER_SIZE = 0x8C2B

VISIBLE = "CUDA_VISIBLE_DEVICES"
"""Where it is set, the GPU that CUDA would use is the one to draw on."""

MIN_GL_VERSION = (3, 3)
"""Texture buffers and gl_PrimitiveID in fragment shaders; pyrender's shaders are 330 core too."""


@runtime_checkable
class Closable(Protocol):
    """Anything that holds GL objects and can free them."""

    def close(self) -> None:
        """Free the GL objects; called while the context is current."""


Resource = TypeVar("Resource", bound=Closable)


class GLResourceCache:
    """GL objects by name, made on first use; freed together, the last one first."""

    def __init__(self) -> None:
        """Begin empty."""
        self._held: dict[str, Closable] = {}

    def get(self, key: str, make: Callable[[], Resource]) -> Resource:
        """Return the object of this key, made now if it is missing."""
        if key not in self._held:
            self._held[key] = make()
        return cast("Resource", self._held[key])

    def close(self) -> None:
        """Free everything; idempotent."""
        while self._held:
            self._held.popitem()[1].close()


@dataclass(frozen=True, slots=True)
class GLInfo:
    """What the opened device is and what it can hold, in texels or pixels a side."""

    device: int
    vendor: str
    renderer: str
    version: str
    is_software: bool
    max_texture: int
    max_renderbuffer: int
    max_viewport: int
    max_texture_buffer: int


@dataclass(frozen=True, slots=True)
class _Handles:
    """The EGL objects of one context, in the order they were made."""

    library: EglLibrary
    display: int
    surface: int | None
    context: int


class GLContext(AbstractContextManager["GLContext"]):
    """Own a display, a context and whatever is kept in it; free them in the opposite order."""

    _open: ClassVar["GLContext | None"] = None
    _first_pid: ClassVar[int | None] = None

    def __init__(self, handles: _Handles, info: GLInfo) -> None:
        """Take over what `open` made; use `open`."""
        self._handles: _Handles | None = handles
        self._pid, self._thread = os.getpid(), threading.get_ident()
        self._cache = GLResourceCache()
        self.info = info

    @classmethod
    def open(cls, device: int | None = None) -> "GLContext":
        """Open a context on a device and make it current.

        device: index into `list_devices()`. None: the first GPU of CUDA_VISIBLE_DEVICES where that
        is set, else the first hardware device that works, else a software device.
        Raises MachineError or DependencyError with what was asked and what was offered.
        """
        cls._refuse_second_use()
        library = EglLibrary.load()
        _require_gl()
        devices = list_devices(library)
        failures = []
        visible = os.environ.get(VISIBLE)
        for candidate in candidates(devices, device, visible):
            try:
                context = cls(*_open_device(library, candidate))
                if device is None and visible is not None:
                    context.check_pinned(candidate)
            except MachineError as error:
                failures.append(f"device {candidate.index} ({candidate.name}): {error.found}")
                continue
            GLContext._open, GLContext._first_pid = context, os.getpid()
            return context
        raise MachineError(
            "EGL" if device is None else f"EGL device {device}",
            found="no context could be opened: " + "; ".join(failures),
            expected=f"OpenGL {MIN_GL_VERSION[0]}.{MIN_GL_VERSION[1]} core without a display",
            hint=f"Offered: {describe_devices(devices)}. For software drawing install "
            "libegl-mesa0 and libgl1-mesa-dri; in a container give it the GPU's graphics part "
            "(NVIDIA_DRIVER_CAPABILITIES=all).",
        )

    def check_pinned(self, device: EglDevice) -> None:
        """Close and raise MachineError when CUDA would use another GPU than this one."""
        try:
            check_same_gpu(device, first_gpu())
        except MachineError:
            self.close()
            raise

    def cached(self, key: str, make: Callable[[], Resource]) -> Resource:
        """Return the object of this key, made on first use and freed with the context."""
        self.check()
        return self._cache.get(key, make)

    def check(self) -> None:
        """Raise MachineError unless this context may draw here: open, same process, same thread."""
        if os.getpid() != self._pid:
            raise _misuse("was opened before this process forked", "start workers with spawn")
        if self._handles is None:
            raise _misuse("is closed", "open a new one")
        if threading.get_ident() != self._thread:
            raise _misuse("belongs to another thread", "draw from the thread that opened it")

    def close(self) -> None:
        """Free all that is cached, then the context, its surface and the display; idempotent."""
        if self._handles is None or os.getpid() != self._pid:
            return
        self.check()
        self._cache.close()
        _close_handles(self._handles)
        self._handles = None
        if GLContext._open is self:
            GLContext._open = None

    def __exit__(self, *_: object) -> None:
        """Close, whatever happened."""
        self.close()

    @classmethod
    def _refuse_second_use(cls) -> None:
        if GLContext._first_pid not in (None, os.getpid()):
            raise _misuse("was used before this process forked", "start workers with spawn")
        if GLContext._open is not None:
            raise _misuse("is already open in this process", "close it first, or share it")


def _misuse(found: str, hint: str) -> MachineError:
    return MachineError(
        "The GL context",
        found=found,
        expected="one open context a process, used by one thread, never after a fork",
        hint=f"The hint: {hint}.",
    )


def _require_gl() -> None:
    """Raise DependencyError when there is no libGL for PyOpenGL to call."""
    for name in ("libOpenGL.so.0", "libGL.so.1"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return
    raise DependencyError(
        "libGL.so.1",
        found="neither it nor libOpenGL.so.0 can be loaded",
        expected="the OpenGL library",
        hint="Install it: apt-get install libgl1",
    )


def _open_device(library: EglLibrary, device: EglDevice) -> tuple[_Handles, GLInfo]:
    display = library.call("eglGetPlatformDisplayEXT", egl.PLATFORM_DEVICE, device.handle, None)
    if not display or not library.call("eglInitialize", display, None, None):
        raise _failed(library, device, "its display cannot be initialised")
    try:
        handles = _open_display(library, device, display)
    except ScanmillError:
        library.call("eglTerminate", display)
        raise
    try:
        info = _read_info(library, device)
    except ScanmillError:
        _close_handles(handles)
        raise
    return handles, info


def _open_display(library: EglLibrary, device: EglDevice, display: int) -> _Handles:
    config = _choose_config(library, device, display)
    surface = None
    if "EGL_KHR_surfaceless_context" not in _extensions(library, display):
        size = egl.ints([egl.WIDTH, 1, egl.HEIGHT, 1, egl.NONE])
        surface = library.call("eglCreatePbufferSurface", display, config, size)
        if not surface:
            raise _failed(library, device, "it makes neither surfaceless contexts nor pbuffers")
    major, minor = MIN_GL_VERSION
    expected = [egl.CONTEXT_MAJOR, major, egl.CONTEXT_MINOR, minor]
    expected += [egl.CONTEXT_PROFILE_MASK, egl.CORE_PROFILE_BIT, egl.NONE]
    context = library.call("eglCreateContext", display, config, None, egl.ints(expected))
    if not context:
        raise _failed(library, device, f"it makes no OpenGL {major}.{minor} core context")
    if not library.call("eglMakeCurrent", display, surface, surface, context):
        failed = _failed(library, device, "its context cannot be made current")
        library.call("eglDestroyContext", display, context)
        raise failed
    return _Handles(library, display, surface, context)


def _choose_config(library: EglLibrary, device: EglDevice, display: int) -> Any:  # noqa: ANN401 - an EGL handle
    if not library.call("eglBindAPI", egl.OPENGL_API):
        raise _failed(library, device, "it offers OpenGL ES but not OpenGL")
    expected = [egl.SURFACE_TYPE, egl.PBUFFER_BIT, egl.RENDERABLE_TYPE, egl.OPENGL_BIT, egl.NONE]
    config, count = ctypes.c_void_p(), ctypes.c_int()
    found = library.call(
        "eglChooseConfig", display, egl.ints(expected), ctypes.byref(config), 1, ctypes.byref(count)
    )
    if not found or count.value == 0:
        raise _failed(library, device, "it has no configuration for OpenGL")
    return config


def _extensions(library: EglLibrary, display: int) -> list[str]:
    text: bytes | None = library.call("eglQueryString", display, egl.EXTENSIONS)
    return (text or b"").decode().split()


def _read_info(library: EglLibrary, device: EglDevice) -> GLInfo:
    renderer = _gl_text(library, GL_RENDERER)
    return GLInfo(
        device=device.index,
        vendor=_gl_text(library, GL_VENDOR),
        renderer=renderer,
        version=_gl_text(library, GL_VERSION),
        is_software=device.is_software or "llvmpipe" in renderer or "softpipe" in renderer,
        max_texture=_gl_integer(library, GL_MAX_TEXTURE_SIZE),
        max_renderbuffer=_gl_integer(library, GL_MAX_RENDERBUFFER_SIZE),
        max_viewport=_gl_integer(library, GL_MAX_VIEWPORT_DIMS),
        max_texture_buffer=_gl_integer(library, GL_MAX_TEXTURE_BUFFER_SIZE),
    )


def _gl_text(library: EglLibrary, name: int) -> str:
    text: bytes | None = library.call("glGetString", name)
    return (text or b"").decode(errors="replace")


def _gl_integer(library: EglLibrary, name: int) -> int:
    """Read one limit; of a pair (viewport width and height) the smaller counts."""
    values = (ctypes.c_int * 2)()
    library.call("glGetIntegerv", name, values)
    return min(value for value in values if value > 0)


def _close_handles(handles: _Handles) -> None:
    library, display = handles.library, handles.display
    library.call("eglMakeCurrent", display, egl.NO_SURFACE, egl.NO_SURFACE, egl.NO_CONTEXT)
    library.call("eglDestroyContext", display, handles.context)
    if handles.surface is not None:
        library.call("eglDestroySurface", display, handles.surface)
    library.call("eglTerminate", display)
    library.call("eglReleaseThread")


def _failed(library: EglLibrary, device: EglDevice, found: str) -> MachineError:
    return MachineError(
        f"EGL device {device.index} ({device.name})",
        found=f"{found} ({library.last_error()})",
        expected="an OpenGL context without a display",
        hint="Choose another device, or fix this one's driver.",
    )
