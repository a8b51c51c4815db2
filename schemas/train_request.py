"""What a training is asked to do: read by the command line, Prefect and the training program.

The fields are the options of `scanmill train`. Where the default depends on the stage, it is a row
of PUBLISHED; where it depends on the data, the field is null and its option says which value holds.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field

from schemas.errors import RequestError
from schemas.options import Shown
from schemas.request_base import Request, make_request
from schemas.train_forms import (
    BEGUN_BEFORE,
    DEPTH,
    FORMS,
    MEANINGLESS,
    NORMAL,
    PREDICT,
    PREDICT_OPTIONS,
    PUBLISHED,
    AdamRule,
    BackgroundMode,
    DepthGradient,
    DepthLossForm,
    DepthNormals,
    DeviceChoice,
    FrozenNorm,
    Heads,
    MaskLossForm,
    Nets,
    NormalLossForm,
    Occupancy,
    Precision,
    Refinement,
    Schedule,
    StageName,
)
from schemas.wording import shorten

RESOLUTION_MULTIPLE = 128
MAX_PORT = 65535
_MEETING = re.compile(r"^(?P<host>[^\s:]+|\[[^\s\]]+\]):(?P<port>\d{1,5})$")


def _by_stage(name: str) -> str:
    """Write the published values of an option: `2k2k 1, hdnet 8, hdnet-video 1`."""
    values: dict[str, object] = {}
    for stage, row in PUBLISHED.items():
        value = getattr(row, name)
        if values.setdefault(stage.split("-")[0], value) != value:
            values[stage] = value
    return ", ".join(f"{who} {value}" for who, value in values.items())


def _by_form(name: str) -> Shown:
    """Write what holds where a form is not named: that of new trainings."""
    new = {forms[name] for forms in FORMS.values() if name in forms}
    return Shown(unset=f"{', '.join(sorted(new))}; a resumed training's own")


class ModelOptions(Request):
    """What is trained, and by which rule: these decide the weights."""

    resolution: Annotated[int | None, Shown(unset="that of the data")] = Field(
        default=None, ge=256, multiple_of=RESOLUTION_MULTIPLE
    )
    """Pixels a side, a multiple of 128."""
    width: float = Field(default=1.0, gt=0, le=4)
    """Factor on all inner channels, for small machines."""
    nets: Nets = "all"
    """coarse: without the five part nets."""
    heads: Annotated[Heads | None, _by_form("heads")] = None
    """How the last convolutions begin. means: at what people's pixels hold on average. centred: in
    the middle of their range."""
    normal_loss: Annotated[NormalLossForm | None, _by_form("normal_loss")] = None
    """Of 2k2k-normal. masked: the person's pixels alone, or, of parts, the others a tenth."""
    depth_loss: Annotated[DepthLossForm | None, _by_form("depth_loss")] = None
    """masked: the person's pixels alone, steep down to small errors. published: all pixels."""
    refinement: Annotated[Refinement | None, _by_form("refinement")] = None
    """Of 2k2k-depth. residual: what is added to coarse depth and mask."""
    depth_gradient: Annotated[DepthGradient | None, _by_form("depth_gradient")] = None
    """Of 2k2k-normal. detached: coarse depth does not train the whole-image normal net."""
    mask_loss: Annotated[MaskLossForm | None, _by_form("mask_loss")] = None
    """published: a second sigmoid on top of the first."""
    depth_normals: Annotated[DepthNormals | None, _by_form("depth_normals")] = None
    """Of hdnet-depth and hdnet-video. from_depth: against normals made of true depth in the same
    way, at the person's distance. in_place: against rendered ones. masked: at 4 m. published: at
    4 m, with the mask's border."""
    frozen_norm: FrozenNorm = "batch"
    """Statistics of 2k2k-depth's frozen nets: of the batch (published), or running."""
    occupancy: Annotated[Occupancy | None, _by_form("occupancy")] = None
    """How much a part counts in 2k2k-depth's blended normals. published: less at its crop's edge
    and at the image's. crop: at its crop's alone."""
    precision: Precision = "fp32"
    """bf16: autocast."""
    learning_rate: Annotated[float | None, Shown(unset=_by_stage("learning_rate"))] = Field(
        default=None, gt=0
    )
    """Adam's, at the start."""
    epsilon: Annotated[float | None, Shown(unset=_by_stage("epsilon"))] = Field(default=None, gt=0)
    """Adam's."""
    adam: Annotated[AdamRule | None, Shown(unset=_by_stage("adam"))] = None
    """What epsilon is added to. tensorflow: the root of the uncorrected second moment."""
    schedule: Annotated[Schedule | None, Shown(unset=_by_stage("schedule"))] = None
    """Of the learning rate. constant: no warm-up, no decay."""
    steps_per_epoch: Annotated[int | None, Shown(unset="from the data")] = Field(default=None, ge=1)
    """For the schedule."""
    accumulate: int = Field(default=1, ge=1)
    """Passes whose gradients are added to a step."""
    seed: int = Field(default=0, ge=0)
    """Of weights, order and augmentation."""


class RunOptions(Request):
    """How long a training runs and how it uses the machine: these may change on a resume."""

    backgrounds: Annotated[str | None, Shown(metavar="DIR")] = None
    """Root of the data set's images, for --background fresh."""
    steps: int | None = Field(default=None, ge=1)
    """Optimiser steps in all, instead of --epochs."""
    save_every: Annotated[int | None, Shown(unset="an epoch, at least 100 steps")] = Field(
        default=None, ge=1
    )
    """Steps between checkpoints."""
    keep: int = Field(default=3, ge=1)
    """Checkpoints kept besides the best."""
    validate_every: Annotated[int | None, Shown(unset="an epoch, at least 100 steps")] = Field(
        default=None, ge=1
    )
    """Steps between validations."""
    max_val_samples: int = Field(default=64, ge=1)
    """Samples of a validation."""
    picture_every: int = Field(default=100, ge=1)
    """Steps between sample images."""
    workers: int = Field(default=2, ge=1)
    """Decoding threads a process."""
    device: DeviceChoice = "auto"
    """auto: GPUs where there are some."""
    compile: bool = False
    """Compile the nets: slow start, faster steps."""
    recompute: bool = False
    """Compute activations twice: less memory, as 2048 pixels need."""


class TrainOptions(RunOptions, ModelOptions):
    """How a stage is trained on one machine."""

    nproc: int = Field(default=1, ge=1)
    """Processes that train together on this machine; one a GPU."""
    max_restarts: int = Field(default=2, ge=0)
    """How often a training whose process died goes on from its last checkpoint."""
    epochs: Annotated[int | None, Shown(unset="as published")] = Field(default=None, ge=1)
    """Times that all samples are seen."""
    batch: Annotated[int | None, Shown(unset=_by_stage("batch"))] = Field(default=None, ge=1)
    """Samples a process and pass."""
    split: tuple[str, ...] = Field(default=("train",), min_length=1)
    """Trained on; may be repeated."""
    val_split: tuple[str, ...] = Field(default=("val",), min_length=1)
    """Validated on; may be repeated."""
    background: Annotated[
        BackgroundMode | None, Shown(unset="fresh with --backgrounds, else stored")
    ] = None
    """fresh: another room in each epoch (published). stored: as rendered."""
    replicas: Annotated[int | None, Shown(unset="the processes it begins with")] = Field(
        default=None, ge=1
    )
    """Parts of a step, each of --batch samples with its own batch statistics. Any number of
    processes shares them and takes the same steps."""
    take_new_data: bool = False
    """Go on with data sets that grew or changed since the training began, in a new epoch."""
    no_augment: bool = False
    """No jitter of colours."""
    published: bool = False
    """All forms as published, where the request names no other."""
    max_bad_samples: int = Field(default=0, ge=0)
    """Undecodable samples before stopping."""

    def check(self) -> None:
        """Refuse options that exclude each other; raises RequestError."""
        if self.steps is not None and self.epochs is not None:
            raise RequestError(
                "--steps", found=f"--epochs {self.epochs} beside it", expected="one of the two",
                hint="Leave one of them out.",
            )  # fmt: skip
        if self.background == "fresh" and self.backgrounds is None:
            raise RequestError(
                "--background fresh", found="no --backgrounds",
                expected="the folder of the data set's backgrounds",
                hint="Give --backgrounds, as to scanmill render.",
            )  # fmt: skip


class TrainRequest(TrainOptions):
    """All of `scanmill train`."""

    @property
    def trains(self) -> bool:
        """Say whether weights come out of the stage."""
        return self.stage != PREDICT

    stage: Annotated[StageName, Shown("STAGE", word="STAGE")] = Field(
        description=f"What is trained: {', '.join(get_args(StageName))}."
    )
    data: Annotated[tuple[str, ...], Shown(metavar="URI")] = Field(min_length=1)
    """Data set; may be repeated."""
    out: Annotated[str, Shown(metavar="DIR")] = Field(min_length=1)
    """Folder of the training run; across nodes one that all see."""
    init: Annotated[str | None, Shown(metavar="CHECKPOINT")] = None
    """Weights to start from: a run, a step folder, safetensors, a published file (2K2K's, or the
    prefix of a TensorFlow checkpoint of HDNet)."""
    nnodes: int = Field(default=1, ge=1)
    """Machines that train together."""
    node_rank: int = Field(default=0, ge=0)
    """Which of them this is; 0: that of --rdzv."""
    rdzv: Annotated[str | None, Shown(metavar="HOST:PORT")] = None
    """Where they meet: a free port of node 0."""

    @property
    def world(self) -> int:
        """Return the number of ranks on all nodes."""
        return self.nproc * self.nnodes

    @property
    def program(self) -> list[str]:
        """Return the arguments of the training program."""
        return ["--request", self.model_dump_json()]

    def check(self) -> None:
        """Refuse what excludes itself; raises RequestError naming the option at fault."""
        self._check_meaning()
        super().check()
        if self.stage in BEGUN_BEFORE and self.init is None:
            raise RequestError(
                "--init", found="none", expected=f"the weights of {BEGUN_BEFORE[self.stage]}",
                hint=f"Train {BEGUN_BEFORE[self.stage]} first, then give its folder as --init.",
            )  # fmt: skip
        if self.stage == DEPTH and (self.init is None or self.nets == "coarse"):
            raise RequestError(
                "--init" if self.init is None else "--nets",
                found="none" if self.init is None else "coarse",
                expected=f"all nets of {NORMAL}, trained: in {DEPTH} they stay frozen",
                hint=f"Train {NORMAL} with all nets first, then give its folder as --init.",
            )  # fmt: skip
        self._check_nodes()
        if self.replicas is not None and self.replicas < self.world:
            raise RequestError(
                "--replicas", found=f"{self.replicas} for {self.world} processes",
                expected="at least one for each process",
                hint=f"Give --replicas {self.world} or more, or fewer processes.",
            )  # fmt: skip

    def _check_meaning(self) -> None:
        fields = frozenset(type(self).model_fields)
        without = MEANINGLESS[self.stage] if self.trains else fields - PREDICT_OPTIONS
        for name in sorted(without):
            value = getattr(self, name)
            if value != type(self).model_fields[name].default:
                raise RequestError(
                    f"--{name.replace('_', '-')}", found=f"{value} for {self.stage}",
                    expected="no such option: this stage has nothing that it would change",
                    hint="Leave it out.",
                )  # fmt: skip

    def _check_nodes(self) -> None:
        if self.nnodes == 1 and (self.rdzv is not None or self.node_rank):
            raise RequestError(
                "--nnodes", found="1, with --rdzv or --node-rank",
                expected="the number of machines",
                hint="Give --nnodes N on each of them, or leave the other two out.",
            )  # fmt: skip
        if self.node_rank >= self.nnodes:
            raise RequestError(
                "--node-rank", found=str(self.node_rank),
                expected=f"0 to {self.nnodes - 1}, another one on each machine",
                hint="Count the machines from 0; the one of --rdzv is 0.",
            )  # fmt: skip
        if self.nnodes > 1:
            _check_meeting(self.rdzv)


def options_of_stage(stage: StageName, options: TrainOptions) -> dict[str, Any]:
    """Return the options that mean something in a stage, where they are meant for several."""
    given = options.model_dump()
    if stage == PREDICT:
        return {name: given[name] for name in given if name in PREDICT_OPTIONS}
    return {name: given[name] for name in given if name not in MEANINGLESS[stage]}


def read_request(text: str) -> TrainRequest:
    """Read what one program hands to another: JSON, or the path of a file that holds it.

    Raises RequestError naming the option at fault.
    """
    try:
        values = json.loads(text if text.lstrip().startswith("{") else Path(text).read_bytes())
    except (OSError, ValueError) as error:
        raise _no_request(shorten(str(error))) from error
    if not isinstance(values, dict):
        raise _no_request(f"a {type(values).__name__}")
    return make_request(TrainRequest, values)


def _no_request(found: str) -> RequestError:
    return RequestError(
        "--request", found=found, expected="a request to train, as JSON",
        hint="Start it with scanmill train, which writes the request.",
    )  # fmt: skip


def _check_meeting(place: str | None) -> None:
    found = _MEETING.match(place or "")
    if found is None or not 0 < int(found["port"]) <= MAX_PORT:
        raise RequestError(
            "--rdzv", found=repr(place) if place else "none",
            expected="HOST:PORT that every machine can reach, a free port of node 0",
            hint="Give the same one on each machine, as in --rdzv node0:29400.",
        )  # fmt: skip
