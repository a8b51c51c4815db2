"""The worker's side of the pool: marks, stopping, interrupting."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import StorageError
from tasks import worker_process
from tasks.worker_process import STOP, WorkInterrupted, at_work, mark_of, open_worker
from tests.tasks.small_disks import fill, small_disk


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make this process a worker for the length of a test."""
    monkeypatch.setattr(worker_process, "_WORKER", worker_process._Worker())
    before = signal.getsignal(signal.SIGINT)
    open_worker(str(tmp_path), 1, draws=False, device=None)
    yield tmp_path
    signal.signal(signal.SIGINT, before)


SPINNING_PROGRAM = """
import time
import numpy as np
points = np.ones((1_000_000, 3))
points @ np.ones((3, 3))
began = time.process_time()
time.sleep(0.1)
print(time.process_time() - began)
"""


def test_threads_of_a_product_do_not_spin_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(worker_process.BLAS_SPINNING, raising=False)
    worker_process.let_blas_sleep()
    done = subprocess.run(
        [sys.executable, "-c", SPINNING_PROGRAM], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 0.01


def test_outside_of_a_pool_a_job_leaves_no_mark() -> None:
    with at_work("shard-00000"):
        pass


def test_mark_of_a_job_names_its_process(marks: Path) -> None:
    with at_work("set/shard-00000"):
        assert (marks / mark_of("set/shard-00000")).read_text() == str(os.getpid())


def test_stopped_pool_begins_nothing_more(marks: Path) -> None:
    (marks / STOP).touch()
    with pytest.raises(WorkInterrupted), at_work("shard-00000"):
        pytest.fail("the job began")


@pytest.mark.usefixtures("marks")
def test_interrupt_ends_the_job() -> None:
    with pytest.raises(WorkInterrupted), at_work("shard-00000"):
        os.kill(os.getpid(), signal.SIGINT)


def test_interrupt_between_jobs_ends_nothing(marks: Path) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    with at_work("shard-00000"):
        pass
    assert [path.name for path in marks.iterdir() if path.is_file()] == ["shard-00000"]


def test_job_that_cannot_be_marked_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)
        monkeypatch.setattr(worker_process, "_WORKER", worker_process._Worker(disk))
        with pytest.raises(StorageError, match="No space left on device"), at_work("shard-00000"):
            pytest.fail("the job began")
