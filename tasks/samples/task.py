"""The Prefect task of this room: policy only. The work is in render_shard.py."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.samples.render_shard import ShardOutcome, render_shard
from tasks.samples.shard_work import ShardJob
from tasks.worker_process import at_work


# No cache policy: whether work is done is decided by the manifests. Prefect's caches would go by
# parameters, which stay equal when a file's content changes. No retries: a machine that fails
# makes an outcome, a worker that dies is the pool's business.
@task(name="render-shard", task_run_name="{job.name}", cache_policy=NO_CACHE, persist_result=False)
def render_shard_task(job: ShardJob) -> ShardOutcome:
    """Render one shard in this worker process; raises WorkInterrupted when the pool is stopped."""
    with at_work(job.name):
        return render_shard(job)
