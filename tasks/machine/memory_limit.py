"""How much memory a worker may take: what asks for more fails there, and the others go on.

The limit counts private writable memory (RLIMIT_DATA), not address space: GL drivers and torch
reserve far more addresses than they use. A failed allocation is a MemoryError in Python and NumPy
and an error of its own in OpenCV; both are environment failures of the scan that asked.
"""

import os
import resource
from pathlib import Path

import psutil

from schemas.errors import MachineError, RequestError
from schemas.size_limits import GIB
from schemas.wording import shorten_text

LIMIT_VARIABLE = "SCANMILL_WORKER_MEMORY_GIB"
"""GiB that one worker may take; 0: no limit."""

LIMIT_OPTION = "--worker-memory-gib"

MIN_LIMIT_GIB = 4.0
"""Default of a worker that shares a small machine: a 16k texture and its mesh need about 3."""

_CGROUP_FILES = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_STATUS = Path("/proc/self/status")


def memory_budget(workers: int, asked_gib: float | None = None) -> int:
    """Return the bytes that each of some workers may take; 0: no limit.

    asked_gib: of the option; None: LIMIT_VARIABLE decides. Without it either, it is a worker's
    share of the machine's (or container's) memory, MIN_LIMIT_GIB at least. Raises RequestError
    when the variable is no number.
    """
    if asked_gib is not None:
        return round(asked_gib * GIB)
    text = os.environ.get(LIMIT_VARIABLE, "")
    if not text:
        total = usable_memory()
        return min(total, max(total // max(workers, 1), round(MIN_LIMIT_GIB * GIB)))
    try:
        asked = float(text)
    except ValueError:
        asked = -1.0
    if not 0 <= asked < GIB:
        raise RequestError(
            LIMIT_VARIABLE, found=f"{text[:40]!a}",
            expected="GiB for one worker, or 0 for no limit",
            hint=f"For example {LIMIT_VARIABLE}=8.",
        )  # fmt: skip
    return round(asked * GIB)


def limit_memory(budget: int) -> None:
    """Limit this process to so many bytes on top of what it has; 0: no limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    held = (limit for limit in (soft, hard) if limit != resource.RLIM_INFINITY)
    if budget:
        resource.setrlimit(resource.RLIMIT_DATA, (min([_private_bytes() + budget, *held]), hard))


def explain_memory(error: Exception) -> Exception:
    """Return the error of a scan that asked for more than its worker may take; others as they are.

    Python's own says nothing of the limit, and often nothing at all.
    """
    if not isinstance(error, MemoryError):
        return error
    soft, _ = resource.getrlimit(resource.RLIMIT_DATA)
    limited = soft != resource.RLIM_INFINITY
    at_most = f"at most {soft / GIB:.1f} GiB with all that it holds" if limited else "less"
    return MachineError(
        "the memory of a worker", found=f"no room: {shorten_text(str(error))}",
        expected=f"a scan for which a worker takes {at_most}",
        hint=f"Use fewer --workers, or give each more with {LIMIT_OPTION}.",
    )  # fmt: skip


def usable_memory() -> int:
    """Return the bytes of memory that this machine, or the container around us, has."""
    texts = (path.read_text().strip() for path in _CGROUP_FILES if path.is_file())
    limits = [int(text) for text in texts if text.isdecimal()]  # "max": no limit
    return min([psutil.virtual_memory().total, *limits])


def _private_bytes() -> int:
    """Return the private writable memory of this process, as the limit counts it."""
    for line in _STATUS.read_text().splitlines() if _STATUS.is_file() else ():
        if line.startswith("VmData:"):
            return int(line.split()[1]) << 10
    return 0
