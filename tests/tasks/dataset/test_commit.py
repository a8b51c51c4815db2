"""What the shards of all kinds have in common: the better of two is kept, failures are recorded."""

from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from schemas.dataset_folder import DatasetFolder, Part
from schemas.errors import MachineError, StorageError
from schemas.manifest import FailedShard
from schemas.scan import ScanRef
from schemas.settings import RenderSettings
from schemas.views import View
from tasks.dataset.commit import fail_shard
from tasks.dataset.shard_kinds import ShardJob, ShardKind
from tasks.dataset.states import ShardStatus, dataset_status, shards_to_redo
from tasks.formats.importing import ReadSample, SampleWithFiles, import_samples
from tasks.formats.registry import FORMATS
from tasks.samples.sample_shards import SAMPLES
from tasks.video import survey
from tasks.video.pair_shard import pair_video
from tasks.video.sequences import FrameFiles
from tasks.video.survey import FrameFacts
from tasks.video.video_shards import VIDEOS
from tests.tasks.data_sets import plan_jobs
from tests.tasks.formats.folders import export_to
from tests.tasks.formats.twok2k.ball_sets import make_ball_set
from tests.tasks.scan_folders import write_scan
from tests.tasks.small_disks import fill, small_disk
from tests.tasks.video.paired import FEW, pair_all, plan_pairs
from tests.tasks.video.sequence_files import write_sequence

BROKEN = MachineError("gpu", found="it fell off the bus", expected="a GPU", hint="Restart.")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_sequence(tmp_path / "data/dance", 3)
    write_scan(tmp_path / "data", "rp_box_posed_001", seed=1)
    return tmp_path / "data"


def files(out: Path, *parts: Part) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for part in parts for path in (out / part).iterdir()}


def first(out: Path, kind: ShardKind[Any]) -> ShardStatus:
    return dataset_status(DatasetFolder.at(out), kind).shards[0]


def test_a_failing_machine_replaces_no_video_that_has_more(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = plan_pairs(tmp_path / "out", data / "dance", FEW)
    pair_video(job)
    before = files(tmp_path / "out", "frames", "pairs")
    look = survey.look_at_frame

    def fail_on_the_fourth(frame: FrameFiles) -> FrameFacts:
        if frame.number == 4:
            raise BROKEN
        return look(frame)

    monkeypatch.setattr(survey, "look_at_frame", fail_on_the_fourth)
    outcome = pair_video(job)
    assert (outcome.state, outcome.committed) == ("failed", False)
    assert files(tmp_path / "out", "frames", "pairs") == before
    assert first(tmp_path / "out", VIDEOS).state == "done"


def reader_of(views: int) -> ReadSample:
    """Return a reader of a published folder whose machine breaks after so many views."""
    left = count(views, -1)

    def read(root: Path, ref: ScanRef, view: View, settings: RenderSettings) -> SampleWithFiles:
        if next(left) <= 0:
            raise BROKEN
        return FORMATS["2k2k"].read_sample(root, ref, view, settings)

    return read


@pytest.fixture
def published(tmp_path: Path) -> Path:
    export_to(tmp_path / "published", "2k2k", make_ball_set(tmp_path / "balls"))
    return tmp_path / "published"


def import_until(source: Path, out: Path, views: int) -> list[int]:
    """Import with a machine that breaks after so many views; returns the rows of the shards."""
    samples = FORMATS["2k2k"].open_folder(source).samples
    assert samples is not None
    import_samples(source, str(out), samples, reader_of(views))
    folder = DatasetFolder.at(out)
    return [folder.read_manifest(name).rows for name in folder.committed_shards()]


def test_a_failing_machine_replaces_no_imported_shard_that_has_more(
    published: Path, tmp_path: Path
) -> None:
    assert import_until(published, tmp_path / "out", 1)[0] == 1
    assert first(tmp_path / "out", SAMPLES).state == "failed"
    assert import_until(published, tmp_path / "out", 0)[0] == 1
    assert import_until(published, tmp_path / "out", 1000)[0] > 1
    assert first(tmp_path / "out", SAMPLES).state == "done"


def test_a_corrupt_imported_shard_is_imported_again(published: Path, tmp_path: Path) -> None:
    import_until(published, tmp_path / "out", 1000)
    path = DatasetFolder.at(tmp_path / "out").shard_path("shard-00000")
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    import_until(published, tmp_path / "out", 1000)
    assert path.read_bytes() == whole


def test_a_full_disk_during_an_import_is_a_failure_of_each_sample(
    published: Path, tmp_path: Path
) -> None:
    samples = FORMATS["2k2k"].open_folder(published).samples
    assert samples is not None
    with small_disk(tmp_path / "disk") as disk:
        fill(disk, leave_bytes=40_000)
        made = import_samples(published, str(disk / "set"), samples, FORMATS["2k2k"].read_sample)
        assert not made.passed
        assert {(one.kind, one.error) for one in made.failures} == {("environment", "StorageError")}
        assert "No space left on device" in made.failures[0].message
        assert list((disk / "set/samples").iterdir()) == []


def test_an_import_onto_a_full_disk_is_one_error(published: Path, tmp_path: Path) -> None:
    samples = FORMATS["2k2k"].open_folder(published).samples
    assert samples is not None
    with small_disk(tmp_path / "disk") as disk:
        fill(disk)
        with pytest.raises(StorageError, match="No space left on device"):
            import_samples(published, str(disk / "set"), samples, FORMATS["2k2k"].read_sample)


def jobs_of(tmp_path: Path, data: Path) -> Iterable[ShardJob]:
    return (plan_jobs(tmp_path / "out", data)[0], plan_pairs(tmp_path / "out", data / "dance")[0])


def test_a_shard_whose_worker_died_twice_is_failed_with_the_reason(
    data: Path, tmp_path: Path
) -> None:
    for job in jobs_of(tmp_path, data):
        fail_shard(job.model_copy(update={"attempt": 2}), BROKEN)
        shard = first(tmp_path / "out", job.kind)
        assert (shard.state, shard.attempt) == ("failed", 2)
        assert "it fell off the bus" in shard.reasons[0]
        status = dataset_status(DatasetFolder.at(tmp_path / "out"), job.kind)
        assert shards_to_redo(status) == ("shard-00000",)


def test_a_commit_removes_the_record_of_a_failure(data: Path, tmp_path: Path) -> None:
    (job,) = plan_pairs(tmp_path / "out", data / "dance", FEW)
    fail_shard(job, BROKEN)
    pair_video(job)
    assert not list((tmp_path / "out/failed").rglob("*.json"))
    DatasetFolder.at(tmp_path / "out").manifest_path("shard-00000", "pairs").unlink()
    assert first(tmp_path / "out", VIDEOS).state == "missing"


def test_a_record_of_a_failure_that_cannot_be_read_explains_nothing(
    data: Path, tmp_path: Path
) -> None:
    (job,) = plan_pairs(tmp_path / "out", data / "dance", FEW)
    fail_shard(job, BROKEN)
    (tmp_path / "out/failed/frames/shard-00000.json").write_text("{")
    assert first(tmp_path / "out", VIDEOS).state == "missing"


def test_a_failure_is_recorded_by_its_first_part(data: Path, tmp_path: Path) -> None:
    (job,) = plan_pairs(tmp_path / "out", data / "dance", FEW)
    outcome = fail_shard(job, BROKEN)
    stored = (tmp_path / "out/failed/frames/shard-00000.json").read_bytes()
    record = FailedShard.model_validate_json(stored)
    assert record.failures == outcome.failures
    assert [one.sample_id for one in record.failures] == ["dance"]


def test_a_video_that_no_plan_names_is_orphaned(data: Path, tmp_path: Path) -> None:
    pair_all(tmp_path / "out", data / "dance")
    (tmp_path / "out/plan/00000.json").unlink()
    (shard,) = dataset_status(DatasetFolder.at(tmp_path / "out"), VIDEOS).shards
    assert (shard.state, shard.reasons) == ("orphaned", ("no plan segment names it",))
