"""The Prefect task of this room. The work is in training_launch.py."""

from schemas.train_request import TrainRequest
from tasks.launching.programs import OnLine
from tasks.launching.training_launch import run_training
from tasks.task import unit_task


@unit_task("train-stage", of="{request.stage}")
def train_stage_task(request: TrainRequest, on_line: OnLine) -> int:
    """Train a stage to its last step; returns how often it was started again."""
    return run_training(request, on_line)
