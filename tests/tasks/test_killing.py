"""Chaos: a renderer is killed again and again, at moments of every stage."""

import os
import random
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from schemas.dataset_folder import DatasetFolder
from tasks.checks.validation import validate_dataset
from tasks.dataset.preparation import sweep_leftovers
from tasks.dataset.states import dataset_status, shards_to_redo
from tasks.samples.sample_shards import SAMPLES
from tests.tasks.data_sets import plan_jobs, render_jobs
from tests.tasks.scan_folders import write_scan

KILLS = 40
LONGEST_LIFE_S = 0.15

ENDLESS_RENDERER = """
import sys
from renderers.session import open_session
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob

open_session()
jobs = [RenderJob.model_validate_json(line) for line in sys.stdin]
print("ready", flush=True)
while True:
    for job in jobs:
        render_shard(job)
"""


@pytest.mark.long
def test_whatever_moment_a_renderer_is_killed_no_shard_is_half_there(
    tmp_path: Path, painter: ProcessPoolExecutor
) -> None:
    for number in range(3):
        write_scan(tmp_path / "data", f"rp_box_posed_00{number}", seed=number)
    whole = plan_jobs(tmp_path / "whole", tmp_path / "data")
    painter.submit(render_jobs, whole).result()
    jobs = plan_jobs(tmp_path / "out", tmp_path / "data")
    folder, lives = DatasetFolder.at(tmp_path / "out"), random.Random(7)  # noqa: S311 - moments, no secrets
    lines = "".join(job.model_dump_json() + "\n" for job in jobs).encode()
    for _ in range(KILLS):
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS_RENDERER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as renderer:
            assert renderer.stdin is not None
            assert renderer.stdout is not None
            renderer.stdin.write(lines)
            renderer.stdin.close()
            assert renderer.stdout.readline() == b"ready\n"
            threading.Event().wait(lives.uniform(0, LONGEST_LIFE_S))
            os.kill(renderer.pid, signal.SIGKILL)
        states = {shard.state for shard in dataset_status(folder, SAMPLES, deep=True).shards}
        assert states <= {"done", "missing"}
    redone = shards_to_redo(dataset_status(folder, SAMPLES))
    painter.submit(render_jobs, [job for job in jobs if job.shard.shard_id in redone]).result()
    sweep_leftovers(folder)
    assert validate_dataset(folder).findings == ()
    for path in (tmp_path / "whole/samples").iterdir():
        assert (folder.root / "samples" / path.name).read_bytes() == path.read_bytes()
