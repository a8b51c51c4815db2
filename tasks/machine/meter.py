"""Measure what this process takes while it does a job: CPU, memory, and the GPUs beside it."""

import os
import resource
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from schemas.worker_use import GpuUse, WorkerUse, merge_gpus

GPU_QUERY = "--query-gpu=index,name,utilization.gpu,memory.used"
SECONDS_BETWEEN_LOOKS = 10.0
"""Between two questions to nvidia-smi, which takes some tenths of a second."""

ANSWER_S = 10.0
MIB = 1 << 20
_STATUS = Path("/proc/self/status")


@dataclass(slots=True)
class _GpuWatch:
    """When the GPUs were looked at last, and what was seen since a job began."""

    looked_s: float = -SECONDS_BETWEEN_LOOKS
    seen: tuple[GpuUse, ...] = ()


_GPUS = _GpuWatch()


@dataclass(frozen=True, slots=True)
class Meter:
    """Counts from when it is made."""

    began_s: float = field(default_factory=time.monotonic)
    began_cpu_s: float = field(default_factory=time.process_time)

    def read(self, *, jobs: int = 1) -> WorkerUse:
        """Return what this process took so far."""
        look_at_gpus()
        return WorkerUse(
            host=socket.gethostname(), pid=os.getpid(), jobs=jobs,
            seconds=round(time.monotonic() - self.began_s, 3),
            cpu_seconds=round(time.process_time() - self.began_cpu_s, 3),
            max_memory=max_resident(), gpus=_GPUS.seen,
        )  # fmt: skip


def max_resident() -> int:
    """Return the most bytes of memory that were resident since this process started."""
    return _status_bytes("VmHWM") or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def resident() -> int:
    """Return the bytes of memory that are resident now; 0 where the kernel does not say."""
    return _status_bytes("VmRSS")


def look_at_gpus() -> None:
    """Keep the highest use of each GPU; asks nvidia-smi now and then, where there is one."""
    now_s = time.monotonic()
    if now_s - _GPUS.looked_s < SECONDS_BETWEEN_LOOKS:
        return
    _GPUS.looked_s = now_s
    program = shutil.which("nvidia-smi")
    if program is None:
        return
    try:
        done = subprocess.run(
            [program, GPU_QUERY, "--format=csv,noheader,nounits"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False, timeout=ANSWER_S,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return
    _GPUS.seen = merge_gpus((*_GPUS.seen, *read_gpus(done.stdout)))


def read_gpus(table: str) -> tuple[GpuUse, ...]:
    """Read nvidia-smi's lines `index, name, percent, MiB`; what it does not know is 0."""
    found = []
    for line in table.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == len(GpuUse.model_fields) and parts[0].isdigit():
            percent, used = (int(text) if text.isdigit() else 0 for text in parts[2:])
            memory, percent = used * MIB, min(percent, 100)
            found.append(
                GpuUse(
                    index=int(parts[0]), name=parts[1], max_utilization=percent, max_memory=memory
                )
            )
    return tuple(found)


def _status_bytes(name: str) -> int:
    for line in _STATUS.read_text().splitlines() if _STATUS.is_file() else ():
        if line.startswith(name + ":"):
            return int(line.split()[1]) << 10
    return 0
