"""Which GPU each worker process of a pool on this machine draws on: one after the other in turn."""

import fcntl
import os
from io import FileIO
from pathlib import Path

from renderers.egl import VISIBLE
from renderers.egl_devices import EglDevice, list_devices, visible_gpus

_HELD: list[FileIO] = []
"""Places of this process; the system frees them when it ends, in whatever way."""


def pin_device(device: int | None, places: Path, workers: int) -> int | None:
    """Return the EGL device of this worker: device where it is given, else its share of the GPUs.

    places: folder that the workers share. None: there are fewer than two GPUs to share out.
    """
    if device is not None:
        return device
    return share_out(visible_gpus(list_devices(), os.environ.get(VISIBLE)), places, workers)


def share_out(gpus: tuple[EglDevice, ...], places: Path, workers: int) -> int | None:
    """Take a free place of this pool's, and return the EGL device that belongs to it."""
    if len(gpus) < 2:  # noqa: PLR2004 - one needs no sharing
        return None
    return gpus[take_place(places, workers) % len(gpus)].index


def take_place(places: Path, workers: int) -> int:
    """Take the first place that no other living process holds; workers: how many there are."""
    for number in range(workers):
        file = FileIO(places / f".place-{number}", "a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            continue
        _HELD.append(file)
        return number
    return 0
