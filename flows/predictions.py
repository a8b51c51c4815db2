"""Predicted normals into the data sets of a training: the second half of hdnet-predict-normals."""

from pathlib import Path

from flows.run_jobs import JobSpec, run_jobs
from schemas.dataset_folder import DatasetFolder
from schemas.errors import MachineError
from schemas.predicted_normals import read_plan
from schemas.train_request import TrainRequest
from tasks.dataset.card import write_card
from tasks.dataset.commit import ShardOutcome, fail_shard
from tasks.video.predicted_shards import PredictedJob, forget_predictions, list_predicted
from tasks.video.task import commit_normals_task

COMMITTING: JobSpec[PredictedJob, ShardOutcome] = JobSpec(
    unit="videos", task=commit_normals_task, give_up=fail_shard, runs_in="threads"
)


def commit_predictions(request: TrainRequest) -> int:
    """Write what was predicted into the shards; returns how many were written.

    Raises MachineError when shards are left: the same command goes on with them.
    """
    out = Path(request.out)
    jobs, planned = list_predicted(out), len(read_plan(out).shards)
    outcomes = run_jobs("train", jobs, COMMITTING, workers=request.workers)
    for uri in dict.fromkeys(job.uri for job in jobs):
        write_card(DatasetFolder.at(uri))
    lost = [one for one in outcomes if not one.committed]
    if lost or len(jobs) < planned:
        why = lost[0].failures[0].message if lost else "their frames were made again meanwhile"
        raise MachineError(
            request.out, found=f"{planned - len(jobs) + len(lost)} of {planned} videos left: {why}",
            expected="predictions in all of them", hint="Run the same command again.",
        )  # fmt: skip
    forget_predictions(out)
    return len(outcomes)
