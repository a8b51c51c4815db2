"""What a worker took of its machine: time, memory, and the GPU where there is one."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field


class GpuUse(BaseModel):
    """One GPU of the worker's machine while it worked; other programs' use is included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    index: int = Field(ge=0, description="as nvidia-smi counts")
    name: str
    max_utilization: int = Field(ge=0, le=100, description="percent of the time, the highest seen")
    max_memory: int = Field(ge=0, description="bytes in use, the highest seen")


class WorkerUse(BaseModel):
    """One worker process, over the jobs that it did in a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    pid: int
    jobs: int = Field(ge=0, description="shards that it made")
    seconds: float = Field(ge=0, description="wall time of its jobs")
    cpu_seconds: float = Field(ge=0, description="of all its threads during its jobs")
    max_memory: int = Field(ge=0, description="resident bytes, the most since it started")
    gpus: tuple[GpuUse, ...] = ()


def sum_uses(uses: Iterable[WorkerUse]) -> tuple[WorkerUse, ...]:
    """Add up the uses of each process: times are summed, peaks are the highest."""
    by_process: dict[tuple[str, int], WorkerUse] = {}
    for one in uses:
        key = (one.host, one.pid)
        by_process[key] = _add(by_process[key], one) if key in by_process else one
    return tuple(by_process[key] for key in sorted(by_process))


def _add(first: WorkerUse, second: WorkerUse) -> WorkerUse:
    return WorkerUse(
        host=first.host, pid=first.pid, jobs=first.jobs + second.jobs,
        seconds=round(first.seconds + second.seconds, 3),
        cpu_seconds=round(first.cpu_seconds + second.cpu_seconds, 3),
        max_memory=max(first.max_memory, second.max_memory),
        gpus=merge_gpus((*first.gpus, *second.gpus)),
    )  # fmt: skip


def merge_gpus(looks: Iterable[GpuUse]) -> tuple[GpuUse, ...]:
    """Keep the highest figures of each GPU."""
    by_index: dict[int, GpuUse] = {}
    for one in looks:
        held = by_index.get(one.index, one)
        by_index[one.index] = GpuUse(
            index=one.index, name=one.name,
            max_utilization=max(held.max_utilization, one.max_utilization),
            max_memory=max(held.max_memory, one.max_memory),
        )  # fmt: skip
    return tuple(by_index[index] for index in sorted(by_index))
