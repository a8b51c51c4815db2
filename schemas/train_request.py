"""What a training is asked to do: read by the command line, Prefect and the training program.

The fields are the options of `scanmill train`; those that decide the weights, and those that a run
records, are declared in `schemas.train_options`. Where the default depends on the stage, it is a
row of PUBLISHED; where it depends on the data, the field is null and its option says what holds.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from schemas.errors import RequestError
from schemas.options import Shown
from schemas.request_base import make_request
from schemas.train_forms import (
    BEGUN_BEFORE,
    DEPTH,
    MEANINGLESS,
    NORMAL,
    PREDICT,
    PREDICT_OPTIONS,
    StageName,
)
from schemas.train_options import (
    DataOptions,
    ModelOptions,
    PlaceOptions,
    RunOptions,
    StageOptions,
)
from schemas.wording import shorten

MAX_PORT = 65535
_MEETING = re.compile(r"^(?P<host>[^\s:]+|\[[^\s\]]+\]):(?P<port>\d{1,5})$")


class TrainOptions(DataOptions[None], RunOptions[None], ModelOptions[None]):
    """How a stage is trained on one machine."""

    nproc: int = Field(default=1, ge=1)
    """Processes that train together on this machine; one a GPU."""
    max_restarts: int = Field(default=2, ge=0)
    """How often a training whose process died goes on from its last checkpoint."""
    epochs: Annotated[int | None, Shown(unset="as published")] = Field(default=None, ge=1)
    """Times that all samples are seen."""
    take_new_data: bool = False
    """Go on with data sets that grew or changed since the training began, in a new epoch."""
    no_augment: bool = False
    """No jitter of colours."""
    profile: bool = False
    """Say at the end where the time and memory of the steps went; slower on a GPU."""
    published: bool = False
    """All forms as published, where the request names no other."""

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


class TrainRequest(TrainOptions, PlaceOptions, StageOptions):
    """All of `scanmill train`."""

    @property
    def trains(self) -> bool:
        """Say whether weights come out of the stage."""
        return self.stage != PREDICT

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
