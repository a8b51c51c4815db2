"""What a training says, shown: steps as a bar or now and then as a line, all else as it is."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from time import monotonic

from flows.progress import SECONDS_BETWEEN_LINES, Tracker, say, shows_bar, tracking

VALIDATED = "validated "
"""How the program's line after a validation begins. Source: training/loop/training_log.py."""

_STEP = re.compile(r"^step (\d+)/(\d+) ")


class TrainLog:
    """Takes the lines of a training. Owns: the bar, and what was shown last.

    on_step: takes steps done and asked. on_validation: called after new measures were written.
    keep: takes every line that is shown, for the server's page.
    """

    def __init__(
        self,
        on_step: Callable[[int, int], None],
        on_validation: Callable[[], None],
        keep: Callable[[str], None],
    ) -> None:
        """Show nothing yet."""
        self._on_step, self._on_validation, self._keep = on_step, on_validation, keep
        self._open = ExitStack()
        self._bar: Tracker | None = None
        self._furthest, self._shown_s = 0, 0.0

    def __enter__(self) -> "TrainLog":
        """Open nothing: the bar comes with the first step."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the bar."""
        self._open.close()

    def take(self, line: str) -> None:
        """Show a line, and act on what it means."""
        step = _STEP.match(line)
        if step is None:
            say(line)
            self._keep(line)
            if line.startswith(VALIDATED):
                self._on_validation()
            return
        self._count(int(step[1]), int(step[2]), line)

    def _count(self, done: int, expected: int, line: str) -> None:
        """Count a step; after a restart some come again and are shown, not counted."""
        if self._bar is None and shows_bar():
            left = expected - done + 1
            self._bar = self._open.enter_context(tracking("train", total=left, unit="steps"))
        self._show_now_and_then(line, is_last=done == expected)
        if done > self._furthest:
            self._furthest = done
            self._on_step(done, expected)
            if self._bar is not None:
                self._bar.advance()

    def _show_now_and_then(self, line: str, *, is_last: bool) -> None:
        """Show a step as a line; where there is a bar, only on the server's page."""
        now = monotonic()
        if is_last or now - self._shown_s >= SECONDS_BETWEEN_LINES:
            self._shown_s = now
            self._keep(line)
            if self._bar is None:
                say(line)
