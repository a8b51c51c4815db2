"""The words of the training program: `python -m training.run STAGE ...`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.train_request import TrainRequest, read_request
from training.stages import STAGES

DESCRIPTION = """Train one stage on the samples of data sets, on this rank of its world.

Without torchrun there is one rank. Exit codes: 0 done, 1 the training failed, 2 the request is
wrong.
"""

EXAMPLES = """examples:
  python -m training.run 2k2k-normal --data DATA --out RUN --steps 20 --nets coarse
  python -m torch.distributed.run --standalone --nproc_per_node=2 -m training.run \\
      2k2k-normal --data DATA --out RUN --epochs 20
  python -m training.run 2k2k-depth --data DATA --out RUN2 --init RUN --epochs 20
"""


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the training program."""
    parser = argparse.ArgumentParser(
        prog="training.run", description=DESCRIPTION, epilog=EXAMPLES,
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
    add("--no-augment", action="store_true", help="no jitter, stored images as they are")
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


def read_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the words, or the request that another program hands over: --request JSON|FILE.

    The request is a schemas.train_request.TrainRequest. Raises RequestError for anything else.
    """
    words = sys.argv[1:] if arguments is None else arguments
    if "--request" not in words:
        return make_parser().parse_args(words)
    parser = argparse.ArgumentParser(prog="training.run")
    parser.add_argument("--request", required=True, metavar="JSON|FILE")
    parser.add_argument("--check", action="store_true")
    given = parser.parse_args(words)
    request = read_request(given.request)
    fields = {name: getattr(request, name) for name in TrainRequest.model_fields}
    rooms = request.backgrounds and Path(request.backgrounds)
    paths = {"out": Path(request.out), "backgrounds": rooms, "data": list(request.data)}
    return argparse.Namespace(**(fields | paths), check=given.check)
