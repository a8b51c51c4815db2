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
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from schemas.wording import format_bytes

Style = Literal["auto", "lines", "silent"]

SECONDS_BETWEEN_LINES = 2.0
MINUTE_S, HOUR_S = 60, 3600


@dataclass(slots=True)
class Amount:
    """How much of some work is done, finer than its items: rows and bytes.

    total_rows: 0 where it is not known before. running_...: of items that are not done yet.
    """

    total_rows: int = 0
    unit: str = "samples"
    rows: int = 0
    bytes: int = 0
    running_rows: int = 0
    running_bytes: int = 0

    @property
    def written(self) -> tuple[int, int]:
        """Rows and bytes, those of unfinished items too."""
        return self.rows + self.running_rows, self.bytes + self.running_bytes

    @property
    def share(self) -> float:
        """What is done of all rows, 0 to 1; 0 where that is not known."""
        return min(1.0, self.written[0] / self.total_rows) if self.total_rows else 0.0

    def describe(self) -> str:
        """Say it: `42/120 samples, 310 MiB of about 886 MiB`; empty where nothing was written."""
        rows, size = self.written
        if not size:
            return ""
        if not self.total_rows:
            return format_bytes(size)
        all_of_it = round(size / self.share) if 0 < rows < self.total_rows else 0
        about = f" of about {format_bytes(all_of_it)}" if all_of_it else ""
        return f"{rows}/{self.total_rows} {self.unit}, {format_bytes(size)}{about}"

    def seconds_left(self, seconds: float) -> float | None:
        """Return the seconds that are left after so many; None where nothing says it yet."""
        return seconds * (1 / self.share - 1) if self.share else None


@dataclass(slots=True)
class Tracker:
    """What a flow says about its work; this one shows nothing.

    amount: how much is done, more finely; whoever counts it calls `look`.
    """

    amount: Amount = field(default_factory=Amount, kw_only=True)

    def advance(self, note: str = "") -> None:
        """Count one more item as done; a note is shown once (a failure, for example)."""

    def look(self) -> None:
        """Show again how far the work is: its amount has changed."""


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
        if self.done == self.total:
            self._write(self.describe(now - self.begun))
        else:
            self.look()

    def look(self) -> None:
        """Write a line when it is time for one."""
        now = monotonic()
        if now - self.last_line >= SECONDS_BETWEEN_LINES:
            self.last_line = now
            self._write(self.describe(now - self.begun))

    def describe(self, seconds: float) -> str:
        """Say how far the work is after so many seconds, with its rate and the time left."""
        rate = self.done / seconds if seconds > 0 else 0.0
        left_s = self.amount.seconds_left(seconds)
        if left_s is None and rate:
            left_s = (self.total - self.done) / rate
        when = "unknown left" if left_s is None else f"{format_seconds(left_s)} left"
        if self.done == self.total:
            when = f"{format_seconds(seconds)} in all"
        parts = (f"{self.done}/{self.total} {self.unit}", self.amount.describe(), f"{rate:.2f}/s")
        return f"{self.what}: {', '.join((*filter(None, parts), when))}"

    def _write(self, line: str) -> None:
        self.stream.write(line + "\n")
        self.stream.flush()


@dataclass(slots=True)
class BarTracker(Tracker):
    """Move a bar on a terminal."""

    bar: Progress
    task: TaskID
    items: int
    done: int = 0

    def advance(self, note: str = "") -> None:
        """Count one item; a note is shown above the bar."""
        if note:
            self.bar.console.print(Text(note, style="red"))
        self.done += 1
        self.look()

    def look(self) -> None:
        """Move the bar: by rows where their number is known, else by items."""
        share = max(self.amount.share, self.done / self.items) if self.items else 0.0
        done = share if self.done < self.items else 1.0
        self.bar.update(
            self.task, completed=done * self.items, done=f"{self.done}/{self.items}",
            amount=self.amount.describe(),
        )  # fmt: skip


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
            task = bar.add_task(f"{what} ({unit})", total=total, done=f"0/{total}", amount="")
            yield BarTracker(bar, task, total)
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
        TextColumn("{task.fields[done]}"),
        TextColumn("{task.fields[amount]}"),
        RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(file=stream),
        transient=False,
    )
