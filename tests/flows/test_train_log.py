"""What a training says: which lines are shown, and what they mean."""

from collections.abc import Iterator

import pytest

from flows.train_log import TrainLog


class Told:
    """What a log told."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.steps: list[tuple[int, int]] = []
        self.validations = 0
        self.kept: list[str] = []

    def step(self, done: int, expected: int) -> None:
        """Hear of a step."""
        self.steps.append((done, expected))

    def validated(self) -> None:
        """Hear of a validation."""
        self.validations += 1


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def log(told: Told) -> Iterator[TrainLog]:
    with TrainLog(told.step, told.validated, told.kept.append) as opened:
        yield opened


def line(step: int) -> str:
    return f"step {step}/9 loss 0.5 2 samples/s 0:01 left"


def test_steps_are_told_with_how_many_are_wanted(log: TrainLog, told: Told) -> None:
    log.take(line(3))
    assert told.steps == [(3, 9)]


def test_steps_that_come_again_after_a_restart_are_told_once(log: TrainLog, told: Told) -> None:
    for step in (1, 2, 3, 2, 3, 4):
        log.take(line(step))
    assert told.steps == [(1, 9), (2, 9), (3, 9), (4, 9)]


def test_a_validation_is_told(log: TrainLog, told: Told) -> None:
    log.take("validated after step 4: loss 0.7")
    assert told.validations == 1


def test_first_and_last_step_are_shown_and_few_between(
    log: TrainLog, capsys: pytest.CaptureFixture[str]
) -> None:
    for step in range(1, 10):
        log.take(line(step))
    assert capsys.readouterr().err.splitlines() == [line(1), line(9)]


def test_what_is_shown_is_kept_for_the_page(log: TrainLog, told: Told) -> None:
    for said in (line(1), line(2), "restart 1 of 2", line(9)):
        log.take(said)
    assert told.kept == [line(1), "restart 1 of 2", line(9)]


def test_what_is_no_step_is_shown_as_it_is(
    log: TrainLog, capsys: pytest.CaptureFixture[str]
) -> None:
    log.take("RuntimeError: connection closed by peer")
    assert capsys.readouterr().err == "RuntimeError: connection closed by peer\n"
