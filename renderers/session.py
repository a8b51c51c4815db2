"""One GL context for the life of a process: opened once, used by every scan drawn there."""

import atexit
from dataclasses import dataclass, field

from renderers.egl import GLContext
from schemas.errors import MachineError


@dataclass(slots=True)
class DrawingSession:
    """The context of this process. Owns: the context, from open_session to close_session."""

    context: GLContext
    device: int | None


@dataclass(slots=True)
class _Holder:
    session: DrawingSession | None = field(default=None)


_HOLDER = _Holder()


def open_session(device: int | None = None) -> DrawingSession:
    """Open this process's session, or return the open one.

    device: EGL device index; None chooses (CUDA_VISIBLE_DEVICES, then hardware, then software).
    """
    if _HOLDER.session is None:
        _HOLDER.session = DrawingSession(GLContext.open(device), device)
        atexit.register(close_session)
    return _HOLDER.session


def current_session() -> DrawingSession:
    """Return the open session; raises MachineError when the process has none."""
    if _HOLDER.session is None:
        raise MachineError(
            "drawing", found="no session in this process", expected="open_session() beforehand",
            hint="Report this: a worker was started without its initializer.",
        )  # fmt: skip
    return _HOLDER.session


def close_session() -> None:
    """Free the context of this process, if there is one."""
    if _HOLDER.session is not None:
        _HOLDER.session.context.close()
        _HOLDER.session = None
