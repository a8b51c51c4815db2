"""The settings of a training run. Frozen; unknown keys are refused.

Model and data settings decide the weights: a resume with others is refused. Run settings (folder,
number of steps, checkpoints, workers) may change between runs.
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from training.hdnet.hourglass_losses import DepthNormals
from training.twok2k.person_losses import MaskLossForm
from training.twok2k.person_nets import FrozenNorm, Heads, Nets

StageName = Literal["2k2k-normal", "2k2k-depth", "hdnet-normal", "hdnet-depth"]
BackgroundMode = Literal["stored", "fresh", "black"]
Precision = Literal["fp32", "bf16"]
Schedule = Literal["published", "constant"]

RESOLUTION_MULTIPLE = 128


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(_Settings):
    """What is trained, and by which rule."""

    stage: StageName
    resolution: int = Field(ge=256, multiple_of=RESOLUTION_MULTIPLE, description="pixels a side")
    width: float = Field(default=1.0, gt=0, le=4, description="factor on all inner channels")
    nets: Nets = Field(default="all", description="coarse: without the five part nets")
    heads: Heads = Field(
        default="published",
        description="how the last convolutions begin; centred: where ReLU passes their gradient",
    )
    mask_loss: MaskLossForm = Field(
        default="single_sigmoid", description="published: a second sigmoid on top of the first"
    )
    depth_normals: DepthNormals = Field(
        default="masked",
        description="hdnet-depth: masked: without the mask's border; in_place: and where the "
        "person stood instead of at 4 m; published: with the border",
    )
    frozen_norm: FrozenNorm = Field(
        default="batch", description="phase 2: batch statistics (published) or running averages"
    )
    precision: Precision = Field(default="fp32", description="bf16: autocast")
    learning_rate: float = Field(default=1e-4, gt=0, description="Adam; at the start")
    schedule: Schedule = Field(default="published", description="constant: no warm-up, no decay")
    steps_per_epoch: int | None = Field(
        default=None, ge=1, description="for the schedule; null: from the size of the data"
    )
    accumulate: int = Field(default=1, ge=1, description="batches a step")
    seed: int = Field(default=0, ge=0, description="seed of weights, order and augmentation")
    init: str | None = Field(default=None, description="digest of the weights started from")


class DataSettings(_Settings):
    """Which samples are seen, in which order and how changed."""

    digest: str = Field(description="of the shards' hashes")
    splits: tuple[str, ...] = Field(default=("train",), description="trained on")
    val_splits: tuple[str, ...] = Field(default=("val",), description="validated on")
    batch: int = Field(default=1, ge=1, description="samples a rank and step")
    world: int = Field(default=1, ge=1, description="ranks: part of the order of samples")
    augment: bool = Field(default=True, description="jitter of colours; new backgrounds")
    background: BackgroundMode = Field(
        default="stored",
        description="fresh: drawn again each epoch from the data set's list; stored: as rendered",
    )
    max_bad_samples: int = Field(
        default=0, ge=0, description="undecodable samples replaced by the next before stopping"
    )


class RunSettings(_Settings):
    """Where the run writes, how long it runs, and how it uses the machine."""

    out: Path
    data: tuple[str, ...] = Field(min_length=1, description="data sets")
    backgrounds: Path | None = Field(default=None, description="root of the background list")
    steps: int = Field(ge=1, description="optimiser steps in all, earlier runs included")
    save_every: int = Field(ge=1, description="steps between checkpoints")
    keep: int = Field(default=3, ge=1, description="checkpoints kept besides the best")
    validate_every: int = Field(ge=1, description="steps between validations")
    max_val_samples: int = Field(default=64, ge=1, description="samples of a validation")
    picture_every: int = Field(default=100, ge=1, description="steps between sample images")
    workers: int = Field(default=2, ge=1, description="decoding threads a rank")
    device: Literal["auto", "cpu", "cuda"] = "auto"
    compile: bool = Field(default=False, description="torch.compile the model")
    recompute: bool = Field(default=False, description="recompute activations: memory for time")
