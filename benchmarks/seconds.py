"""Wall seconds by stage."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

Seconds = dict[str, float]


@contextmanager
def counted(seconds: Seconds, stage: str) -> Iterator[None]:
    """Add the time of a block to a stage."""
    start = perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + perf_counter() - start
