"""People of our own: what `scanmill synth` and the demo ask the generator for."""

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from tasks.synth.writer import write_synthetic_root

BACKGROUNDS_FOLDER = "IndoorCVPR09"
"""Where the published layout keeps background pictures. Source: 2k2k-dataset.md, Input folders."""


class SynthRequest(BaseModel):
    """All of `scanmill synth`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str = Field(description="data root to make or to fill up")
    subjects: int = Field(default=4, ge=1)
    backgrounds: int = Field(default=8, ge=0, description="rooms")
    texture: int = Field(default=2048, ge=64, description="texels a side")
    seed: int = Field(default=0, ge=0)
    workers: int | None = Field(default=None, ge=1, description="processes; none: one a core")


class MadePeople(BaseModel):
    """What stands in the data root now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    people: tuple[str, ...]


def make_people(request: SynthRequest, *, on_item: Callable[[str], None]) -> MadePeople:
    """Make the people and rooms that are not there yet; on_item: told each one made."""
    people = write_synthetic_root(
        Path(request.out),
        subjects=request.subjects,
        seed=request.seed,
        texture_size=request.texture,
        backgrounds=request.backgrounds,
        workers=request.workers or os.cpu_count() or 1,
        progress=on_item,
    )
    return MadePeople(data=request.out, people=people)
