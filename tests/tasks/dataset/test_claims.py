"""Runs at once on one data set: who makes a shard, and whose rows are kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from schemas.dataset_folder import DatasetFolder, Part
from schemas.dataset_reader import claim_name, manifest_name
from schemas.local_store import LocalStore
from tasks.dataset import commit
from tasks.dataset.commit import ShardOutcome, ShardWork, commit_shard
from tasks.dataset.lease import LeaseRecord, new_record
from tasks.dataset.shards import ShardWriter
from tasks.dataset.states import dataset_status
from tasks.samples.sample_shards import SAMPLES, RenderJob
from tests.tasks.data_sets import Row, ball_rows, plan_jobs
from tests.tasks.scan_folders import write_scan

SHARD = "shard-00000"
ITEM = "rp_box_posed_001"


@dataclass(slots=True, kw_only=True)
class BallWork(ShardWork):
    """Writes rows that are there already. meanwhile: what others do while it works."""

    rows: tuple[Row, ...]
    meanwhile: Callable[[], object] = field(default=lambda: None)

    def write_rows(self, writers: Mapping[Part, ShardWriter]) -> None:
        """Write them."""
        for row in self.rows:
            writers["samples"].write(row)
        self.meanwhile()


@pytest.fixture
def job(tmp_path: Path) -> RenderJob:
    write_scan(tmp_path / "data", ITEM, seed=1)
    (job,) = plan_jobs(tmp_path / "set", tmp_path / "data")
    return job.model_copy(update={"run": "mine"})


@pytest.fixture
def folder(job: RenderJob) -> DatasetFolder:
    return DatasetFolder.at(job.uri)


def make(
    job: RenderJob, *, views: int = 2, meanwhile: Callable[[], object] = lambda: None
) -> ShardOutcome:
    rows = tuple(ball_rows(ITEM)[:views])
    return commit_shard(BallWork(job=job, rows=rows, meanwhile=meanwhile))


def by(run: str, job: RenderJob) -> RenderJob:
    return job.model_copy(update={"run": run})


def claim_elsewhere(folder: DatasetFolder, owner: str = "theirs") -> LeaseRecord:
    """Claim the shard for another run, on a host that is not known to be dead."""
    record = new_record(0.02, owner=owner).model_copy(update={"host": "elsewhere", "process": ""})
    folder.store.write(claim_name(SHARD), record.model_dump_json(), seen=None)
    return record


def test_a_claim_is_gone_when_the_shard_is_made(job: RenderJob, folder: DatasetFolder) -> None:
    assert make(job).committed
    assert folder.store.list_names("claims/samples") == ()


def test_what_another_run_is_making_is_left_to_it(job: RenderJob, folder: DatasetFolder) -> None:
    theirs = claim_elsewhere(folder)
    outcome = make(job)
    assert (outcome.made_by, outcome.committed, outcome.failures) == (str(theirs), False, ())
    assert folder.committed_shards() == ()
    assert folder.store.list_names("claims/samples") == (f"{SHARD}.json",)


def test_a_job_that_waits_takes_over_from_a_run_that_fell_silent(
    job: RenderJob, folder: DatasetFolder
) -> None:
    claim_elsewhere(folder)
    assert make(job.model_copy(update={"waits": True})).committed
    assert folder.store.list_names("claims/samples") == ()


def test_a_worker_takes_the_claim_of_a_dead_one_of_its_run(
    job: RenderJob, folder: DatasetFolder
) -> None:
    claim_elsewhere(folder, owner="mine")
    assert make(job).committed


def test_what_another_run_has_made_meanwhile_is_not_made_again(
    job: RenderJob, folder: DatasetFolder
) -> None:
    make(by("theirs", job))
    before = folder.read_manifest(SHARD)
    assert make(job).made_by == before.host
    assert folder.read_manifest(SHARD) == before


def test_the_first_of_two_to_publish_is_kept(job: RenderJob, folder: DatasetFolder) -> None:
    outcome = make(by("", job), views=2, meanwhile=lambda: make(by("", job), views=1))
    assert not outcome.committed
    assert "another writer changed it" in outcome.made_by
    assert [one.state for one in dataset_status(folder, SAMPLES, deep=True).shards] == ["done"]
    assert folder.read_manifest(SHARD).rows == 1


def test_the_record_follows_the_rows(
    job: RenderJob, folder: DatasetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that sleeps between its rows and its record finds others' rows, and gives way."""
    record, slept = commit._record, list[bool]()

    def sleep_once(*arguments: object) -> None:
        if not slept:
            slept.append(True)
            make(by("", job), views=1)
        record(*arguments)  # type: ignore[arg-type]  # as they were given

    monkeypatch.setattr(commit, "_record", sleep_once)
    outcome = make(by("", job), views=2)
    assert not outcome.committed
    assert folder.read_manifest(SHARD).rows == 1
    assert [one.state for one in dataset_status(folder, SAMPLES, deep=True).shards] == ["done"]


def test_a_record_of_rows_that_were_replaced_is_taken_back(
    job: RenderJob, folder: DatasetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are replaced in the moment in which their record is written."""
    write, replaced = LocalStore.write, list[bool]()

    def replace_rows(store: LocalStore, name: str, data: str | bytes, **seen: object) -> object:
        stamp = write(store, name, data, **seen)  # type: ignore[arg-type]  # as they were given
        if name == manifest_name(SHARD) and not replaced:
            replaced.append(True)
            rows = folder.shard_path(SHARD)
            rows.unlink()
            rows.write_bytes(b"of another writer")
        return stamp

    monkeypatch.setattr(LocalStore, "write", replace_rows)
    assert not make(by("", job)).committed
    assert folder.committed_shards() == ()
