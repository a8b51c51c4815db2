"""The few EGL functions that this project calls, bound by hand with ctypes.

Bound here and not through PyOpenGL, so that devices can be listed where libGL is missing and
without the second that importing PyOpenGL costs. Constants: EGL 1.5 and the Khronos registry.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import DependencyError, MachineError

SUCCESS = 0x3000
NO_DISPLAY = NO_CONTEXT = NO_SURFACE = None
NONE = 0x3038
EXTENSIONS = 0x3055
VENDOR = 0x3053
SURFACE_TYPE, PBUFFER_BIT = 0x3033, 0x0001
RENDERABLE_TYPE, OPENGL_BIT = 0x3040, 0x0008
OPENGL_API = 0x30A2
WIDTH, HEIGHT = 0x3057, 0x3056
CONTEXT_MAJOR, CONTEXT_MINOR = 0x3098, 0x30FB
CONTEXT_PROFILE_MASK, CORE_PROFILE_BIT = 0x30FD, 0x0001
PLATFORM_DEVICE = 0x313F  # EGL_EXT_platform_device
CUDA_DEVICE = 0x323A  # EGL_NV_device_cuda
DRM_DEVICE_FILE = 0x3233  # EGL_EXT_device_drm
DEVICE_RENDERER = 0x335F  # EGL_EXT_device_query_name
DEVICE_UUID = 0x335C  # EGL_EXT_device_persistent_id
UUID_BYTES = 16

ERROR_NAMES = {
    0x3001: "EGL_NOT_INITIALIZED",
    0x3002: "EGL_BAD_ACCESS",
    0x3003: "EGL_BAD_ALLOC",
    0x3004: "EGL_BAD_ATTRIBUTE",
    0x3005: "EGL_BAD_CONFIG",
    0x3006: "EGL_BAD_CONTEXT",
    0x3007: "EGL_BAD_CURRENT_SURFACE",
    0x3008: "EGL_BAD_DISPLAY",
    0x3009: "EGL_BAD_MATCH",
    0x300A: "EGL_BAD_NATIVE_PIXMAP",
    0x300B: "EGL_BAD_NATIVE_WINDOW",
    0x300C: "EGL_BAD_PARAMETER",
    0x300D: "EGL_BAD_SURFACE",
    0x300E: "EGL_CONTEXT_LOST",
}

_P, _I, _U, _S = ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p
_INTS, _HANDLES = ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_void_p)

CORE_SIGNATURES: dict[str, tuple[Any, ...]] = {
    # name: (result, arguments...)
    "eglGetError": (_I,),
    "eglGetProcAddress": (_P, _S),
    "eglQueryString": (_S, _P, _I),
    "eglInitialize": (_U, _P, _INTS, _INTS),
    "eglTerminate": (_U, _P),
    "eglReleaseThread": (_U,),
    "eglBindAPI": (_U, _U),
    "eglChooseConfig": (_U, _P, _INTS, _HANDLES, _I, _INTS),
    "eglCreateContext": (_P, _P, _P, _P, _INTS),
    "eglDestroyContext": (_U, _P, _P),
    "eglCreatePbufferSurface": (_P, _P, _P, _INTS),
    "eglDestroySurface": (_U, _P, _P),
    "eglMakeCurrent": (_U, _P, _P, _P, _P),
}

EXTENSION_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "eglQueryDevicesEXT": (_U, _I, _HANDLES, _INTS),
    "eglQueryDeviceStringEXT": (_S, _P, _I),
    "eglQueryDeviceAttribEXT": (_U, _P, _I, ctypes.POINTER(ctypes.c_ssize_t)),
    "eglQueryDeviceBinaryEXT": (_U, _P, _I, _I, _P, _INTS),
    "eglGetPlatformDisplayEXT": (_P, _U, _P, _INTS),
    "glGetString": (_S, _U),
    "glGetIntegerv": (None, _U, _INTS),
}


@dataclass(frozen=True, slots=True)
class EglLibrary:
    """Own the loaded libEGL and its functions by name."""

    functions: dict[str, Callable[..., Any]]

    @classmethod
    def load(cls) -> "EglLibrary":
        """Load libEGL.so.1; raise DependencyError naming the Debian packages when it is absent."""
        try:
            library = ctypes.CDLL("libEGL.so.1", mode=ctypes.RTLD_GLOBAL)
        except OSError as error:
            raise DependencyError(
                "libEGL.so.1",
                found=f"it cannot be loaded ({error})",
                expected="the EGL library that gives GL without a display",
                hint="Install it: apt-get install libegl1 libgl1 libegl-mesa0 libgl1-mesa-dri",
            ) from error
        functions: dict[str, Callable[..., Any]] = {}
        for name, (result, *arguments) in CORE_SIGNATURES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
            functions[name] = function
        for name, (result, *arguments) in EXTENSION_SIGNATURES.items():
            address = functions["eglGetProcAddress"](name.encode())
            if address:
                functions[name] = ctypes.CFUNCTYPE(result, *arguments)(address)
        return cls(functions)

    def call(self, name: str, *arguments: object) -> Any:  # noqa: ANN401 - EGL returns handles, numbers and text
        """Call one function; raise MachineError when the library does not offer it."""
        function = self.functions.get(name)
        if function is None:
            raise MachineError(
                name,
                found="this libEGL does not offer it",
                expected="EGL 1.5 with EGL_EXT_device_enumeration and EGL_EXT_platform_device",
                hint="Update the GPU driver or Mesa (libegl-mesa0).",
            )
        return function(*arguments)

    def last_error(self) -> str:
        """Return the name of the last error of this thread and clear it."""
        code = int(self.call("eglGetError"))
        return ERROR_NAMES.get(code, f"EGL error {code:#06x}")


def ints(values: Sequence[int]) -> "ctypes.Array[ctypes.c_int]":
    """Make the C array that EGL takes attribute lists in."""
    return (ctypes.c_int * len(values))(*values)
