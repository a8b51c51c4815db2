"""A real pool, and its owner killed."""

import subprocess
import sys
from pathlib import Path

import psutil

from schemas.spawned_pool import spawned_pool, watch_owner

ROOT = Path(__file__).parents[2]
OWNER = """
import os, time
from schemas.spawned_pool import spawned_pool
if __name__ == "__main__":
    with spawned_pool(2) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(300)
"""


def test_jobs_run_in_other_processes() -> None:
    with spawned_pool(1) as pool:
        assert list(pool.map(abs, [-2, 3])) == [2, 3]


def test_workers_end_with_their_killed_owner(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(OWNER)
    command = [sys.executable, str(script)]
    with subprocess.Popen(
        command, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        worker = psutil.Process(int(owner.stdout.readline()))
        children = psutil.Process(owner.pid).children(recursive=True)
        assert worker in children
        owner.kill()
        _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_process_that_nobody_spawned_watches_nothing() -> None:
    watch_owner(lambda: sys.exit("called"))
