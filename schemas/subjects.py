"""Facts about single subjects, as tables: turns, sizes, corrections of bad annotations."""

import tomllib
from functools import cache
from importlib import resources
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.scan import DatasetName


class SubjectPlacement(BaseModel):
    """What placement must know about single RenderPeople subjects, by item."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turn_deg: dict[str, float]
    scale: dict[str, float]


class JointCorrection(BaseModel):
    """One step of a correction; exactly one of the four ways is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    joints: tuple[int, ...] = Field(description="COCO-WholeBody numbers, which become known")
    at: tuple[float, float, float] | None = Field(default=None, description="mesh's own unit")
    copied: tuple[int, ...] = Field(default=(), alias="from", description="COCO-WholeBody numbers")
    from_smplx: tuple[int, ...] = Field(default=(), description="SMPL-X joint numbers")
    offset: tuple[float, float, float] = Field(default=(0, 0, 0), description="mesh's own unit")
    unknown: Literal[True, False] = False


@cache
def subject_placement() -> SubjectPlacement:
    """Read the table of turns and sizes."""
    return SubjectPlacement.model_validate(_read_table("subjects.toml"))


def joint_corrections(dataset: DatasetName, item: str) -> tuple[JointCorrection, ...]:
    """Return the corrections of one scan in their order; empty for almost every scan."""
    rows = _read_table("joint_corrections.toml").get(dataset, {}).get(item, [])
    return tuple(JointCorrection.model_validate(row) for row in rows)


@cache
def _read_table(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("schemas").joinpath(name).read_text(encoding="utf-8"))
