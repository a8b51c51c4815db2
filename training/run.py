"""The program that trains: `python -m torch.distributed.run ... -m training.run STAGE ...`.

Without torchrun it trains on one rank. Exit codes: 0 done, 1 the training failed, 2 the request is
wrong. A line that begins with "error:" is final: the same command would fail again in the same
way. What has no such line (a rank was killed, memory ran out) may succeed when it is repeated.
`--check` stops after the checks and says in a line of JSON how far the run is.
"""

import argparse
import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from pydantic import ValidationError

from schemas.errors import RequestError, ScanmillError
from training.backgrounds import BackgroundPool, open_backgrounds
from training.batches import Drawing
from training.checkpoints import LATEST, named_by, read_meta
from training.distributed import Ranks, choose_device, join_ranks, this_rank, this_world
from training.lifeline import end_with_parent
from training.loader import Loader
from training.order import Order
from training.progress import CURVE, Progress
from training.run_folder import RunRecord, check_folder, describe_run, write_record
from training.samples import check_resolution
from training.settings import DataSettings, ModelSettings, RunSettings
from training.shards import SampleAddress, ShardIndex, open_index
from training.stages import STAGES, Published
from training.trainer import Trainer
from training.validation import ValidationSet
from training.weights import (
    MODEL_CARD,
    MODEL_FILE,
    adopt_weights,
    digest_weights,
    fit_weights,
    read_weights,
)

T = TypeVar("T")
EXIT_DONE, EXIT_FAILED, EXIT_REQUEST = 0, 1, 2
FEWEST_STEPS_BETWEEN_CHECKPOINTS = 100

_EXAMPLES = """examples:
  python -m training.run 2k2k-normal --data DATA --out RUN --steps 20 --nets coarse
  python -m torch.distributed.run --standalone --nproc_per_node=2 -m training.run \\
      2k2k-normal --data DATA --out RUN --epochs 20
  python -m training.run 2k2k-depth --data DATA --out RUN2 --init RUN --epochs 20
"""


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or say in one line why not."""
    given = _parser().parse_args(arguments)
    end_with_parent(signal.SIGKILL)
    try:
        # DDP says so of the layout of 1x1 convolutions under autocast; it costs a small copy.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view")
        _limit_threads()
        request = check_request(given)
        if given.check:
            print(json.dumps(say_standing(request.run)), flush=True)  # noqa: T201 - its answer
            return EXIT_DONE
        with join_ranks(choose_device(request.run.device)) as ranks:
            train(request, ranks)
    except RequestError as error:
        return _refuse(error, EXIT_REQUEST)
    except ScanmillError as error:
        return _refuse(error, EXIT_FAILED)
    return EXIT_DONE


def check_request(given: argparse.Namespace) -> Request:
    """Check everything that can be checked without talking to other ranks; writes nothing."""
    if given.stage == "2k2k-depth" and (not given.init or given.nets != "all"):
        raise RequestError(
            given.stage, met=f"--init {given.init} and --nets {given.nets}",
            wanted="all nets of phase 1, trained: they stay frozen",
            way_out="Train 2k2k-normal with --nets all first, then give its folder as --init.",
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
            ", ".join(given.data), met=f"no sample of split {', '.join(data.splits)}",
            wanted="samples to train on", way_out="Name another --split, or render more subjects.",
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


def say_standing(run: RunSettings) -> dict[str, int | bool]:
    """Say how far a run is: steps wanted and done, and whether weights and curve are of the last.

    A run that is asked for fewer steps than it has done is finished.
    """
    latest = named_by(run.out, LATEST)
    done = 0 if latest is None else read_meta(latest).step
    card = run.out / MODEL_CARD
    written = json.loads(card.read_bytes())["step"] if card.is_file() else None
    whole = written == done and all((run.out / name).is_file() for name in (MODEL_FILE, CURVE))
    return {"steps": run.steps, "done": done, "finished": whole and done >= run.steps}


def train(request: Request, ranks: Ranks) -> None:
    """Build the nets, go on from the last checkpoint if there is one, and train."""
    stage = STAGES[request.model.stage]
    torch.manual_seed(request.model.seed)
    nets = stage.build(request.model)
    if request.weights:
        adopt_weights(nets, request.weights, source="--init")
    ranks.barrier()
    if ranks.is_first:
        write_record(request.run.out, request.record)
    trainer = Trainer(
        stage, nets, settings=request.model, data=request.data, run=request.run, ranks=ranks
    )
    first_step = trainer.resume()
    loader = _open_loader(request, ranks)
    progress = (
        Progress(request.run.out, first_step=first_step, last_step=request.run.steps)
        if ranks.is_first
        else None
    )
    try:
        chosen = ValidationSet.choose(request.index, request.data, request.run)
        trainer.train(loader, chosen, progress, steps_per_epoch=request.steps_per_epoch)
    finally:
        loader.close()
        if progress is not None:
            progress.close()


def _open_loader(request: Request, ranks: Ranks) -> Loader[Any, Any]:
    data, seed = request.data, request.model.seed
    reader = STAGES[request.model.stage].feed.reader(request.model, data.background == "stored")
    order = Order(len(request.trained), seed, ranks.rank, ranks.world, data.batch)
    drawing = Drawing(seed if data.augment else None, request.pool)
    return Loader(
        reader, request.trained, order, drawing,
        workers=request.run.workers, max_bad_samples=data.max_bad_samples,
    )  # fmt: skip


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
    often = max(steps_per_epoch, FEWEST_STEPS_BETWEEN_CHECKPOINTS)
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
    defaults = _parser()
    for name in sorted(meaningless):
        value = getattr(given, name)
        if value != defaults.get_default(name):
            raise RequestError(
                f"--{name.replace('_', '-')}", met=f"{value} for {given.stage}",
                wanted="no such option: this stage has nothing that it would change",
                way_out="Leave it out.",
            )  # fmt: skip


def _given(value: T | None, published: T) -> T:
    return published if value is None else value


def _wrong_setting(error: ValidationError) -> RequestError:
    first = error.errors()[0]
    where = "--" + "-".join(str(part) for part in first["loc"]).replace("_", "-")
    return RequestError(
        where if first["loc"] else "settings", met=f"{first.get('input')!r}",
        wanted=str(first["msg"]), way_out="See --help.",
    )  # fmt: skip


def _refuse(error: ScanmillError, code: int) -> int:
    """Say the error in one line; what every rank knows is said by the first alone.

    What the machine did to a run (a store that fell silent, say) may be over when it is repeated.
    """
    if this_rank() == 0 or not isinstance(error, RequestError):
        word = "failed" if error.kind == "environment" else "error"
        print(f"{word}: {error}", file=sys.stderr, flush=True)  # noqa: T201 - a program's last word
    return code


def _limit_threads() -> None:
    """Share the cores of this machine among the ranks that torchrun started on it."""
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1"))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="training.run", description=__doc__, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    add = parser.add_argument
    add("stage", choices=sorted(STAGES))
    add("--data", nargs="+", required=True, metavar="URI", help="data sets")
    add("--out", type=Path, required=True, metavar="DIR", help="folder of the run")
    add("--init", metavar="PATH", help="weights to start from: run, step, safetensors, published")
    add("--check", action="store_true", help="only check the request; say how far the run is")
    _add_model(parser.add_argument_group("what is trained"))
    _add_data(parser.add_argument_group("what is seen"))
    _add_run(parser.add_argument_group("how long and how"))
    return parser


def _add_model(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    add("--resolution", type=int, metavar="PX", help="default: that of the data")
    add("--width", type=float, default=1.0, help="factor on all inner channels (1)")
    add("--nets", choices=("all", "coarse"), default="all", help="coarse: without part nets")
    add("--heads", choices=("published", "centred"), default="published", help="how they begin")
    add("--mask-loss", choices=("single_sigmoid", "published"), default="single_sigmoid")
    add("--frozen-norm", choices=("batch", "running"), default="batch", help="of phase 2")
    add("--precision", choices=("fp32", "bf16"), default="fp32")
    forms = ("masked", "in_place", "published")
    add("--depth-normals", choices=forms, default="masked", help="hdnet-depth")
    add("--learning-rate", type=float, help="default: as published for the stage")
    add("--schedule", choices=("published", "constant"), help="published: of 2K2K; its default")
    add("--steps-per-epoch", type=int, help="of the schedule; default: from the data")
    add("--accumulate", type=int, default=1, metavar="N", help="batches a step")
    add("--seed", type=int, default=0)


def _add_data(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    add("--split", nargs="+", default=["train"], help="trained on")
    add("--val-split", nargs="+", default=["val"], help="validated on")
    add("--batch", type=int, help="samples a rank; default: as published for the stage")
    add("--background", choices=("stored", "fresh", "black"), default="stored")
    add("--backgrounds", type=Path, metavar="DIR", help="root of the data set's backgrounds")
    add("--no-augment", action="store_true", help="no jitter, stored pictures as they are")
    add("--max-bad-samples", type=int, default=0, metavar="N", help="undecodable ones allowed")


def _add_run(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    long = group.add_mutually_exclusive_group()
    long.add_argument("--steps", type=int, help="optimiser steps in all")
    long.add_argument("--epochs", type=int, help="instead of --steps; default: as published")
    add("--save-every", type=int, metavar="STEPS", help="an epoch, at least 100 steps")
    add("--keep", type=int, default=3, help="checkpoints kept besides the best")
    add("--validate-every", type=int, metavar="STEPS", help="as --save-every")
    add("--max-val-samples", type=int, default=64)
    add("--picture-every", type=int, default=100, metavar="STEPS")
    add("--workers", type=int, default=2, help="decoding threads a rank")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto")
    add("--compile", action="store_true", help="torch.compile the nets")
    add("--recompute", action="store_true", help="recompute activations: memory for time")


if __name__ == "__main__":
    sys.exit(main())
