"""From a request to a run that can start: checked as far as one process can alone."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from schemas.errors import RequestError
from schemas.train_request import FORMS, PUBLISHED, ModelOptions, RunOptions, TrainRequest
from training.data.background_pool import BackgroundPool, open_backgrounds
from training.data.sample_order import Order
from training.data.shard_index import SampleAddress, ShardIndex
from training.loop.checkpoints import find_resumable
from training.loop.distributed import this_world
from training.loop.model_files import written_step
from training.loop.run_folder import RunRecord, check_folder, describe_run, read_forms
from training.loop.training_log import CURVE
from training.run_settings import DataSettings, ModelSettings, RunSettings
from training.stages import STAGES
from training.weights import digest_weights, fit_weights, read_weights

MIN_STEPS_BETWEEN_CHECKPOINTS = 100


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A checked request: everything that a run needs to know before it starts.

    trained: the samples trained on. steps_per_epoch: optimiser steps. weights: those of --init,
    under the names of their source; empty without it.
    """

    model: ModelSettings
    data: DataSettings
    run: RunSettings
    index: ShardIndex
    trained: tuple[SampleAddress, ...]
    steps_per_epoch: int
    weights: dict[str, Tensor]
    record: RunRecord
    pool: BackgroundPool | None


def prepare_run(request: TrainRequest) -> PreparedRun:
    """Check everything that can be checked without talking to other ranks; writes nothing.

    Raises RequestError for what no repetition would cure, InputError for weights that can't be
    read.
    """
    request.check()
    stage = STAGES[request.stage]
    index = stage.open_index(request.data, stage.selection)
    weights = read_weights(Path(request.init)) if request.init else {}
    model = _resolve_model(request, index.width, weights)
    data = _resolve_data(request, index)
    check_resolution(index.width, model.resolution)
    if weights:
        with torch.device("meta"):
            fit_weights(stage.build(model), weights, f"--init {request.init}")
    trained = index.to_train(data.splits)
    batches = Order(len(trained), 0, 0, data.world, data.batch).batches_per_epoch
    steps_per_epoch = max(1, batches // model.accumulate)
    run = _resolve_run(request, steps_per_epoch)
    record = describe_run(model, data, run)
    check_folder(run.out, record)
    pool = None
    if data.background == "fresh":
        root = Path(run.backgrounds) if run.backgrounds else None
        pool = open_backgrounds(index.datasets, root, model.resolution)
    return PreparedRun(model, data, run, index, trained, steps_per_epoch, weights, record, pool)


def describe_status(run: RunSettings) -> dict[str, int | bool]:
    """Say how far a run is: steps asked for and done, and whether nothing is left to do.

    A run that is asked for fewer steps than it has done is finished. Raises InputError when it
    has checkpoints and none of them is whole.
    """
    done = find_resumable(run.out).step
    whole = written_step(run.out) == done and (run.out / CURVE).is_file()
    return {"steps": run.steps, "done": done, "finished": whole and done >= run.steps}


def _resolve_model(request: TrainRequest, width: int, weights: dict[str, Tensor]) -> ModelSettings:
    """Take the options, the published value of the stage, or what the data say."""
    published = PUBLISHED[request.stage]
    chosen = request.model_dump(include=set(ModelOptions.model_fields), exclude_none=True)
    defaults = {
        "resolution": width, "learning_rate": published.learning_rate,
        "schedule": published.schedule, "epsilon": published.epsilon, "adam": published.adam,
        **_choose_forms(request),
    }  # fmt: skip
    init = digest_weights(weights) if weights else None
    try:
        return ModelSettings.model_validate(
            defaults | chosen | {"stage": request.stage, "init": init}
        )
    except ValidationError as error:  # what the request has not checked comes from the data
        raise RequestError(
            "--resolution", found=f"samples {width} pixels wide",
            expected=str(error.errors()[0]["msg"]), hint="Give a --resolution that divides it.",
        ) from error  # fmt: skip


def _choose_forms(request: TrainRequest) -> dict[str, object]:
    """Return the forms where none is named: the published, a begun training's own, or the new."""
    if request.published:
        return dict.fromkeys(FORMS[request.stage], "published")
    return read_forms(Path(request.out)) or dict(FORMS[request.stage])


def _resolve_data(request: TrainRequest, index: ShardIndex) -> DataSettings:
    return DataSettings(
        digest=index.digest, splits=request.split, val_splits=request.val_split,
        batch=request.batch or PUBLISHED[request.stage].batch, world=this_world(),
        augment=not request.no_augment, background=request.background,
        max_bad_samples=request.max_bad_samples,
    )  # fmt: skip


def _resolve_run(request: TrainRequest, steps_per_epoch: int) -> RunSettings:
    published = PUBLISHED[request.stage]
    epochs = request.epochs or (0 if published.steps else published.epochs or 1)
    steps = request.steps or epochs * steps_per_epoch or published.steps
    often = max(steps_per_epoch, MIN_STEPS_BETWEEN_CHECKPOINTS)
    defaults = {"save_every": often, "validate_every": often}
    chosen = request.model_dump(include=set(RunOptions.model_fields), exclude_none=True)
    where = {"out": request.out, "data": request.data, "steps": steps}
    return RunSettings.model_validate(defaults | chosen | where)


def check_resolution(width: int, resolution: int) -> None:
    """Refuse a resolution that the stored images can't give without resampling depth."""
    if width % resolution:
        raise RequestError(
            f"--resolution {resolution}", found=f"samples {width} pixels wide",
            expected="their width or an integer part of it, a multiple of 128",
            hint=f"Leave --resolution out to train at {width}.",
        )  # fmt: skip
