"""Shards of a run made by workers: which task makes which kind, and what the page shows of it."""

import os
from dataclasses import replace
from typing import Any

from prefect.runtime import flow_run

from flows.artifacts import show_results
from flows.prefect_settings import API_URL
from flows.progress import say
from flows.run_jobs import JobSpec, run_jobs
from flows.runs import (
    Run,
    close_run,
    describe_failures,
    going_on,
    make_jobs,
    record_roots,
)
from flows.server_api import without_credentials
from flows.summary import RunSummary
from tasks.dataset.commit import ShardOutcome, fail_shard
from tasks.dataset.shard_kinds import ShardJob
from tasks.dataset.states import shards_to_redo
from tasks.formats.task import import_video_task
from tasks.samples.task import render_shard_task
from tasks.video.task import pair_video_task

RENDERING: JobSpec[Any, ShardOutcome] = JobSpec(
    unit="shards", task=render_shard_task, give_up=fail_shard, runs_in="drawing",
    note=describe_failures, written=lambda outcome: (outcome.rows, outcome.bytes),
)  # fmt: skip
PAIRING = replace(RENDERING, unit="videos", task=pair_video_task, runs_in="processes")
SPECS = {
    "render": RENDERING,
    "pair": PAIRING,
    "import": replace(PAIRING, task=import_video_task),
}
"""By the maker of a job."""


def make_shards(
    run: Run,
    *,
    deep: bool = False,
    rejects: bool = False,
    older_code: bool = False,
    new: tuple[str, ...] = (),
) -> RunSummary:
    """Make the shards of a run that are not done, and put it on record.

    deep: read every byte to find what is broken. rejects, older_code: redo these too. new: inputs
    that were planned just now.
    """
    server = without_credentials(os.environ.get(API_URL, ""))
    with going_on(run, flow_run=str(flow_run.id or ""), server=server):
        record_roots(run)
        status = run.status(deep=deep)
        inputs = status.inputs.model_copy(update={"new": (*new, *status.inputs.new)})
        if inputs.sentence:
            say(f"{run.command}: {inputs.sentence}")
        chosen = shards_to_redo(status, rejects=rejects, older_code=older_code)
        jobs = make_jobs(run, status, chosen)
        del status  # 1.5 KB a shard, for as long as the run takes
        outcomes = _run_all(run, jobs)
        summary = close_run(run, outcomes).model_copy(update={"inputs": inputs})
    show_results(run, summary, outcomes)
    return summary


def _run_all(run: Run, jobs: list[ShardJob]) -> list[ShardOutcome]:
    """Run the jobs; what other runs are making comes last, and is waited for.

    Returns what became of the shards that this run made, or could not make.
    """
    if not jobs:
        say(f"{run.command}: everything is done already.")
    outcomes = _run_each(run, jobs)
    others = {one.shard_id: one.made_by for one in outcomes if one.made_by}
    if others:
        by = ", ".join(sorted(set(others.values())))
        say(f"{run.command}: {len(others)} shards are made by {by}; waiting for them.")
        left = [job for job in jobs if job.shard.shard_id in others]
        outcomes += _run_each(run, [job.model_copy(update={"waits": True}) for job in left])
    return [one for one in outcomes if not one.made_by]


def _run_each(run: Run, jobs: list[ShardJob]) -> list[ShardOutcome]:
    """Run the jobs of each maker after those of the one before."""
    return [
        outcome
        for maker in sorted({job.maker for job in jobs})
        for outcome in run_jobs(
            run.command,
            [job for job in jobs if job.maker == maker],
            SPECS[maker],
            workers=run.workers,
            device=run.device,
        )
    ]
