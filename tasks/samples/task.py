"""The Prefect task of this room. The work is in render_shard.py."""

from tasks.dataset.commit import ShardOutcome
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tasks.task import unit_task
from tasks.worker_process import at_work


@unit_task("render-shard")
def render_shard_task(job: RenderJob) -> ShardOutcome:
    """Render one shard in this worker process; raises WorkInterrupted when the pool is stopped."""
    with at_work(job.name, units=job.units) as meter:
        return render_shard(job).model_copy(update={"use": meter.read()})
