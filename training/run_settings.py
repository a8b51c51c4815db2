"""The settings of a training run, resolved: no value is left to a default. Frozen.

Model and data settings decide the weights: a resume with others is refused. Run settings (folder,
number of steps, checkpoints, workers) may change between runs. What the options mean, and their
ranges, are declared once in `schemas.train_request`.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from schemas.train_forms import (
    AdamRule,
    BackgroundMode,
    DepthGradient,
    DepthLossForm,
    DepthNormals,
    Heads,
    MaskLossForm,
    NormalLossForm,
    Occupancy,
    Refinement,
    Schedule,
    StageName,
)
from schemas.train_request import RESOLUTION_MULTIPLE, ModelOptions, RunOptions


class ModelSettings(ModelOptions):
    """What is trained, and by which rule.

    A form that a stored training does not name is the one it was trained with: the default here.
    """

    stage: StageName
    resolution: int = Field(ge=256, multiple_of=RESOLUTION_MULTIPLE, description="pixels a side")
    learning_rate: float = Field(default=1e-4, gt=0, description="Adam; at the start")
    epsilon: float = Field(default=1e-8, gt=0, description="Adam's")
    adam: AdamRule = "pytorch"
    schedule: Schedule = "published"
    heads: Heads = "published"
    normal_loss: NormalLossForm = "published"
    depth_loss: DepthLossForm = "published"
    depth_gradient: DepthGradient = "published"
    mask_loss: MaskLossForm = "single_sigmoid"
    depth_normals: DepthNormals = "masked"
    refinement: Refinement = "published"
    occupancy: Occupancy = "crop"
    init: str | None = Field(default=None, description="digest of the weights started from")


class DataSettings(BaseModel):
    """Which samples are seen, in which order and how changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field(description="of the shards' hashes")
    splits: tuple[str, ...] = Field(default=("train",), description="trained on")
    val_splits: tuple[str, ...] = Field(default=("val",), description="validated on")
    batch: int = Field(default=1, ge=1, description="samples a replica and pass")
    world: int = Field(default=1, ge=1, description="replicas: part of the order of samples")
    augment: bool = Field(default=True, description="jitter of colours; new backgrounds")
    background: BackgroundMode = Field(
        default="stored",
        description="fresh: drawn again each epoch from the data set's list; stored: as rendered",
    )
    max_bad_samples: int = Field(
        default=0, ge=0, description="undecodable samples replaced by the next before stopping"
    )


class RunSettings(RunOptions):
    """Where the run writes, how long it runs, and how it uses the machine."""

    out: Path
    data: tuple[str, ...] = Field(min_length=1, description="data sets")
    steps: int = Field(ge=1, description="optimiser steps in all, earlier runs included")
    save_every: int = Field(ge=1, description="steps between checkpoints")
    validate_every: int = Field(ge=1, description="steps between validations")
