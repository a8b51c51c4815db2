"""How much a worker process may take: time a scan, scans a process, memory."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.options import Shown


class WorkerLimits(BaseModel):
    """Limits of one worker; each is an option. None decides any byte of a sample."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    scan_seconds: Annotated[float | None, Shown(unset="no limit")] = Field(default=None, gt=0)
    """Seconds that a scan or video may take; one that takes longer fails alone."""
    scans_per_worker: Annotated[int | None, Shown(unset="no limit")] = Field(default=None, ge=1)
    """Scans or videos after which a worker process is replaced by a fresh one."""
    worker_memory_gib: Annotated[
        float | None, Shown(unset="its share of this machine's", has_variable=True)
    ] = Field(default=None, ge=0, lt=2**30)
    """GiB that a worker may take: a scan that asks for more fails alone, a worker that holds more
    when its scan has ended is replaced. 0: no limit."""
