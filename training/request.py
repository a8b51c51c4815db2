"""A request to train, checked as far as one process can without talking to the others."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from pydantic import ValidationError

from schemas.errors import RequestError
from training.arguments import make_parser
from training.data.background_pool import BackgroundPool, open_backgrounds
from training.data.sample_order import Order
from training.data.shard_index import SampleAddress, ShardIndex, open_index
from training.loop.checkpoints import LATEST, named_by, read_meta
from training.loop.distributed import this_world
from training.loop.run_folder import RunRecord, check_folder, describe_run
from training.loop.training_log import CURVE
from training.run_settings import DataSettings, ModelSettings, RunSettings
from training.stages import STAGES, Published
from training.twok2k.person_samples import check_resolution
from training.weights import MODEL_CARD, MODEL_FILE, digest_weights, fit_weights, read_weights

T = TypeVar("T")
MIN_STEPS_BETWEEN_CHECKPOINTS = 100


@dataclass(frozen=True, slots=True)
class Request:
    """A checked request: everything that a run needs to know before it starts."""

    model: ModelSettings
    data: DataSettings
    run: RunSettings
    index: ShardIndex
    trained: tuple[SampleAddress, ...]
    steps_per_epoch: int
    weights: dict[str, torch.Tensor]
    record: RunRecord
    pool: BackgroundPool | None


def check_request(given: argparse.Namespace) -> Request:
    """Check everything that can be checked without talking to other ranks; writes nothing."""
    if given.stage == "2k2k-depth" and (not given.init or given.nets != "all"):
        raise RequestError(
            given.stage, found=f"--init {given.init} and --nets {given.nets}",
            expected="all nets of phase 1, trained: they stay frozen",
            hint="Train 2k2k-normal with --nets all first, then give its folder as --init.",
        )  # fmt: skip
    stage = STAGES[given.stage]
    _check_meaning(given, stage.meaningless)
    index = open_index(given.data, stage.feed.selection)
    resolution = given.resolution or index.width
    weights = read_weights(Path(given.init)) if given.init else {}
    model, data = _deciding_settings(given, index, resolution, weights)
    check_resolution(index.width, resolution)
    if weights:
        with torch.device("meta"):
            fit_weights(stage.build(model), weights, f"--init {given.init}")
    trained = index.of_splits(data.splits)
    if not trained:
        raise RequestError(
            ", ".join(given.data), found=f"no sample of split {', '.join(data.splits)}",
            expected="samples to train on", hint="Name another --split, or render more subjects.",
        )  # fmt: skip
    batches = Order(len(trained), 0, 0, data.world, data.batch).batches_per_epoch
    steps_per_epoch = max(1, batches // model.accumulate)
    run = _run_settings(given, stage.published, steps_per_epoch)
    record = describe_run(model, data, run)
    check_folder(run.out, record)
    pool = None
    if data.background == "fresh":
        pool = open_backgrounds(index.datasets, run.backgrounds, resolution)
    return Request(model, data, run, index, trained, steps_per_epoch, weights, record, pool)


def say_status(run: RunSettings) -> dict[str, int | bool]:
    """Say how far a run is: steps requested and done, and whether its weights are of the last step.

    A run that is asked for fewer steps than it has done is finished.
    """
    latest = named_by(run.out, LATEST)
    done = 0 if latest is None else read_meta(latest).step
    card = run.out / MODEL_CARD
    written = json.loads(card.read_bytes())["step"] if card.is_file() else None
    whole = written == done and all((run.out / name).is_file() for name in (MODEL_FILE, CURVE))
    return {"steps": run.steps, "done": done, "finished": whole and done >= run.steps}


def _deciding_settings(
    given: argparse.Namespace,
    index: ShardIndex,
    resolution: int,
    weights: dict[str, torch.Tensor],
) -> tuple[ModelSettings, DataSettings]:
    """Return the settings that decide the weights; raises RequestError for one out of range."""
    published = STAGES[given.stage].published
    try:
        model = ModelSettings(
            stage=given.stage, resolution=resolution, width=given.width, nets=given.nets,
            heads=given.heads, mask_loss=given.mask_loss, frozen_norm=given.frozen_norm,
            precision=given.precision,
            learning_rate=_given(given.learning_rate, published.learning_rate),
            schedule=given.schedule or published.schedule, depth_normals=given.depth_normals,
            steps_per_epoch=given.steps_per_epoch, accumulate=given.accumulate, seed=given.seed,
            init=digest_weights(weights) if weights else None,
        )  # fmt: skip
        data = DataSettings(
            digest=index.digest, splits=tuple(given.split), val_splits=tuple(given.val_split),
            batch=_given(given.batch, published.batch), world=this_world(),
            augment=not given.no_augment, background=given.background,
            max_bad_samples=given.max_bad_samples,
        )  # fmt: skip
    except ValidationError as error:
        raise _wrong_setting(error) from error
    return model, data


def _run_settings(
    given: argparse.Namespace, published: Published, steps_per_epoch: int
) -> RunSettings:
    often = max(steps_per_epoch, MIN_STEPS_BETWEEN_CHECKPOINTS)
    steps = given.steps or (given.epochs or 0) * steps_per_epoch
    steps = steps or published.steps or (published.epochs or 1) * steps_per_epoch
    try:
        return RunSettings(
            out=given.out, data=tuple(given.data), backgrounds=given.backgrounds,
            steps=steps, save_every=given.save_every or often,
            keep=given.keep, validate_every=given.validate_every or often,
            max_val_samples=given.max_val_samples, picture_every=given.picture_every,
            workers=given.workers, device=given.device, compile=given.compile,
            recompute=given.recompute,
        )  # fmt: skip
    except ValidationError as error:
        raise _wrong_setting(error) from error


def _check_meaning(given: argparse.Namespace, meaningless: frozenset[str]) -> None:
    """Refuse an option that would change nothing in this stage."""
    defaults = make_parser()
    for name in sorted(meaningless):
        value = getattr(given, name)
        if value != defaults.get_default(name):
            raise RequestError(
                f"--{name.replace('_', '-')}", found=f"{value} for {given.stage}",
                expected="no such option: this stage has nothing that it would change",
                hint="Leave it out.",
            )  # fmt: skip


def _given(value: T | None, published: T) -> T:
    return published if value is None else value


def _wrong_setting(error: ValidationError) -> RequestError:
    first = error.errors()[0]
    where = "--" + "-".join(str(part) for part in first["loc"]).replace("_", "-")
    return RequestError(
        where if first["loc"] else "settings", found=f"{first.get('input')!r}",
        expected=str(first["msg"]), hint="See --help.",
    )  # fmt: skip
