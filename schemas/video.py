"""Which video is meant, before anything of it is read."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class VideoRef(BaseModel):
    """One sequence of frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    video: str = Field(min_length=1, description="name of its folder")
    folder: str = Field(description="below the data root, forward slashes; . for the root itself")
    split: Literal["train", "val", "test"]
    layout: Literal["sequence", "published"] = Field(
        default="sequence", description="a folder of frames, or part of a published HDNet set"
    )
