"""The Prefect tasks of this room. The work is in the packages of the formats."""

from typing import Any

from schemas.work import UnitJob
from tasks.dataset.commit import ShardOutcome
from tasks.formats.hdnet.hdnet_import import import_video
from tasks.task import unit_task
from tasks.video.video_shards import PairJob
from tasks.worker_process import at_work


@unit_task("import-batch")
def import_video_task(job: PairJob) -> ShardOutcome:
    """Read the published pairs of one video back; raises WorkInterrupted as the others."""
    with at_work(job.name) as meter:
        return import_video(job).model_copy(update={"use": meter.read()})


@unit_task("export-shard")
def export_shard_task(job: UnitJob) -> Any:  # noqa: ANN401 - what the layout's function returns
    """Write what one shard gives to a published layout."""
    with at_work(job.name):
        return job.run()


@unit_task("import-batch")
def import_batch_task(job: UnitJob) -> Any:  # noqa: ANN401 - what the layout's function returns
    """Read the samples of one shard from a published layout, and commit them."""
    with at_work(job.name):
        return job.run()
