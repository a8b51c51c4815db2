"""Progress: plain lines where there is no terminal, a bar where there is one, silence for JSON."""

import io

import pytest

from flows.progress import Amount, LineTracker, format_seconds, showing, tracking


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_line_tells_how_far_how_fast_and_how_long() -> None:
    tracker = LineTracker("render", "shards", 40, io.StringIO(), done=10)
    assert tracker.describe(20.0) == "render: 10/40 shards, 0.50/s, 1 min 0 s left"


def test_last_line_tells_the_time_in_all() -> None:
    tracker = LineTracker("render", "shards", 10, io.StringIO(), done=10)
    assert tracker.describe(20.0) == "render: 10/10 shards, 0.50/s, 20 s in all"


def test_without_a_terminal_lines_are_plain() -> None:
    out = io.StringIO()
    with showing("auto"), tracking("render", total=2, unit="shards", stream=out) as tracker:
        tracker.advance()
        tracker.advance(note="shard-00001: it failed")
    lines = out.getvalue().splitlines()
    assert "render: shard-00001: it failed" in lines
    assert lines[-1].startswith("render: 2/2 shards")
    assert "\x1b" not in out.getvalue()


def test_on_a_terminal_a_bar_moves() -> None:
    out = Terminal()
    with showing("auto"), tracking("render", total=2, unit="shards", stream=out) as tracker:
        tracker.advance()
        tracker.advance()
    assert "2/2" in out.getvalue()
    assert "\x1b[" in out.getvalue()


def test_silence_is_silent() -> None:
    out = Terminal()
    with showing("silent"), tracking("render", total=1, unit="shards", stream=out) as tracker:
        tracker.advance(note="something")
    assert out.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(7.6, "8 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_times_are_written_as_people_say_them(seconds: float, said: str) -> None:
    assert format_seconds(seconds) == said


def test_line_tells_rows_bytes_and_the_time_left_by_rows() -> None:
    """One of four shards is done and half of the next: 3 of 8 samples in 30 s."""
    amount = Amount(total_rows=8, rows=2, bytes=2 << 20, running_rows=1, running_bytes=1 << 20)
    tracker = LineTracker("render", "shards", 4, io.StringIO(), done=1, amount=amount)
    assert tracker.describe(30.0) == (
        "render: 1/4 shards, 3/8 samples, 3.0 MiB of about 8.0 MiB, 0.03/s, 50 s left"
    )


def test_bar_moves_by_rows_and_shows_bytes() -> None:
    out = Terminal()
    with showing("auto"), tracking("render", total=2, unit="shards", stream=out) as tracker:
        amount = tracker.amount
        amount.total_rows, amount.running_rows, amount.running_bytes = 8, 2, 5 << 20
        tracker.look()
    assert "2/8 samples, 5.0 MiB of about 20.0 MiB" in " ".join(out.getvalue().split())


def test_failed_shard_without_rows_promises_no_size() -> None:
    assert Amount(total_rows=8, bytes=4096).describe() == "0/8 samples, 4.0 KiB"
