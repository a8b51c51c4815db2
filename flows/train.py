"""The flow `train`: shards in, weights out."""

from prefect import flow

from flows.launching import TrainRequest, TrainSummary, launch_training


@flow(name="train", flow_run_name="train {request.stage} to {request.out}")
def train(request: TrainRequest) -> TrainSummary:
    """Train a stage in processes of its own; raises RequestError or MachineError."""
    return launch_training(request)
