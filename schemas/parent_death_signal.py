"""Processes that end with the one that started them, however that one ends.

Ranks are in sessions of their own, so no signal to a group reaches them; a launcher that is
killed would leave them training. On Linux the kernel informs a child of its parent's death.
"""

import ctypes
import os
import signal
import sys

PARENT_VARIABLE = "SCANMILL_PARENT"
"""The process whose end ends this one; unset where a program is started by hand."""

_SET_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of linux/prctl.h."""


def end_with_parent(sent: signal.Signals) -> None:
    """Let the kernel send a signal when the parent ends; at once when it has ended already."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_SET_DEATH_SIGNAL, int(sent), 0, 0, 0)
    if os.getppid() != int(parent):
        signal.raise_signal(sent)


def become_parent() -> None:
    """Let the children that are started from now on end with this process."""
    os.environ[PARENT_VARIABLE] = str(os.getpid())
