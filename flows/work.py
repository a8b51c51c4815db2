"""Shards worked on in processes, with progress, to a result: what every trade shares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from prefect.tasks import Task

from flows.artifacts import ShardBoard
from flows.progress import say, tracking
from flows.rounds import Job, Rounds
from flows.runs import Outcome, Run
from flows.summary import RunSummary
from flows.unfinished import UnfinishedWork
from schemas.errors import MachineError

J = TypeVar("J", bound=Job)
R = TypeVar("R", bound=Outcome)
S = TypeVar("S", bound=RunSummary)


@dataclass(frozen=True, slots=True)
class Trade(Generic[J, R]):
    """How one kind of job is worked on.

    unit: what people count. task: as in flows.shard_tasks. give_up: makes the outcome of a job
    that could not be worked on. draws: its workers open a GL context.
    """

    unit: str
    task: Task[Any, R]
    give_up: Callable[[J, str], R]
    draws: bool


def work_through(run: Run, jobs: Sequence[J], trade: Trade[J, R]) -> list[R]:
    """Work on all jobs in processes, with progress."""
    if not jobs:
        say(f"{run.command}: everything is done already.")
        return []
    board = ShardBoard(run.command, len(jobs))
    with tracking(run.command, total=len(jobs), unit=trade.unit) as tracker:

        def end(outcome: R) -> None:
            tracker.advance(note=_note(outcome))
            board.advance()

        rounds = Rounds(
            task=trade.task, workers=run.workers, device=run.device, give_up=trade.give_up,
            end=end, draws=trade.draws,
        )  # fmt: skip
        return rounds.work_on(jobs)


def worker_lost(what: str, why: str) -> MachineError:
    """Make the error of a shard whose worker could not end its work."""
    return MachineError(
        what, found=why, expected="a worker that lives to its end",
        hint="Run the command again; with little memory use fewer --workers.",
    )  # fmt: skip


def judge(summary: S) -> S:
    """Return a summary; raises UnfinishedWork with it when not all that was asked is done."""
    if not summary.is_done:
        raise UnfinishedWork(summary.sentence, summary)
    return summary


def _note(outcome: Outcome) -> str:
    if not outcome.failures:
        return ""
    first = outcome.failures[0]
    more = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
    return f"{outcome.shard_id}: {first.sample_id}{more} failed: {first.message}"
