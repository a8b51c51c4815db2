"""Work on many items: jobs that cross process borders, progress, and the ordered thread map."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[int, int], None]
"""Called with the number of items done and the number of all items; 0 done begins a count."""


class Job(BaseModel, ABC):
    """One unit of work that a user waits for: all that a worker process must know to do it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt: int = Field(default=1, ge=1, description="counts from 1")

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of its task run, as in shard-00000: a valid file name, unique within a run."""


def map_in_threads(
    function: Callable[[T], R], items: Iterable[T], *, threads: int, ahead: int | None = None
) -> Iterator[R]:
    """Apply a function to items in threads; yield the results in the order of the items.

    ahead: results that may wait to be taken, so that memory stays flat; None: one a thread.
    Items are drawn in the caller's thread, a next one only after a result was taken. An exception
    of the function is raised in the place of its result; what has not begun then is dropped.
    """
    waiting: deque[Future[R]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > (threads if ahead is None else ahead):
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
