"""Work on many items: jobs and units that cross process borders, and threads that work beside."""

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import ScanmillError
from schemas.profiling import span

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S", bound="Job")

WAITING = "wait for threads"
"""Name of the spans in which `map_in_threads` waits for a result."""

Progress = Callable[[int, int], None]
"""Called with the number of items done and the number of all items; 0 done begins a count."""


class Job(BaseModel, ABC):
    """One unit of work that a user waits for: all that a worker process must know to do it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt: int = Field(default=1, ge=1, description="counts from 1")

    @property
    @abstractmethod
    def name(self) -> str:
        """Name of its task run, as in shard-00000: unique within a run."""

    @property
    def units(self) -> int:
        """Scans or videos that it holds."""
        return 1

    @property
    def rows(self) -> int:
        """Rows that people count which it makes; 0: not known before."""
        return 0

    def without(  # noqa: PYI019 - beartype, which tests run under, knows no Self here
        self: S, unit: str, error: ScanmillError, stage: str
    ) -> S | None:
        """Return the job without a scan or video that can't be done here; None: nothing is left.

        unit, stage: as its worker's heartbeats name them; error: why.
        """
        del unit, error, stage
        return None


class UnitJob(Job):
    """A function and what it is applied to, as a job. title: unique within a run."""

    title: str
    function: Callable[[Any], Any]
    unit: Any

    @property
    def name(self) -> str:
        """The title."""
        return self.title

    def run(self) -> Any:  # noqa: ANN401 - what the function returns
        """Apply the function."""
        return self.function(self.unit)


@runtime_checkable
class MapUnits(Protocol):
    """How a step runs its units of work: `map_units`, or as tasks on Prefect's page."""

    def __call__(
        self, function: Callable[[T], R], units: Sequence[T], names: Sequence[str]
    ) -> list[R]:
        """Apply a function to each unit; returns the results in order.

        names: of the units, unique. Function and units may have to cross process borders.
        Raises what the function raises.
        """


def map_units(function: Callable[[T], R], units: Sequence[T], names: Sequence[str]) -> list[R]:
    """Apply a function to one unit after the other, in this process."""
    del names
    return [function(unit) for unit in units]


@contextmanager
def repeating(action: Callable[[], None], *, every_s: float) -> Iterator[None]:
    """Call a function in a thread, first after every_s seconds, for the length of a block."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(every_s):
            action()

    thread = threading.Thread(target=repeat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def map_in_threads(
    function: Callable[[T], R], items: Iterable[T], *, threads: int, ahead: int | None = None
) -> Generator[R, None, None]:
    """Apply a function to items in threads of its own, as map_in_pool.

    ahead: None is one a thread.
    """
    with ThreadPoolExecutor(threads) as pool:
        yield from map_in_pool(function, items, pool, ahead=threads if ahead is None else ahead)


def map_in_pool(
    function: Callable[[T], R], items: Iterable[T], pool: ThreadPoolExecutor, *, ahead: int
) -> Generator[R, None, None]:
    """Apply a function to items in a pool's threads; yield the results in the order of the items.

    ahead: results that may wait to be taken, so that memory stays flat. Items are drawn in the
    caller's thread, a next one only after a result was taken. An exception of the function is
    raised in the place of its result. When the generator is closed, what has not begun is dropped,
    and what has begun is waited for.
    """
    waiting: deque[Future[R]] = deque()

    def take() -> R:
        with span(WAITING):
            return waiting.popleft().result()

    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield take()
        while waiting:
            yield take()
    finally:
        wait([future for future in waiting if not future.cancel()])
