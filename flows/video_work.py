"""What all flows on videos share: videos worked on in processes to a result."""

from collections.abc import Sequence

from flows.artifacts import show_pairing
from flows.runs import Run
from flows.video_runs import PairSummary, close_video_run
from flows.video_tasks import pair_video_task
from flows.work import Trade, judge, work_through, worker_lost
from tasks.video.video_shard import PairJob, PairOutcome, report_unwritten


def work_on_videos(run: Run, jobs: Sequence[PairJob]) -> list[PairOutcome]:
    """Work in processes, with progress."""
    trade = Trade(unit="videos", task=pair_video_task, give_up=_give_up, draws=False)
    return work_through(run, jobs, trade)


def finish_video_run(run: Run, outcomes: Sequence[PairOutcome]) -> PairSummary:
    """Put the run on record and show its results.

    Raises UnfinishedWork with the summary when not all that was asked is done.
    """
    summary = close_video_run(run, outcomes)
    show_pairing(run.folder, summary, outcomes)
    return judge(summary)


def _give_up(job: PairJob, why: str) -> PairOutcome:
    return report_unwritten(job, worker_lost(job.shard.video.video, why))
