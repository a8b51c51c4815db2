"""The Prefect task of this room. The work is in validation.py."""

from typing import Any

from schemas.work import UnitJob
from tasks.task import unit_task
from tasks.worker_process import at_work


@unit_task("validate-shard")
def validate_shard_task(job: UnitJob) -> Any:  # noqa: ANN401 - what the check's function returns
    """Read one shard back, or one part of a published folder, and check it."""
    with at_work(job.name):
        return job.run()
