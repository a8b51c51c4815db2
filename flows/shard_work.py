"""What render and rerun share: shards rendered in processes to a result."""

from collections.abc import Sequence

from flows.artifacts import show_results
from flows.progress import say
from flows.run_jobs import JobSpec, run_jobs
from flows.runs import Run, describe_failures
from flows.scan_runs import close_run
from flows.summary import RunSummary
from flows.unfinished import judge
from tasks.dataset.planning import read_plan
from tasks.dataset.roots import BACKGROUNDS, DENSEPOSE, MODELS, data_root_of
from tasks.dataset.states import DatasetStatus
from tasks.samples.render_shard import ShardOutcome, report_unwritten
from tasks.samples.shard_work import ShardJob
from tasks.samples.task import render_shard_task

RENDERING = JobSpec(
    unit="shards", task=render_shard_task, give_up=report_unwritten, runs_in="drawing",
    note=describe_failures,
)  # fmt: skip


def make_jobs(run: Run, status: DatasetStatus, shard_ids: Sequence[str]) -> list[ShardJob]:
    """Describe the work on these shards for the processes that do it.

    What comes from a data root that is not known can't be worked on and is left.
    """
    settings = run.folder.read_description().settings
    attempts = {one.shard_id: one.attempt for one in status.shards}
    chosen = set(shard_ids)
    return [
        ShardJob(
            uri=str(run.folder.root.absolute()),
            data_root=run.roots[data_root_of(shard.scans[0].dataset)].absolute(),
            background_root=run.root(BACKGROUNDS),
            model_root=run.root(MODELS),
            densepose_root=run.root(DENSEPOSE),
            shard=shard,
            settings=settings,
            attempt=attempts.get(shard.shard_id, 0) + 1,
        )
        for shard in read_plan(run.folder)
        if shard.shard_id in chosen and data_root_of(shard.scans[0].dataset) in run.roots
    ]


def render_jobs(run: Run, jobs: Sequence[ShardJob]) -> list[ShardOutcome]:
    """Render in processes, with progress."""
    if not jobs:
        say(f"{run.command}: everything is done already.")
    return run_jobs(run.command, jobs, RENDERING, workers=run.workers, device=run.device)


def finish_run(run: Run, outcomes: Sequence[ShardOutcome]) -> RunSummary:
    """Put the run on record and show its results.

    Raises UnfinishedWork with the summary when not all that was asked is done.
    """
    summary = close_run(run, outcomes)
    show_results(run.folder, summary, outcomes)
    return judge(summary)
