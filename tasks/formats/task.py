"""The Prefect tasks of this room: policy only, as in tasks/samples/task.py."""

from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.work import UnitJob
from tasks.formats.hdnet.video_import import import_video
from tasks.video.video_shard import PairJob, PairOutcome
from tasks.worker_process import at_work


@task(name="import-batch", task_run_name="{job.name}", cache_policy=NO_CACHE, persist_result=False)
def import_video_task(job: PairJob) -> PairOutcome:
    """Read the published pairs of one video back; raises WorkInterrupted as the others."""
    with at_work(job.name):
        return import_video(job)


@task(name="export-shard", task_run_name="{job.name}", cache_policy=NO_CACHE, persist_result=False)
def export_shard_task(job: UnitJob) -> Any:  # noqa: ANN401 - what the layout's function returns
    """Write what one shard gives to a published layout."""
    with at_work(job.name):
        return job.run()


@task(name="import-batch", task_run_name="{job.name}", cache_policy=NO_CACHE, persist_result=False)
def import_batch_task(job: UnitJob) -> Any:  # noqa: ANN401 - what the layout's function returns
    """Read the samples of one shard from a published layout, and commit them."""
    with at_work(job.name):
        return job.run()
