"""The settings of a training run, resolved: no value is left to a default. Frozen.

Model and data settings decide the weights: a resume with others is refused. Run settings (folder,
number of steps, checkpoints, workers) may change between runs. What the options mean, and their
ranges, are declared once in `schemas.train_options`; here is what is stored of them, under which
names, and what records mean that were written before an option came.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Never

from pydantic import BaseModel, ConfigDict, model_validator

from schemas.train_options import (
    DataOptions,
    ModelOptions,
    PlaceOptions,
    RunOptions,
    StageOptions,
)

STORED_NAMES: Mapping[str, str] = {
    "split": "splits", "val_split": "val_splits", "replicas": "world", "weights_digest": "init",
}  # fmt: skip
"""Fields that records have always had under another name than the option's."""


def stored_name(field: str) -> str:
    """Return the name of a field in stored records."""
    return STORED_NAMES.get(field, field)


class Stored(BaseModel):
    """A part of a stored record. What it lacks has a meaning of its own, never a default."""

    model_config = ConfigDict(
        alias_generator=stored_name, validate_by_name=True, validate_by_alias=True,
        serialize_by_alias=True, validate_default=True,
    )  # fmt: skip

    meant_without: ClassVar[Mapping[str, object]] = {}
    """By field: what a record that lacks it was made with."""

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: object) -> object:
        if not isinstance(values, dict):
            return values
        lacking = {
            name: value
            for name, value in cls.meant_without.items()
            if name not in values and stored_name(name) not in values
        }
        return {**lacking, **values}


class ModelSettings(ModelOptions[Never], StageOptions, Stored):
    """What is trained, and by which rule."""

    meant_without: ClassVar[Mapping[str, object]] = {
        "width": 1.0, "nets": "all", "heads": "published", "normal_loss": "published",
        "depth_loss": "published", "refinement": "published", "depth_gradient": "published",
        "mask_loss": "single_sigmoid", "depth_normals": "masked", "frozen_norm": "batch",
        "occupancy": "crop", "precision": "fp32", "learning_rate": 1e-4, "epsilon": 1e-8,
        "adam": "pytorch", "schedule": "published", "steps_per_epoch": None, "accumulate": 1,
        "seed": 0, "weights_digest": None,
    }  # fmt: skip

    weights_digest: str | None = None
    """Of the weights started from."""


class DataSettings(DataOptions[Never], Stored):
    """Which samples are seen, in which order and how changed."""

    meant_without: ClassVar[Mapping[str, object]] = {
        "split": ("train",), "val_split": ("val",), "batch": 1, "replicas": 1, "augment": True,
        "background": "stored", "max_bad_samples": 0,
    }  # fmt: skip

    digest: str
    """Of the shards' hashes."""
    augment: bool
    """Jitter of colours; new backgrounds."""


class RunSettings(RunOptions[Never], PlaceOptions, Stored):
    """Where the run writes, how long it runs, and how it uses the machine.

    What a record lacks of these is as in a new request: nothing that is resumed depends on it.
    """

    @property
    def folder(self) -> Path:
        """Return where the run writes."""
        return Path(self.out)
