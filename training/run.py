"""The program that trains: `python -m torch.distributed.run ... -m training.run --request FILE`.

FILE holds a `schemas.train_request.TrainRequest` as JSON; the JSON itself may be given instead.
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
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch

from schemas.atomic_files import storage_errors
from schemas.errors import RequestError, ScanmillError
from schemas.file_status import explain_os_error
from schemas.parent_death_signal import end_with_parent
from schemas.profiling import profiling
from schemas.train_request import TrainRequest, read_request
from training.data.augmentation_sampler import AugmentationSampler
from training.data.loader import Loader
from training.data.sample_order import Order, SharedOrder
from training.data.tensor_batch import BatchT, SampleT
from training.loop.distributed import (
    Ranks,
    StoppedByFirst,
    choose_device,
    join_ranks,
    this_rank,
    this_world,
)
from training.loop.run_folder import write_record
from training.loop.stage_types import ExamplesT, PredictionT, Stage
from training.loop.trainer import Trainer
from training.loop.training_log import TrainingLog
from training.loop.validate_nets import ValidationSet
from training.predict_normals import describe_prediction, predict, prepare_prediction
from training.request import PreparedRun, describe_status, prepare_run
from training.stages import STAGES
from training.weights import adopt_weights

EXIT_DONE, EXIT_FAILED, EXIT_REQUEST = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or say in one line why not."""
    parser = argparse.ArgumentParser(
        prog="training.run", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--request", required=True, metavar="JSON|FILE")
    parser.add_argument("--check", action="store_true", help="only check the request")
    given = parser.parse_args(arguments)
    end_with_parent(signal.SIGKILL)
    try:
        _limit_threads(replicas=1)
        request = read_request(given.request)
        start = _train if request.trains else _predict
        start(request, only_check=given.check)
    except StoppedByFirst:
        return EXIT_FAILED
    except RequestError as error:
        return _refuse(error, EXIT_REQUEST)
    except ScanmillError as error:
        return _refuse(error, EXIT_FAILED)
    except OSError as error:
        return _refuse(explain_os_error(Path(error.filename or "."), error), EXIT_FAILED)
    return EXIT_DONE


@dataclass(frozen=True, slots=True)
class Training:
    """The training of a prepared run on this rank, for a stage of any types.

    profiled: say at the end where the time of the first rank's steps went.
    """

    prepared: PreparedRun
    ranks: Ranks
    profiled: bool = False

    def __call__(self, stage: Stage[SampleT, BatchT, ExamplesT, PredictionT], /) -> None:
        """Build the nets, go on from the last checkpoint if there is one, and train."""
        prepared, ranks = self.prepared, self.ranks
        torch.manual_seed(prepared.model.seed)
        nets = stage.build(prepared.model)
        if prepared.weights:
            adopt_weights(nets, prepared.weights, source="--init", fresh_refinement=True)
        ranks.barrier()
        if ranks.is_first:
            write_record(prepared.run.folder, prepared.record)
        trainer = Trainer(
            stage, nets,
            settings=prepared.model, data=prepared.data, run=prepared.run, ranks=ranks,
        )  # fmt: skip
        first_step = trainer.resume(prepared.epochs)
        loader = self._open_loader(stage, trainer.replicas)
        log = None
        try:
            if ranks.is_first:
                _say_idle(ranks.world, prepared.data.replicas)
                log = TrainingLog(
                    prepared.run.folder, first_step=first_step, last_step=prepared.run.steps
                )
            chosen = ValidationSet.choose(prepared.index, prepared.data, prepared.run)
            with profiling() if self.profiled and ranks.is_first else nullcontext() as profile:
                trainer.train(loader, chosen, log, epochs=prepared.epochs)
        finally:
            loader.close()
            if log is not None:
                log.close()
        if profile is not None:
            steps = prepared.run.steps - first_step
            print(*trainer.parts.describe(profile.table, steps), sep="\n", flush=True)  # noqa: T201

    def _open_loader(
        self, stage: Stage[SampleT, BatchT, ExamplesT, PredictionT], replicas: Sequence[int]
    ) -> Loader[SampleT, BatchT]:
        prepared, data, seed = self.prepared, self.prepared.data, self.prepared.model.seed
        epochs, accumulate = prepared.epochs, prepared.model.accumulate
        orders = [
            Order(
                len(prepared.trained), seed, replica, data.replicas, data.batch,
                epochs.first_step * accumulate, epochs.first_epoch,
            )
            for replica in replicas
        ]  # fmt: skip
        return Loader(
            stage.reader(prepared.model, data.background == "stored"),
            prepared.trained,
            SharedOrder(tuple(orders), accumulate),
            AugmentationSampler(seed, prepared.pool, jitter=data.augment),
            workers=prepared.run.workers,
            max_bad_samples=data.max_bad_samples,
        )


def _train(request: TrainRequest, *, only_check: bool) -> None:
    """Train on this rank, or say how far the training is."""
    prepared = prepare_run(request)
    if only_check:
        _answer(describe_status(prepared.run))
        return
    _limit_threads(prepared.data.replicas)
    device = choose_device(prepared.run.device)
    with storage_errors(prepared.run.folder), join_ranks(device) as ranks:
        STAGES[prepared.model.stage].apply(Training(prepared, ranks, request.profile))


def _predict(request: TrainRequest, *, only_check: bool) -> None:
    """Predict this rank's share of what a data set lacks, or say how much is done."""
    prediction = prepare_prediction(request)
    if only_check:
        _answer(describe_prediction(prediction))
        return
    with storage_errors(Path(request.out)):
        predict(prediction)


def _answer(status: dict[str, int | bool]) -> None:
    print(json.dumps(status), flush=True)  # noqa: T201 - its answer


def _refuse(error: ScanmillError, code: int) -> int:
    """Say the error in one line; what every rank knows is said by the first alone.

    What the machine did to a run (a store that fell silent, say) may be over when it is repeated.
    """
    if this_rank() == 0 or not isinstance(error, RequestError):
        word = "failed" if error.kind == "environment" else "error"
        print(f"{word}: {error}", file=sys.stderr, flush=True)  # noqa: T201 - a program's last word
    return code


def _say_idle(world: int, replicas: int) -> None:
    """Say how many processes have nothing to train."""
    if world > replicas:
        print(  # noqa: T201 - whoever started this program reads along
            f"{world - replicas} of {world} processes have no share of a step: this training began "
            f"with {replicas} replicas; give --replicas when a training begins", flush=True,
        )  # fmt: skip


def _limit_threads(replicas: int) -> None:
    """Share the cores of this machine among the ranks that train, or the replicas if more.

    Sums depend on the number of threads in their last bit, from which trainings part in a few
    steps; so on one machine it is the same for however many ranks share the replicas.
    """
    cores, ranks_here = len(os.sched_getaffinity(0)), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    shares = max(1, replicas // max(1, this_world() // ranks_here))
    some_idle = this_world() > replicas
    torch.set_num_threads(max(1, cores // (shares if some_idle else max(ranks_here, shares))))


if __name__ == "__main__":
    sys.exit(main())
