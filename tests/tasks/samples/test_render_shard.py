import errno
import multiprocessing
import os
import resource
import signal
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from renderers import session
from renderers.session import open_session
from schemas.dataset_folder import DatasetFolder
from schemas.errors import MachineError, RequestError
from schemas.exr_compression import ExrCompression
from schemas.scan import InputFile
from tasks.checks.validation import validate_dataset
from tasks.dataset.code_digest import code_digest
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.planning import read_plan
from tasks.dataset.shards import digest_shard, read_rows, read_shard_schema
from tasks.dataset.stored_sample import StoredSample
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tests.tasks.data_sets import SETTINGS, plan_jobs, render_jobs
from tests.tasks.scan_folders import write_scan

ITEMS = ("rp_box_posed_001", "rp_box_posed_002", "rp_crate_posed_001")


def mesh_of(data: Path, item: str) -> Path:
    return data / f"obj/RP/{item}_OBJ/{item}_100k.obj"


def shard_bytes(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((root / "samples").iterdir())}


def render_limited(job: RenderJob, limit: int) -> ShardOutcome:
    """Render where no file may grow beyond `limit` bytes, as on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
    try:
        return render_shard(job)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def render_on_a_broken_disk(jobs: list[RenderJob]) -> list[ShardOutcome]:
    """Render where no mesh can be opened: the disk answers EIO."""
    real = os.open

    def fail(path: Path, *rest: int) -> int:
        if Path(path).suffix == ".obj":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return real(path, *rest)

    with mock.patch("schemas.regular_files.os.open", fail):
        return render_jobs(jobs)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for seed, item in enumerate(ITEMS):
        write_scan(tmp_path / "data", item, seed=seed)
    return tmp_path / "data"


def test_a_shard_is_committed_with_all_its_samples(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    jobs = plan_jobs(tmp_path / "out", data)
    (outcome,) = painter.submit(render_jobs, jobs[:1]).result()
    manifest = DatasetFolder.at(tmp_path / "out").read_manifest("shard-00000")
    assert (outcome.state, outcome.rows, outcome.committed) == ("done", 2, True)
    assert manifest.sample_ids == ("RP/rp_box_posed_001/0", "RP/rp_box_posed_001/10")
    assert manifest.sha256 == digest_shard(tmp_path / "out/samples/shard-00000.parquet")


def test_the_record_says_what_decided_the_bytes(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    jobs = plan_jobs(tmp_path / "out", data)
    painter.submit(render_jobs, jobs[:1]).result()
    manifest = DatasetFolder.at(tmp_path / "out").read_manifest("shard-00000")
    assert manifest.code_digest == code_digest()
    assert manifest.versions["numpy"] == np.__version__
    assert {Path(one.path).name for one in manifest.inputs} == {
        "rp_box_posed_001_100k.obj", "rp_box_posed_001_dif_8k.jpg", "rp_box_posed_001.json",
        "rp_box_posed_001.npy",
    }  # fmt: skip
    assert set(manifest.seconds) >= {"read", "place", "draw", "light", "encode", "write"}
    assert datetime.fromisoformat(manifest.started) <= datetime.fromisoformat(manifest.ended)


def test_what_is_drawn_passes_validation(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    painter.submit(render_jobs, plan_jobs(tmp_path / "out", data, scans_per_shard=2)).result()
    validation = validate_dataset(DatasetFolder.at(tmp_path / "out"))
    assert validation.findings == ()
    assert validation.samples == 6


@pytest.mark.parametrize("compression", ["fast_zip", "htj2k"])
def test_another_compression_holds_the_same_values(
    tmp_path: Path,
    data: Path,
    painter: ProcessPoolExecutor,
    compression: ExrCompression,
) -> None:
    label, needs = {
        "fast_zip": (b"OpenEXR float32 ZIP", ""),
        "htj2k": (b"OpenEXR float32 HTJ2K256", "OpenEXR 3.4"),
    }[compression]
    other = SETTINGS.model_copy(update={"exr_compression": compression})
    for name, settings in (("a", SETTINGS), ("b", other)):
        jobs = plan_jobs(tmp_path / name, data, settings=settings)
        painter.submit(render_jobs, jobs[:1]).result()
    usual, changed = (tmp_path / name / "samples/shard-00000.parquet" for name in ("a", "b"))
    assert read_shard_schema(changed).field("depth").metadata[b"codec"] == label
    for ours, theirs in zip(read_rows(usual), read_rows(changed), strict=True):
        first, second = (StoredSample(row, SETTINGS) for row in (ours, theirs))
        np.testing.assert_array_equal(first.depth, second.depth)
        np.testing.assert_array_equal(first.normals, second.normals)
    validation = validate_dataset(DatasetFolder.at(tmp_path / "b"))
    assert {one.what for one in validation.findings} == {"shard"}  # the two that were not made
    assert validation.needs.startswith(needs)
    assert bool(needs) == any("exr_compression" in line for line in validation.lines)


def test_the_same_work_gives_the_same_bytes_in_another_order(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    first, second = (plan_jobs(tmp_path / name, data) for name in ("a", "b"))
    painter.submit(render_jobs, first).result()
    painter.submit(render_jobs, second[::-1]).result()
    painter.submit(render_jobs, second[:1]).result()
    assert shard_bytes(tmp_path / "a") == shard_bytes(tmp_path / "b")


def test_runs_at_once_on_the_same_shards_do_no_harm(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    painter.submit(render_jobs, plan_jobs(tmp_path / "alone", data)).result()
    jobs = plan_jobs(tmp_path / "out", data)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=open_session) as pool:
        runs = [pool.submit(render_jobs, jobs * 4) for _ in range(2)]
    outcomes = [outcome for run in runs for outcome in run.result()]
    assert {outcome.state for outcome in outcomes if not outcome.made_by} == {"done"}
    assert shard_bytes(tmp_path / "out") == shard_bytes(tmp_path / "alone")
    assert validate_dataset(DatasetFolder.at(tmp_path / "out")).findings == ()


def test_a_scan_that_cannot_be_read_fails_alone(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    mesh_of(data, ITEMS[1]).write_text("v 0 0 nan\nf 1 1 1\n")
    (outcome,) = painter.submit(
        render_jobs, plan_jobs(tmp_path / "out", data, scans_per_shard=3)
    ).result()
    assert outcome.state == "rejects"
    assert [(one.sample_id, one.stage, one.kind, one.error) for one in outcome.failures] == [
        ("RP/rp_box_posed_002/0", "read", "input", "InputError"),
        ("RP/rp_box_posed_002/10", "read", "input", "InputError"),
    ]
    rows = read_rows(tmp_path / "out/samples/shard-00000.parquet", columns=["sample_id"])
    assert [row["sample_id"] for row in rows] == [
        "RP/rp_box_posed_001/0", "RP/rp_box_posed_001/10",
        "RP/rp_crate_posed_001/0", "RP/rp_crate_posed_001/10",
    ]  # fmt: skip


def test_a_scan_that_cannot_be_placed_is_kept_with_its_stage(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    point = "v 1 1 1\nv 1 1 1\nv 1 1 1\nvt 0 0\nf 1/1 2/1 3/1\n"
    mesh_of(data, ITEMS[0]).write_text(point)
    (outcome,) = painter.submit(render_jobs, plan_jobs(tmp_path / "out", data)[:1]).result()
    assert {one.kind for one in outcome.failures} == {"input"}
    assert {one.stage for one in outcome.failures} <= {"read", "place"}
    assert outcome.rows == 0


def test_a_failed_scan_keeps_the_digests_that_may_have_to_change(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    (data / f"obj/RP/{ITEMS[0]}_OBJ/tex/{ITEMS[0]}_dif_8k.jpg").unlink()
    painter.submit(render_jobs, plan_jobs(tmp_path / "out", data)[:1]).result()
    inputs = DatasetFolder.at(tmp_path / "out").read_manifest("shard-00000").inputs
    folder = f"obj/RP/{ITEMS[0]}_OBJ"
    assert InputFile(path=f"{folder}/tex/{ITEMS[0]}_dif_8k.jpg") in inputs
    assert next(one for one in inputs if one.path == f"{folder}/{ITEMS[0]}_100k.obj").sha256


def test_a_machine_that_fails_is_no_fault_of_the_input(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    jobs = plan_jobs(tmp_path / "out", data)
    (outcome,) = painter.submit(render_on_a_broken_disk, jobs[:1]).result()
    assert outcome.state == "failed"
    assert {one.kind for one in outcome.failures} == {"environment"}


def test_a_failing_machine_replaces_no_shard_that_has_more(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    jobs = plan_jobs(tmp_path / "out", data)[:1]
    painter.submit(render_jobs, jobs).result()
    before = shard_bytes(tmp_path / "out")
    (outcome,) = painter.submit(render_on_a_broken_disk, jobs).result()
    assert (outcome.state, outcome.committed) == ("failed", False)
    assert shard_bytes(tmp_path / "out") == before
    assert DatasetFolder.at(tmp_path / "out").read_manifest("shard-00000").state == "done"


def test_a_full_disk_leaves_no_shard_and_is_told(
    tmp_path: Path, data: Path, painter: ProcessPoolExecutor
) -> None:
    (job, *_) = plan_jobs(tmp_path / "out", data)
    outcome = painter.submit(render_limited, job, 20_000).result()
    assert (outcome.state, outcome.committed) == ("failed", False)
    assert {(one.stage, one.kind, one.error) for one in outcome.failures} == {
        ("write", "environment", "StorageError")
    }
    assert list((tmp_path / "out/samples").iterdir()) == []
    assert DatasetFolder.at(tmp_path / "out").committed_shards() == ()


def test_a_process_without_a_session_is_told(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session._HOLDER, "session", None)
    (job, *_) = plan_jobs(tmp_path / "out", data)
    with pytest.raises(MachineError, match="no session in this process"):
        render_shard(job)


def test_frozen_backgrounds_without_their_folder_are_refused(tmp_path: Path, data: Path) -> None:
    (job, *_) = plan_jobs(tmp_path / "out", data)
    text = '{"images": [{"path": "hall.png", "sha256": "0", "width": 9, "height": 9}]}'
    (DatasetFolder.at(tmp_path / "out").root / "backgrounds.json").write_text(text)
    with pytest.raises(RequestError, match="expected the folder that the data set was begun with"):
        render_shard(job)


def test_a_plan_names_what_the_jobs_are(tmp_path: Path, data: Path) -> None:
    jobs = plan_jobs(tmp_path / "out", data, scans_per_shard=2)
    assert tuple(job.shard for job in jobs) == read_plan(DatasetFolder.at(tmp_path / "out"))
    assert {job.settings for job in jobs} == {SETTINGS}
