"""What all flows on videos share: videos worked on in processes to a result."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from flows.artifacts import show_pairing
from flows.progress import say
from flows.run_jobs import JobSpec, run_jobs
from flows.runs import Run, describe_failures
from flows.unfinished import judge
from flows.video_runs import PairSummary, close_video_run
from tasks.formats.task import import_video_task
from tasks.video.task import pair_video_task
from tasks.video.video_shard import PairJob, PairOutcome, report_unwritten

PAIRING = JobSpec(
    unit="videos", task=pair_video_task, give_up=report_unwritten, runs_in="processes",
    note=describe_failures,
)  # fmt: skip
SPECS = {"sequence": PAIRING, "published": replace(PAIRING, task=import_video_task)}
"""By the layout that a video comes in."""


def work_on_videos(run: Run, jobs: Sequence[PairJob]) -> list[PairOutcome]:
    """Work in processes, with progress."""
    if not jobs:
        say(f"{run.command}: everything is done already.")
    by_layout: dict[str, list[PairJob]] = defaultdict(list)
    for job in jobs:
        by_layout[job.shard.video.layout].append(job)
    return [
        outcome
        for layout, chosen in by_layout.items()
        for outcome in run_jobs(run.command, chosen, SPECS[layout], workers=run.workers)
    ]


def finish_video_run(run: Run, outcomes: Sequence[PairOutcome]) -> PairSummary:
    """Put the run on record and show its results.

    Raises UnfinishedWork with the summary when not all that was asked is done.
    """
    summary = close_video_run(run, outcomes)
    show_pairing(run.folder, summary, outcomes)
    return judge(summary)
