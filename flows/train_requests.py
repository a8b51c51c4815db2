"""What a training is asked to do, and whether that can be: checked without Prefect and torch.

The command line, a schedule and the Prefect page all fill the same values. Options that the
training program takes are None here where its own default holds.
"""

import re
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import RequestError

StageName = Literal["2k2k-normal", "2k2k-depth", "hdnet-normal", "hdnet-depth"]
NORMAL: Final = "2k2k-normal"
DEPTH: Final = "2k2k-depth"
RESOLUTION_MULTIPLE = 128
HIGHEST_PORT = 65535
_MEETING = re.compile(r"^(?P<host>[^\s:]+|\[[^\s\]]+\]):(?P<port>\d{1,5})$")


class TrainOptions(BaseModel):
    """How a stage is trained on one machine: each field is an option of the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    nproc: int = Field(
        default=1, ge=1, description="Processes that train together on this machine; one a GPU."
    )
    max_restarts: int = Field(
        default=2,
        ge=0,
        description="How often a training whose process died goes on from its last checkpoint.",
    )
    resolution: int | None = Field(
        default=None, ge=256, multiple_of=RESOLUTION_MULTIPLE,
        description="Pixels a side, a multiple of 128.  [default: that of the data]",
    )  # fmt: skip
    epochs: int | None = Field(
        default=None, ge=1, description="Times that all samples are seen.  [default: as published]"
    )
    steps: int | None = Field(
        default=None, ge=1, description="Optimiser steps in all, instead of --epochs."
    )
    batch: int | None = Field(
        default=None, ge=1, description="Samples a process and pass.  [default: 2k2k 1, hdnet 8]"
    )
    accumulate: int | None = Field(
        default=None, ge=1, description="Passes whose gradients are added to a step.  [default: 1]"
    )
    precision: Literal["fp32", "bf16"] | None = Field(
        default=None, description="bf16: autocast.  [default: fp32]"
    )
    compile: bool = Field(default=False, description="Compile the nets: slow start, faster steps.")
    recompute: bool = Field(
        default=False, description="Compute activations twice: less memory, as 2048 pixels need."
    )
    device: Literal["auto", "cpu", "cuda"] | None = Field(
        default=None, description="auto: GPUs where there are some.  [default: auto]"
    )
    width: float | None = Field(
        default=None, gt=0, le=4,
        description="Factor on all inner channels, for small machines.  [default: 1.0]",
    )  # fmt: skip
    nets: Literal["all", "coarse"] | None = Field(
        default=None, description="coarse: without the five part nets.  [default: all]"
    )
    heads: Literal["published", "centred"] | None = Field(
        default=None, description="centred: short trainings learn.  [default: published]"
    )
    mask_loss: Literal["single_sigmoid", "published"] | None = Field(
        default=None, description="published: a second sigmoid.  [default: single_sigmoid]"
    )
    frozen_norm: Literal["batch", "running"] | None = Field(
        default=None, description="Statistics of 2k2k-depth's frozen nets.  [default: batch]"
    )
    depth_normals: Literal["masked", "in_place", "published"] | None = Field(
        default=None,
        description="Of hdnet-depth. in_place: at the true distance.  [default: masked]",
    )
    learning_rate: float | None = Field(
        default=None, gt=0,
        description="Adam's, at the start.  [default: 2k2k 0.0001, hdnet 0.001]",
    )  # fmt: skip
    schedule: Literal["published", "constant"] | None = Field(
        default=None, description="Of the learning rate.  [default: 2k2k published, else constant]"
    )
    steps_per_epoch: int | None = Field(
        default=None, ge=1, description="For the schedule.  [default: from the data]"
    )
    seed: int | None = Field(
        default=None, ge=0, description="Of weights, order and augmentation.  [default: 0]"
    )
    split: tuple[str, ...] = Field(
        default=(), description="Trained on; may be repeated.  [default: train]"
    )
    val_split: tuple[str, ...] = Field(
        default=(), description="Validated on; may be repeated.  [default: val]"
    )
    background: Literal["stored", "fresh", "black"] | None = Field(
        default=None, description="fresh: another room in each epoch.  [default: stored]"
    )
    backgrounds: str | None = Field(
        default=None, description="Root of the data set's images, for --background fresh."
    )
    no_augment: bool = Field(default=False, description="No jitter of colours.")
    max_bad_samples: int | None = Field(
        default=None, ge=0, description="Undecodable samples before stopping.  [default: 0]"
    )
    save_every: int | None = Field(
        default=None,
        ge=1,
        description="Steps between checkpoints.  [default: an epoch, at least 100 steps]",
    )
    keep: int | None = Field(
        default=None, ge=1, description="Checkpoints kept besides the best.  [default: 3]"
    )
    validate_every: int | None = Field(
        default=None, ge=1, description="Steps between validations.  [default: as --save-every]"
    )
    max_val_samples: int | None = Field(
        default=None, ge=1, description="Samples of a validation.  [default: 64]"
    )
    picture_every: int | None = Field(
        default=None, ge=1, description="Steps between sample images.  [default: 100]"
    )
    workers: int | None = Field(
        default=None, ge=1, description="Decoding threads a process.  [default: 2]"
    )


OURS = frozenset({"nproc", "max_restarts"})
"""Options of the launch, not of the training program."""


class TrainRequest(TrainOptions):
    """All of `scanmill train`."""

    stage: StageName = Field(description="what is trained")
    data: tuple[str, ...] = Field(min_length=1, description="data sets")
    out: str = Field(description="folder of the training run; across nodes one that all see")
    init: str | None = Field(default=None, description="weights to start from")
    nnodes: int = Field(default=1, ge=1, description="machines that train together")
    node_rank: int = Field(default=0, ge=0, description="which of them this one is; 0: the meeting")
    rdzv: str | None = Field(default=None, description="HOST:PORT of node 0, where they meet")

    @property
    def world(self) -> int:
        """Return the number of ranks on all nodes."""
        return self.nproc * self.nnodes

    @property
    def program(self) -> list[str]:
        """Return the arguments of the training program."""
        start = ["--init", self.init] if self.init else []
        where = [self.stage, "--data", *self.data, "--out", self.out, *start]
        return where + program_options(self)


class TrainSummary(BaseModel):
    """What came out of a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    out: str
    steps: int
    worked: bool = Field(description="false: all steps were done already")
    restarts: int = Field(description="how often it went on after a process had died")
    first_loss: float = Field(description="mean over the first tenth of the steps")
    last_loss: float = Field(description="mean over the last tenth of the steps")
    validation: dict[str, float] = Field(description="measures of the last validation")
    curve: str = Field(description="path of the image of the losses")
    seconds: float


def program_options(options: TrainOptions) -> list[str]:
    """Write the options that differ from the training program's defaults as it takes them."""
    words: list[str] = []
    for name in TrainOptions.model_fields:
        value = getattr(options, name)
        if name in OURS or value is None or value is False or value == ():
            continue
        words.append("--" + name.replace("_", "-"))
        if value is not True:
            words += [str(one) for one in value] if isinstance(value, tuple) else [str(value)]
    return words


def check_train(request: TrainRequest) -> None:
    """Refuse what excludes itself; raises RequestError naming the option at fault."""
    check_options(request)
    if request.stage == DEPTH and (request.init is None or request.nets == "coarse"):
        raise RequestError(
            "--init" if request.init is None else "--nets",
            found="none" if request.init is None else "coarse",
            expected=f"all nets of {NORMAL}, trained: in {DEPTH} they stay frozen",
            hint=f"Train {NORMAL} with all nets first, then give its folder as --init.",
        )  # fmt: skip
    _check_nodes(request)


def check_options(options: TrainOptions) -> None:
    """Refuse options that exclude each other; raises RequestError."""
    if options.steps is not None and options.epochs is not None:
        raise RequestError(
            "--steps", found=f"--epochs {options.epochs} beside it", expected="one of the two",
            hint="Leave one of them out.",
        )  # fmt: skip
    if options.background == "fresh" and options.backgrounds is None:
        raise RequestError(
            "--background fresh", found="no --backgrounds",
            expected="the folder that the data set's backgrounds stand in",
            hint="Give --backgrounds, as to scanmill render.",
        )  # fmt: skip


def _check_nodes(request: TrainRequest) -> None:
    if request.nnodes == 1 and (request.rdzv is not None or request.node_rank):
        raise RequestError(
            "--nnodes", found="1, with --rdzv or --node-rank", expected="the number of machines",
            hint="Give --nnodes N on each of them, or leave the other two out.",
        )  # fmt: skip
    if request.node_rank >= request.nnodes:
        raise RequestError(
            "--node-rank", found=str(request.node_rank),
            expected=f"0 to {request.nnodes - 1}, another one on each machine",
            hint="Count the machines from 0; the one of --rdzv is 0.",
        )  # fmt: skip
    if request.nnodes > 1:
        _check_meeting(request.rdzv)


def _check_meeting(place: str | None) -> None:
    found = _MEETING.match(place or "")
    if found is None or not 0 < int(found["port"]) <= HIGHEST_PORT:
        raise RequestError(
            "--rdzv", found=repr(place) if place else "none",
            expected="HOST:PORT that every machine can reach, a free port of node 0",
            hint="Give the same one on each machine, as in --rdzv node0:29400.",
        )  # fmt: skip
