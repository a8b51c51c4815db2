"""The Prefect tasks of this room. The work is in pair_shard.py and predicted_shards.py."""

from tasks.dataset.commit import ShardOutcome
from tasks.task import unit_task
from tasks.video.pair_shard import pair_video
from tasks.video.predicted_shards import PredictedJob, commit_predicted
from tasks.video.video_shards import PairJob
from tasks.worker_process import at_work


@unit_task("pair-video")
def pair_video_task(job: PairJob) -> ShardOutcome:
    """Pair one video in this worker process; raises WorkInterrupted when the pool is stopped."""
    with at_work(job.name) as meter:
        return pair_video(job).model_copy(update={"use": meter.read()})


@unit_task("commit-normals")
def commit_normals_task(job: PredictedJob) -> ShardOutcome:
    """Commit the predicted normals of one video."""
    return commit_predicted(job)
