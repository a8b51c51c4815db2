"""The settings of video pairs: what decides the bytes of frames and pairs, and nothing else."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.options import CONFIG, Shown

FRAME_SIDE_PX = 256
"""All images of the HDNet sets. Source: docs/hdnet-dataset.md."""

MAX_ROWS = 25_000
"""The published reader pads correspondence files to that length. Source: docs/hdnet-dataset.md."""

MAX_STRIDE = 1_000_000


class PairSettings(BaseModel):
    """Everything that frames and pairs depend on, besides their inputs and the code."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )

    reach: int = Field(default=12, ge=1, le=MAX_STRIDE)
    """Largest distance of a neighbour, frames."""
    step: int = Field(default=3, ge=1, le=MAX_STRIDE)
    """Neighbours are at multiples of it, frames."""
    policy: Literal["nearest", "overlap", "widest"] = "nearest"
    """Which neighbours come first: the nearest, those that share most matches, or the farthest
    that still overlap."""
    neighbours: int = Field(default=4, ge=1, le=64)
    """At most so many for a frame."""
    min_neighbours: int = Field(default=4, ge=1, le=64)
    """Frames with fewer are left out."""
    min_parts: int = Field(default=5, ge=1, le=24)
    """Parts that two frames must share to be neighbours."""
    min_shared: int = Field(default=50, ge=0)
    """A shared part has more than so many matches."""
    min_part_matches: int = Field(default=10, ge=1)
    """Parts with fewer matches are dropped."""
    max_distance: float = Field(default=7.0, gt=0, le=64)
    """Matches are nearer than that, UV units of 0..255."""
    max_rows: Annotated[int, CONFIG] = Field(default=MAX_ROWS, ge=24, le=MAX_ROWS)
    """Matches of one pair; more are thinned."""
    mutual: bool = False
    """Keep matches only when they are nearest both ways."""
    left_right_px: Annotated[float | None, Shown(unset="all matches")] = Field(default=None, ge=0)
    """Keep matches only when the way back ends within so many pixels."""
    crop: Literal["sequence", "frame"] = "sequence"
    """Frames that are not 256 x 256 pixels are cropped around the person: one window for the
    whole sequence, as one camera sees it, or one for each frame."""
    crop_fill: Annotated[float, CONFIG] = Field(default=0.9, gt=0, le=1)
    """Share of the crop that the person's box takes."""
    split_seed: int = Field(default=0, ge=0)
    """Seed of the train, val, test split."""

    @model_validator(mode="after")
    def _can_be_fulfilled(self) -> "PairSettings":
        if self.min_neighbours > self.neighbours:
            message = f"min_neighbours {self.min_neighbours} is more than {self.neighbours} wanted"
            raise ValueError(message)
        if self.step > self.reach:
            message = f"no multiple of step {self.step} lies within reach {self.reach}"
            raise ValueError(message)
        return self

    @property
    def strides(self) -> tuple[int, ...]:
        """List the distances of neighbours, nearest first; the later frame before the earlier."""
        distances = range(self.step, self.reach + 1, self.step)
        return tuple(stride for distance in distances for stride in (distance, -distance))
