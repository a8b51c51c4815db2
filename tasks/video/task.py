"""The Prefect task of this room: policy only, as in tasks/samples/task.py."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.video.pair_shard import pair_video
from tasks.video.video_shard import PairJob, PairOutcome
from tasks.worker_process import at_work


@task(name="pair-video", task_run_name="{job.name}", cache_policy=NO_CACHE, persist_result=False)
def pair_video_task(job: PairJob) -> PairOutcome:
    """Pair one video in this worker process; raises WorkInterrupted when the pool is stopped."""
    with at_work(job.name):
        return pair_video(job)
