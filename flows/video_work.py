"""What all flows on videos share: videos worked on in processes, with progress, to a result."""

from collections.abc import Sequence

from flows.artifacts import ShardBoard, show_pairing
from flows.progress import say, tracking
from flows.rounds import Rounds
from flows.unfinished import UnfinishedWork
from flows.video_runs import PairSummary, VideoRun, close_video_run
from flows.video_tasks import pair_video_task
from schemas.errors import MachineError
from tasks.video.video_shard import PairJob, PairOutcome, report_unwritten


def work_on_videos(run: VideoRun, jobs: Sequence[PairJob]) -> list[PairOutcome]:
    """Work in processes, with progress."""
    if not jobs:
        say(f"{run.command}: everything is done already.")
        return []
    board = ShardBoard(run.command, len(jobs))
    with tracking(run.command, total=len(jobs), unit="videos") as tracker:

        def end(outcome: PairOutcome) -> None:
            tracker.advance(note=_note(outcome))
            board.advance()

        rounds = Rounds(
            task=pair_video_task, workers=run.workers, device=None, give_up=_give_up,
            again=_attempt_again, end=end, draws=False,
        )  # fmt: skip
        return rounds.work_on(jobs)


def finish_video_run(run: VideoRun, outcomes: Sequence[PairOutcome]) -> PairSummary:
    """Put the run on record and show its results.

    Raises UnfinishedWork with the summary when not all that was asked is done.
    """
    summary = close_video_run(run, outcomes)
    show_pairing(run.folder, summary, outcomes)
    if not summary.is_done:
        raise UnfinishedWork(summary.sentence, summary)
    return summary


def _give_up(job: PairJob, why: str) -> PairOutcome:
    error = MachineError(
        job.shard.video.video, met=why, wanted="a worker that lives to its end",
        way_out="Run the command again; with little memory use fewer --workers.",
    )  # fmt: skip
    return report_unwritten(job, error)


def _attempt_again(job: PairJob) -> PairJob:
    return job.model_copy(update={"attempt": job.attempt + 1})


def _note(outcome: PairOutcome) -> str:
    if not outcome.failures:
        return ""
    first = outcome.failures[0]
    more = f" (and {len(outcome.failures) - 1} more)" if len(outcome.failures) > 1 else ""
    return f"{outcome.video}: {first.sample_id}{more} failed: {first.message}"
