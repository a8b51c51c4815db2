"""The flow `train`: shards in, weights out."""

from time import monotonic

from prefect import get_run_logger

from flows.cancelling import ending_when_cancelled
from flows.predictions import commit_predictions
from flows.progress import say
from flows.request_flow import request_flow
from flows.train_board import TrainBoard
from flows.train_log import TrainLog
from schemas.train_request import TrainRequest
from tasks.launching.task import train_stage_task
from tasks.launching.training_launch import ask_status
from tasks.launching.training_results import (
    AnySummary,
    sum_up_prediction,
    sum_up_training,
)


@request_flow(TrainRequest, name="train", run_name="train {stage} to {out}")
def train(request: TrainRequest) -> AnySummary:
    """Run a stage in processes of its own; goes on where an interrupted run stopped.

    Raises RequestError before any work, TrainingError when it can't go on, MachineError when its
    processes died too often.
    """
    began_s, restarts = monotonic(), 0
    status = ask_status(request)
    with TrainBoard(request) as board:
        if status.finished:
            say(f"train: all {status.done} steps of {request.stage} are done already.")
        else:
            keep = get_run_logger().info
            with ending_when_cancelled(), TrainLog(board.step, board.look, keep) as log:
                restarts = train_stage_task(request, log.take)
        board.show_results()
    worked = not status.finished
    if request.trains:
        return sum_up_training(
            request, seconds=monotonic() - began_s, worked=worked, restarts=restarts
        )
    committed = commit_predictions(request) if worked else 0
    return sum_up_prediction(
        request, status.steps, seconds=monotonic() - began_s, committed=committed, worked=worked,
        restarts=restarts,
    )  # fmt: skip
