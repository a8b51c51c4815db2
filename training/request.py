"""From a request to a run that can start: checked as far as one process can alone."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path

import torch
from pydantic import ValidationError
from torch import Tensor

from schemas.errors import RequestError
from schemas.train_forms import FORMS, PUBLISHED, BackgroundMode
from schemas.train_options import ModelOptions, RunOptions
from schemas.train_request import TrainRequest
from training.data.background_pool import BackgroundPool, open_backgrounds
from training.data.sample_order import Epochs, Order
from training.data.shard_index import SampleAddress, ShardIndex
from training.loop.checkpoints import find_resumable
from training.loop.distributed import this_world
from training.loop.model_files import written_step
from training.loop.run_folder import RunRecord, check_same_run, describe_run, read_record
from training.loop.training_log import CURVE
from training.run_settings import DataSettings, ModelSettings, RunSettings
from training.stages import STAGES
from training.weights import digest_weights, fit_weights, read_weights

MIN_STEPS_BETWEEN_CHECKPOINTS = 100


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A checked request: everything that a run needs to know before it starts.

    trained: the samples trained on. weights: those of --init, under the names of their source;
    empty without it.
    """

    model: ModelSettings
    data: DataSettings
    run: RunSettings
    index: ShardIndex
    trained: tuple[SampleAddress, ...]
    epochs: Epochs
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
    held = read_record(Path(request.out))
    index = stage.open_index(request.data, stage.selection)
    weights = read_weights(Path(request.init)) if request.init else {}
    model = _resolve_model(request, index.width, weights, held)
    pool = _open_pool(request, index, model.resolution, held)
    data = _resolve_data(request, index, held, fresh=pool is not None)
    check_resolution(index.width, model.resolution)
    if weights:
        with torch.device("meta"):
            fit_weights(
                stage.build(model), weights, f"--init {request.init}", fresh_refinement=True
            )
    trained = index.to_train(data.split)
    record = _describe(request, model, data, index, held)
    return PreparedRun(
        model, data, record.run, index, trained, record.epochs, weights, record, pool
    )


def _describe(
    request: TrainRequest,
    model: ModelSettings,
    data: DataSettings,
    index: ShardIndex,
    held: RunRecord | None,
) -> RunRecord:
    """Describe the run, with the epochs that it goes on with; refuses another run's folder."""
    count = len(index.to_train(data.split))
    batches = Order(count, 0, 0, data.replicas, data.batch).batches_per_epoch
    epochs = Epochs(max(1, batches // model.accumulate))
    if held is not None:
        asked = describe_run(model, data, _resolve_run(request, epochs), epochs, index.shards)
        check_same_run(held, asked, may_take_data=request.take_new_data)
        epochs = Epochs(epochs.steps, held.first_step, held.first_epoch)
        if held.data.digest != data.digest:
            done = find_resumable(Path(request.out)).step
            epochs = Epochs(epochs.steps, done, ceil(held.epochs.at(done)))
    return describe_run(model, data, _resolve_run(request, epochs), epochs, index.shards)


def describe_status(run: RunSettings) -> dict[str, int | bool]:
    """Say how far a run is: steps asked for and done, and whether nothing is left to do.

    A run that is asked for fewer steps than it has done is finished. Raises InputError when it
    has checkpoints and none of them is whole.
    """
    done = find_resumable(run.folder).step
    whole = written_step(run.folder) == done and (run.folder / CURVE).is_file()
    return {"steps": run.steps, "done": done, "finished": whole and done >= run.steps}


def _resolve_model(
    request: TrainRequest, width: int, weights: dict[str, Tensor], held: RunRecord | None
) -> ModelSettings:
    """Take the options, the published value of the stage, or what the data say."""
    published = PUBLISHED[request.stage]
    chosen = request.model_dump(include=set(ModelOptions.model_fields), exclude_none=True)
    defaults = {
        "resolution": width, "learning_rate": published.learning_rate,
        "schedule": published.schedule, "epsilon": published.epsilon, "adam": published.adam,
        **_choose_forms(request, held),
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


def _choose_forms(request: TrainRequest, held: RunRecord | None) -> dict[str, object]:
    """Return the forms where none is named: the published, a begun training's own, or the new."""
    if request.published:
        return dict.fromkeys(FORMS[request.stage], "published")
    if held is None:
        return dict(FORMS[request.stage])
    return held.model.model_dump(include=set(FORMS[request.stage]))


def _open_pool(
    request: TrainRequest, index: ShardIndex, resolution: int, held: RunRecord | None
) -> BackgroundPool | None:
    """Open the images to draw from where a run has fresh backgrounds, or a new one can have them.

    A new one that does not ask for them keeps the stored ones where no image is large enough.
    """
    mode = request.background or (held.data.background if held else None)
    root = Path(request.backgrounds) if request.backgrounds else None
    if mode == "fresh":
        return open_backgrounds(index.datasets, root, resolution)
    if mode is not None or root is None:
        return None
    try:
        return open_backgrounds(index.datasets, root, resolution)
    except RequestError:
        return None


def _resolve_data(
    request: TrainRequest, index: ShardIndex, held: RunRecord | None, *, fresh: bool
) -> DataSettings:
    """Take the options, or what the run began with, or what a new one begins with."""
    began = None if held is None else held.data
    background: BackgroundMode = "fresh" if fresh else "stored"
    return DataSettings(
        digest=index.digest, split=request.split, val_split=request.val_split,
        batch=request.batch or PUBLISHED[request.stage].batch,
        replicas=request.replicas or (began.replicas if began else this_world()),
        augment=not request.no_augment,
        background=request.background or (began.background if began else background),
        max_bad_samples=request.max_bad_samples,
    )  # fmt: skip


def _resolve_run(request: TrainRequest, epochs: Epochs) -> RunSettings:
    published = PUBLISHED[request.stage]
    count = request.epochs or (0 if published.steps else published.epochs or 1)
    steps = request.steps or (epochs.step_of(count) if count else published.steps)
    often = max(epochs.steps, MIN_STEPS_BETWEEN_CHECKPOINTS)
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
