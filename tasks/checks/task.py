"""The Prefect task of this room: policy only, as in tasks/samples/task.py."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.work import UnitJob
from tasks.worker_process import at_work


@task(
    name="validate-shard", task_run_name="{job.name}", cache_policy=NO_CACHE, persist_result=False
)
def validate_shard_task(job: UnitJob) -> Any:  # noqa: ANN401 - what the check's function returns
    """Read one shard back, or one part of a published folder, and check it."""
    with at_work(job.name):
        return job.run()
