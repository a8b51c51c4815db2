"""Prefect tasks around the steps on shards: names and policy only.

Invariant: no cache policy. Whether work is done is decided by the manifests; Prefect's caches
would go by parameters, which stay equal when a file's content changes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.workers import WorkInterrupted, interruptible
from tasks.samples.render_shard import ShardOutcome, render_shard
from tasks.samples.shard_work import ShardJob

STOP = "stop"
"""Name of the mark that tells workers to begin nothing more."""


@task(name="render-shard", task_run_name="{shard_id}", cache_policy=NO_CACHE, persist_result=False)
def render_shard_task(shard_id: str, job: ShardJob, marks: str) -> ShardOutcome:
    """Render one shard in this worker process; leaves a mark that it was begun, and by whom.

    marks: folder of the round; the mark tells which shards were under way when a worker died.
    Raises WorkInterrupted when the round is stopped before or during the work.
    """
    with marked(shard_id, marks):
        return render_shard(job)


@contextmanager
def marked(shard_id: str, marks: str) -> Iterator[None]:
    """Work on one shard under its mark; the block can be interrupted."""
    if (Path(marks) / STOP).exists():
        raise WorkInterrupted
    with interruptible():
        (Path(marks) / shard_id).write_text(str(os.getpid()), encoding="ascii")
        yield
