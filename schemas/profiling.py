"""Where the time of a piece of work goes: named spans, in wall and processor seconds.

Spans cost a microsecond while nobody profiles, so that they stay where they are. A span's figures
are its own: what spans inside it took, in the same thread, is taken off. The threads in which
Mesa's software renderer draws count for the span that waits for them, by the kernel's account.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time, thread_time

from pydantic import BaseModel, ConfigDict

DRIVER = "driver's threads"
"""Name for what no span waited for of a software renderer's threads; it has no wall time."""

_DRIVER_THREADS = "llvmpipe"
_NANOSECOND = 1e-9


class Spent(BaseModel):
    """What the spans of one name took together: how often, wall and processor seconds.

    behind: of the wall seconds those in other threads than the one that is profiled.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    behind: float = 0.0

    def __add__(self, other: "Spent") -> "Spent":
        """Take both together."""
        return Spent(
            count=self.count + other.count, wall=self.wall + other.wall, cpu=self.cpu + other.cpu,
            behind=self.behind + other.behind,
        )  # fmt: skip


class ProfileTable(BaseModel):
    """Where the time of one or more profiled blocks went.

    wall, cpu: of the blocks, in seconds; what no span counted is theirs too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    wall: float
    cpu: float
    spent: dict[str, Spent]

    def __add__(self, other: "ProfileTable") -> "ProfileTable":
        """Take both together."""
        names = {**self.spent, **other.spent}
        none = Spent()
        both = {name: self.spent.get(name, none) + other.spent.get(name, none) for name in names}
        return ProfileTable(wall=self.wall + other.wall, cpu=self.cpu + other.cpu, spent=both)


@dataclass(slots=True)
class Profile:
    """What a process spent while it was profiled.

    wall, cpu: of the whole block, in seconds; driven: processor seconds of the driver's threads
    that spans waited for. thread: that began the block.
    """

    spent: dict[str, Spent] = field(default_factory=dict)
    wall: float = 0.0
    cpu: float = 0.0
    driven: float = 0.0
    thread: int = field(default_factory=threading.get_ident)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, wall: float, cpu: float) -> None:
        """Count one span."""
        behind = 0.0 if threading.get_ident() == self.thread else wall
        one = Spent(count=1, wall=wall, cpu=cpu, behind=behind)
        with self._lock:
            self.spent[name] = self.spent.get(name, Spent()) + one

    @property
    def table(self) -> ProfileTable:
        """What was counted."""
        return ProfileTable(wall=self.wall, cpu=self.cpu, spent=dict(self.spent))


class _Open(threading.local):
    """The wall and processor seconds that inner spans took, innermost last; one list a thread."""

    def __init__(self) -> None:
        self.inner: list[list[float]] = []


@dataclass(slots=True)
class _Holder:
    profile: Profile | None = None


_HOLDER, _OPEN = _Holder(), _Open()
_KNOWN_DRIVER_THREADS: set[str] = set()
"""Numbers of threads that were seen to be the driver's, whose names need no reading."""


@contextmanager
def profiling() -> Iterator[Profile]:
    """Profile all spans of this process until the block ends; one block at a time."""
    profile = Profile()
    began, cpu, driver = perf_counter(), process_time(), _driver_seconds()
    _HOLDER.profile = profile
    try:
        yield profile
    finally:
        _HOLDER.profile = None
        profile.wall, profile.cpu = perf_counter() - began, process_time() - cpu
        alone = _driver_seconds() - driver - profile.driven
        if alone > 0:
            profile.add(DRIVER, 0.0, alone)


def is_profiled() -> bool:
    """Return whether spans are counted now: what runs behind may then be waited for."""
    return _HOLDER.profile is not None


@contextmanager
def span(name: str, *, drives: bool = False) -> Iterator[None]:
    """Count what the block takes in this thread; costs nothing while nobody profiles.

    drives: the block waits for the driver's threads, whose processor seconds count too.
    """
    profile = _HOLDER.profile
    if profile is None:
        yield
        return
    inner = [0.0, 0.0]
    _OPEN.inner.append(inner)
    driver = _driver_seconds() if drives else 0.0
    began, cpu = perf_counter(), thread_time()
    try:
        yield
    finally:
        took, used = perf_counter() - began, thread_time() - cpu
        _OPEN.inner.pop()
        if _OPEN.inner:
            _OPEN.inner[-1][0] += took
            _OPEN.inner[-1][1] += used
        driven = _driver_seconds() - driver if drives else 0.0
        profile.driven += driven
        profile.add(name, took - inner[0], used - inner[1] + driven)


def _driver_seconds() -> float:
    """Return the processor seconds of the software renderer's threads so far; 0 elsewhere."""
    if sys.platform != "linux":
        return 0.0
    total = 0
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError, IndexError, ValueError):  # a thread that just ended
            if _is_driver_s(thread):
                total += int((thread / "schedstat").read_text().split()[0])
    return total * _NANOSECOND


def _is_driver_s(thread: Path) -> bool:
    if thread.name not in _KNOWN_DRIVER_THREADS:
        if not (thread / "comm").read_text().startswith(_DRIVER_THREADS):
            return False
        _KNOWN_DRIVER_THREADS.add(thread.name)
    return True
