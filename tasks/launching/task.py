"""The Prefect task of this room: policy only. The work is in training_launch.py."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from schemas.train_request import TrainRequest
from tasks.launching.programs import Tell
from tasks.launching.training_launch import run_training


# No retries: the launch itself starts a training again that died, from its last checkpoint.
@task(
    name="train-stage", task_run_name="{request.stage}", cache_policy=NO_CACHE, persist_result=False
)
def train_stage_task(request: TrainRequest, tell: Tell) -> int:
    """Train a stage to its last step; returns how often it was started again."""
    return run_training(request, tell)
