"""The one place where PyOpenGL is imported: everyone takes `GL` from here.

PyOpenGL decides at its first import which window system's functions it looks up, by the variable
PYOPENGL_PLATFORM; without it, it takes GLX and finds no context on a machine without a display.
So the variable has to be set before that import, and nobody may import OpenGL past this file.
"""

import os

os.environ["PYOPENGL_PLATFORM"] = "egl"

from OpenGL import GL, platform

from schemas.errors import MachineError

__all__ = ["GL"]

if type(platform.PLATFORM).__name__ != "EGLPlatform":
    raise MachineError(
        "PyOpenGL",
        found=f"it was imported earlier and bound to {type(platform.PLATFORM).__name__}",
        expected="the EGL platform, which needs no display",
        hint="Import renderers.gl before anything else imports OpenGL.",
    )
