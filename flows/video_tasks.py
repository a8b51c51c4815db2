"""The Prefect task around the work on one video: name and policy only, as flows.shard_tasks."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.shard_tasks import marked
from tasks.formats.hdnet.video_import import import_video
from tasks.video.pair_shard import pair_video
from tasks.video.video_shard import PairJob, PairOutcome


@task(name="pair-video", task_run_name="{shard_id}", cache_policy=NO_CACHE, persist_result=False)
def pair_video_task(shard_id: str, job: PairJob, marks: str) -> PairOutcome:
    """Pair one video in this worker process, or read its published pairs back.

    Raises WorkInterrupted when the round is stopped before or during the work.
    """
    with marked(shard_id, marks):
        is_published = job.shard.video.layout == "published"
        return import_video(job) if is_published else pair_video(job)
