"""People of our own: what `scanmill synth` and the demo ask the generator for."""

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from people.video_writer import write_synthetic_videos
from people.writer import write_synthetic_root
from schemas.output_folder import output_folder
from schemas.requests import SynthRequest
from schemas.spawned_pool import spawned_pool


class MadePeople(BaseModel):
    """What the data root holds now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    people: tuple[str, ...]
    videos: tuple[str, ...] = ()


def make_people(request: SynthRequest, *, on_item: Callable[[str], None]) -> MadePeople:
    """Make the people and rooms that are missing; on_item: called with each one made."""
    with output_folder(request.out) as out:
        return _make_in(out, request, on_item)


def _make_in(out: Path, request: SynthRequest, on_item: Callable[[str], None]) -> MadePeople:
    people = write_synthetic_root(
        out,
        subjects=request.subjects,
        seed=request.seed,
        texture_size=request.texture,
        dataset=request.dataset,
        detail=request.detail,
        figures=request.figures,
        raw=request.raw,
        backgrounds=request.backgrounds,
        workers=request.workers or os.cpu_count() or 1,
        progress=on_item,
    )
    return MadePeople(data=request.out, people=people, videos=make_videos(request, out))


def make_videos(request: SynthRequest, out: Path) -> tuple[str, ...]:
    """Make the dances that are missing, in a process of its own: drawing stays out of ours.

    Returns their names.
    """
    if not request.videos:
        return ()
    with spawned_pool(1) as pool:
        made = pool.submit(
            write_synthetic_videos,
            out,
            videos=request.videos,
            frames=request.frames,
            seed=request.seed,
            figures=request.figures,
        )
        return made.result()
