"""Progress of long work on standard error: a bar on a terminal, plain lines elsewhere.

The command line chooses how progress is shown (`showing`), flows only say what they do
(`tracking`); a flow that a Prefect worker runs shows plain lines in the worker's log.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Style = Literal["auto", "lines", "silent"]

SECONDS_BETWEEN_LINES = 2.0
MINUTE_S, HOUR_S = 60, 3600


class Tracker:
    """What a flow says about its work; this one shows nothing."""

    def advance(self, note: str = "") -> None:
        """Count one more item as done; a note is shown once (a failure, for example)."""


@dataclass(slots=True)
class LineTracker(Tracker):
    """Write a plain line now and then: when work begins and ends, and between."""

    what: str
    unit: str
    total: int
    stream: TextIO
    done: int = 0
    begun: float = field(default_factory=monotonic)
    last_line: float = field(default_factory=monotonic)

    def advance(self, note: str = "") -> None:
        """Count one item; write a line when it is time for one, and each note."""
        self.done += 1
        now = monotonic()
        if note:
            self._write(f"{self.what}: {note}")
        if self.done == self.total or now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            self._write(self.describe(now - self.begun))

    def describe(self, seconds: float) -> str:
        """Say how far the work is after so many seconds, with its rate and the time left."""
        rate = self.done / seconds if seconds > 0 else 0.0
        when = f"{format_seconds((self.total - self.done) / rate)} left" if rate else "unknown left"
        if self.done == self.total:
            when = f"{format_seconds(seconds)} in all"
        return f"{self.what}: {self.done}/{self.total} {self.unit}, {rate:.2f}/s, {when}"

    def _write(self, line: str) -> None:
        self.stream.write(line + "\n")
        self.stream.flush()


@dataclass(slots=True)
class BarTracker(Tracker):
    """Move a bar on a terminal."""

    bar: Progress
    task: TaskID

    def advance(self, note: str = "") -> None:
        """Count one item; a note is shown above the bar."""
        if note:
            self.bar.console.print(Text(note, style="red"))
        self.bar.advance(self.task)


class RateColumn(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        """Write the rate; empty until something is done."""
        rate = task.finished_speed or task.speed
        return Text(f"{rate:.2f}/s" if rate else "")


_STYLE: ContextVar[Style] = ContextVar("progress_style", default="lines")


@contextmanager
def showing(style: Style) -> Iterator[None]:
    """Choose how progress is shown inside the block."""
    token = _STYLE.set(style)
    try:
        yield
    finally:
        _STYLE.reset(token)


@contextmanager
def tracking(
    what: str, *, total: int, unit: str, stream: TextIO | None = None
) -> Iterator[Tracker]:
    """Show the progress of `total` items; what: the command, unit: the plural of an item."""
    out, style = stream or sys.stderr, _STYLE.get()
    if style == "silent" or not total:
        yield Tracker()
    elif style == "auto" and out.isatty():
        with _make_bar(out) as bar:
            yield BarTracker(bar, bar.add_task(f"{what} ({unit})", total=total))
    else:
        yield LineTracker(what, unit, total, out)


def shows_bar() -> bool:
    """Return whether progress on standard error is a bar here."""
    return _STYLE.get() == "auto" and sys.stderr.isatty()


def say(line: str, *, stream: TextIO | None = None) -> None:
    """Write one line about what happens now, unless silence was asked for."""
    if _STYLE.get() != "silent":
        out = stream or sys.stderr
        out.write(line + "\n")
        out.flush()


def format_seconds(seconds: float) -> str:
    """Write a time as people say it: 8 s, 3 min 20 s, 2 h 5 min."""
    whole = round(seconds)
    if whole < MINUTE_S:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min {whole % MINUTE_S} s"
    return f"{whole // HOUR_S} h {whole % HOUR_S // MINUTE_S} min"


def _make_bar(stream: TextIO) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(file=stream),
        transient=False,
    )
