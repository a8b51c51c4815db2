"""What a run leaves behind, without Prefect."""

from pathlib import Path

import pytest

from flows.runs import Run, begin_run, close_run, make_jobs, record_roots
from schemas.dataset_folder import DatasetFolder
from schemas.errors import MachineError, StorageError
from tasks.dataset.commit import ShardOutcome, fail_shard
from tasks.dataset.run_records import read_runs
from tasks.samples.sample_shards import SAMPLES, RenderJob
from tests.tasks.data_sets import plan_jobs
from tests.tasks.scan_folders import write_scan
from tests.tasks.small_disks import fill, small_disk

LOST = MachineError("gpu", found="it fell off the bus", expected="a GPU", hint="Restart.")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_scan(tmp_path / "data", "rp_box_posed_001", seed=1)
    return tmp_path / "data"


def begin(out: Path, data: Path) -> tuple[Run, ShardOutcome]:
    """Begin a run, and lose its only shard."""
    (job,) = plan_jobs(out, data)
    run = begin_run(SAMPLES, "render", str(out), roots={"data/RP": data}, workers=1)
    return run, fail_shard(job, LOST)


def test_a_lost_shard_is_failed_in_the_summary_once(data: Path, tmp_path: Path) -> None:
    summary = close_run(*pair(begin(tmp_path / "out", data)))
    assert summary.states == {"failed": 1}
    assert [one.sample_id for one in summary.failures] == [
        "RP/rp_box_posed_001/0", "RP/rp_box_posed_001/10",
    ]  # fmt: skip
    assert "it fell off the bus" in summary.unfinished[0]


def pair(begun: tuple[Run, ShardOutcome]) -> tuple[Run, list[ShardOutcome]]:
    return begun[0], [begun[1]]


def test_a_run_that_cannot_be_recorded_says_so_and_is_not_done(data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        begun = begin(disk / "set", data)
        fill(disk)
        summary = close_run(*pair(begun))
        assert not summary.is_done
        assert summary.unfinished[-1].startswith("the record of this run: ")
        assert "No space left on device" in summary.unfinished[-1]


def test_roots_that_cannot_be_recorded_are_one_error(data: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        run, _ = begin(disk / "set", data)
        fill(disk)
        with pytest.raises(StorageError, match="No space left on device"):
            record_roots(run)


def test_a_job_counts_the_attempts_that_failed(data: Path, tmp_path: Path) -> None:
    run, _ = begin(tmp_path / "out", data)
    (job,) = make_jobs(run, run.status(), ["shard-00000"])
    assert isinstance(job, RenderJob)
    assert (job.attempt, job.data_root) == (2, data)


def test_a_run_is_recorded_with_what_became_of_its_shards(data: Path, tmp_path: Path) -> None:
    close_run(*pair(begin(tmp_path / "out", data)))
    (record,) = read_runs(DatasetFolder.at(tmp_path / "out"))
    assert (record.shards, record.failures) == ({"shard-00000": "failed"}, 2)
