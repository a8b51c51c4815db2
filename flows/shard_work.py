"""What render and rerun share: shards rendered in processes, with progress, to a result."""

from collections.abc import Sequence

from flows.artifacts import ShardBoard, show_results
from flows.progress import say, tracking
from flows.rounds import Rounds
from flows.runs import Run, close_run, give_up
from flows.summary import RunSummary
from flows.unfinished import UnfinishedWork
from tasks.render_shard import ShardOutcome
from tasks.shard_work import ShardJob


def render_jobs(run: Run, jobs: Sequence[ShardJob]) -> list[ShardOutcome]:
    """Render in processes, with progress."""
    if not jobs:
        say(f"{run.command}: everything is done already.")
        return []
    board = ShardBoard(run.command, len(jobs))
    with tracking(run.command, total=len(jobs), unit="shards") as tracker:

        def end(outcome: ShardOutcome) -> None:
            tracker.advance(note=_note(outcome))
            board.advance()

        rounds = Rounds(workers=run.workers, device=run.device, give_up=give_up, end=end)
        return rounds.render(jobs)


def finish_run(run: Run, outcomes: Sequence[ShardOutcome]) -> RunSummary:
    """Put the run on record and show its results.

    Raises UnfinishedWork with the summary when not all that was asked is done.
    """
    summary = close_run(run, outcomes)
    show_results(run.folder, summary, outcomes)
    if not summary.is_done:
        raise UnfinishedWork(summary.sentence, summary)
    return summary


def _note(outcome: ShardOutcome) -> str:
    if not outcome.failures:
        return ""
    first = outcome.failures[0]
    more = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
    return f"{outcome.shard_id}: {first.sample_id}{more} failed: {first.message}"
