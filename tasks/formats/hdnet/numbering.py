"""Seven-digit numbers for the frames of several videos, so that no two share one.

The first video keeps its numbers; each other begins at the next multiple of 10,000 that is free.
Distances between frames of one video stay what they were. Source: docs/hdnet-dataset.md.
"""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from schemas.errors import RequestError
from tasks.formats.hdnet.hdnet_layout import HIGHEST_NUMBER

RANGE_STEP = 10_000
Key = TypeVar("Key")


def choose_shifts(videos: Mapping[Key, Sequence[int]]) -> dict[Key, int]:
    """Return what to add to the frame numbers of each video, in the order given.

    videos: their frame numbers, ascending, none empty.
    Raises RequestError naming the video that seven digits can't hold.
    """
    shifts: dict[Key, int] = {}
    free = 0
    for key, numbers in videos.items():
        first, last = numbers[0], numbers[-1]
        is_kept = not shifts and last <= HIGHEST_NUMBER
        shifts[key] = 0 if is_kept else free - first
        highest = last + shifts[key]
        if highest > HIGHEST_NUMBER:
            raise RequestError(
                str(key),
                found=f"frame numbers up to {highest} after {len(shifts) - 1} other videos",
                expected=f"at most {HIGHEST_NUMBER}: the published names have seven digits",
                hint="Export fewer videos at once, or number the frames of this one densely.",
            )
        free = (highest // RANGE_STEP + 1) * RANGE_STEP
    return shifts
