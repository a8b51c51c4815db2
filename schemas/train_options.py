"""The options of a training, each declared once: type, choices, limits, meaning, default.

Requests and the stored record of a run (`training.run_settings`) are made of these classes. Where
the value depends on the stage or on the data, the type is `Value | Unset`: requests have None as
Unset, a value that is not given; records have Never, for they hold what the run took.
"""

from typing import Annotated, Any, Generic, TypeVar, get_args

from pydantic import Field

from schemas.options import Shown
from schemas.request_base import Request
from schemas.train_forms import (
    FORMS,
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

RESOLUTION_MULTIPLE = 128
Unset = TypeVar("Unset")
NOT_GIVEN: Any = None
"""The default of what a request need not give and a record always has."""


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


class StageOptions(Request):
    """Which stage it is."""

    stage: Annotated[StageName, Shown("STAGE", word="STAGE")] = Field(
        description=f"What is trained: {', '.join(get_args(StageName))}."
    )


class PlaceOptions(Request):
    """What a training reads and where it writes."""

    data: Annotated[tuple[str, ...], Shown(metavar="URI")] = Field(min_length=1)
    """Data set; may be repeated."""
    out: Annotated[str, Shown(metavar="DIR")] = Field(min_length=1)
    """Folder of the training run; across nodes one that all see."""


class ModelOptions(Request, Generic[Unset]):
    """What is trained, and by which rule: these decide the weights."""

    resolution: Annotated[int | Unset, Shown(unset="that of the data")] = Field(
        default=NOT_GIVEN, ge=256, multiple_of=RESOLUTION_MULTIPLE
    )
    """Pixels a side, a multiple of 128."""
    width: float = Field(default=1.0, gt=0, le=4)
    """Factor on all inner channels, for small machines."""
    nets: Nets = "all"
    """coarse: without the five part nets."""
    heads: Annotated[Heads | Unset, _by_form("heads")] = NOT_GIVEN
    """How the last convolutions begin. means: at what people's pixels hold on average. centred: in
    the middle of their range."""
    normal_loss: Annotated[NormalLossForm | Unset, _by_form("normal_loss")] = NOT_GIVEN
    """Of 2k2k-normal. masked: the person's pixels alone, or, of parts, the others a tenth."""
    depth_loss: Annotated[DepthLossForm | Unset, _by_form("depth_loss")] = NOT_GIVEN
    """masked: the person's pixels alone, steep down to small errors. published: all pixels."""
    refinement: Annotated[Refinement | Unset, _by_form("refinement")] = NOT_GIVEN
    """Of 2k2k-depth. residual: what is added to coarse depth and mask."""
    depth_gradient: Annotated[DepthGradient | Unset, _by_form("depth_gradient")] = NOT_GIVEN
    """Of 2k2k-normal. detached: coarse depth does not train the whole-image normal net."""
    mask_loss: Annotated[MaskLossForm | Unset, _by_form("mask_loss")] = NOT_GIVEN
    """published: a second sigmoid on top of the first."""
    depth_normals: Annotated[DepthNormals | Unset, _by_form("depth_normals")] = NOT_GIVEN
    """Of hdnet-depth and hdnet-video. from_depth: against normals made of true depth in the same
    way, at the person's distance. in_place: against rendered ones. masked: at 4 m. published: at
    4 m, with the mask's border."""
    frozen_norm: FrozenNorm = "batch"
    """Statistics of 2k2k-depth's frozen nets: of the batch (published), or running."""
    occupancy: Annotated[Occupancy | Unset, _by_form("occupancy")] = NOT_GIVEN
    """How much a part counts in 2k2k-depth's blended normals. published: less at its crop's edge
    and at the image's. crop: at its crop's alone."""
    precision: Precision = "fp32"
    """bf16: autocast."""
    learning_rate: Annotated[float | Unset, Shown(unset=_by_stage("learning_rate"))] = Field(
        default=NOT_GIVEN, gt=0
    )
    """Adam's, at the start."""
    epsilon: Annotated[float | Unset, Shown(unset=_by_stage("epsilon"))] = Field(
        default=NOT_GIVEN, gt=0
    )
    """Adam's."""
    adam: Annotated[AdamRule | Unset, Shown(unset=_by_stage("adam"))] = NOT_GIVEN
    """What epsilon is added to. tensorflow: the root of the uncorrected second moment."""
    schedule: Annotated[Schedule | Unset, Shown(unset=_by_stage("schedule"))] = NOT_GIVEN
    """Of the learning rate. constant: no warm-up, no decay."""
    steps_per_epoch: Annotated[int | None, Shown(unset="from the data")] = Field(default=None, ge=1)
    """For the schedule."""
    accumulate: int = Field(default=1, ge=1)
    """Passes whose gradients are added to a step."""
    seed: int = Field(default=0, ge=0)
    """Of weights, order and augmentation."""


class DataOptions(Request, Generic[Unset]):
    """Which samples are seen, in which order and how changed: these decide the weights."""

    batch: Annotated[int | Unset, Shown(unset=_by_stage("batch"))] = Field(default=NOT_GIVEN, ge=1)
    """Samples a process and pass."""
    split: tuple[str, ...] = Field(default=("train",), min_length=1)
    """Trained on; may be repeated."""
    val_split: tuple[str, ...] = Field(default=("val",), min_length=1)
    """Validated on; may be repeated."""
    background: Annotated[
        BackgroundMode | Unset, Shown(unset="fresh with --backgrounds, else stored")
    ] = NOT_GIVEN
    """fresh: another room in each epoch (published). stored: as rendered."""
    replicas: Annotated[int | Unset, Shown(unset="the processes it begins with")] = Field(
        default=NOT_GIVEN, ge=1
    )
    """Parts of a step, each of --batch samples with its own batch statistics. Any number of
    processes shares them and takes the same steps."""
    max_bad_samples: int = Field(default=0, ge=0)
    """Undecodable samples before stopping."""


class RunOptions(Request, Generic[Unset]):
    """How long a training runs and how it uses the machine: these may change on a resume."""

    backgrounds: Annotated[str | None, Shown(metavar="DIR")] = None
    """Root of the data set's images, for --background fresh."""
    steps: int | Unset = Field(default=NOT_GIVEN, ge=1)
    """Optimiser steps in all, instead of --epochs."""
    save_every: Annotated[int | Unset, Shown(unset="an epoch, at least 100 steps")] = Field(
        default=NOT_GIVEN, ge=1
    )
    """Steps between checkpoints."""
    keep: int = Field(default=3, ge=1)
    """Checkpoints kept besides the best."""
    validate_every: Annotated[int | Unset, Shown(unset="an epoch, at least 100 steps")] = Field(
        default=NOT_GIVEN, ge=1
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
