"""People of our own: what `scanmill synth` and the demo ask the generator for."""

import os
from collections.abc import Callable
from pathlib import Path

from flows.run_requests import MadePeople, SynthRequest
from tasks.synth.writer import write_synthetic_root


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
