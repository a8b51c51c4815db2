"""The program that trains: `python -m torch.distributed.run ... -m training.run STAGE ...`.

Without torchrun it trains on one rank. Exit codes: 0 done, 1 the training failed, 2 the request is
wrong. A line that begins with "error:" is final: the same command would fail again in the same
way. What has no such line (a rank was killed, memory ran out) may succeed when it is repeated.
`--check` stops after the checks and says in a line of JSON how far the run is.
"""

import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import torch

from schemas.errors import RequestError, ScanmillError
from training.arguments import read_arguments
from training.data.batches import Drawing
from training.data.loader import Loader
from training.data.sample_order import Order
from training.loop.distributed import Ranks, choose_device, join_ranks, this_rank
from training.loop.run_folder import write_record
from training.loop.trainer import Trainer
from training.loop.training_log import Progress
from training.loop.validate_nets import ValidationSet
from training.parent_death_signal import end_with_parent
from training.request import Request, check_request, say_status
from training.stages import STAGES
from training.weights import adopt_weights

EXIT_DONE, EXIT_FAILED, EXIT_REQUEST = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or say in one line why not."""
    end_with_parent(signal.SIGKILL)
    try:
        given = read_arguments(arguments)
        # DDP says so of the layout of 1x1 convolutions under autocast; it costs a small copy.
        warnings.filterwarnings("ignore", message="Grad strides do not match bucket view")
        _limit_threads()
        request = check_request(given)
        if given.check:
            print(json.dumps(say_status(request.run)), flush=True)  # noqa: T201 - its answer
            return EXIT_DONE
        with join_ranks(choose_device(request.run.device)) as ranks:
            train(request, ranks)
    except RequestError as error:
        return _refuse(error, EXIT_REQUEST)
    except ScanmillError as error:
        return _refuse(error, EXIT_FAILED)
    return EXIT_DONE


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


if __name__ == "__main__":
    sys.exit(main())
