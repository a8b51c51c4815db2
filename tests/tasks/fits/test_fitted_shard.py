"""Shards of scans with SMPL-X fits, rendered with a body model and without."""

import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.manifest import Manifest, PlannedShard
from schemas.settings import RenderSettings
from tasks.dataset.commit import ShardOutcome
from tasks.dataset.preparation import prepare_dataset
from tasks.dataset.shards import read_rows
from tasks.fits.body_model import digest_model
from tasks.samples.render_shard import render_shard
from tasks.samples.sample_shards import RenderJob
from tests.tasks.fits.fitted_scans import thuman_ref

NO_MODEL = RenderSettings(resolution=64, yaws=(0,))


def _job(root: Path, out: Path, *, with_model: bool) -> RenderJob:
    folder = root / "smplx_models"
    digest = digest_model(folder) if with_model else ""
    settings = NO_MODEL.model_copy(update={"smplx_model": digest})
    prepare_dataset(DatasetFolder.at(out), settings)
    ref = thuman_ref(next((root / "obj/THuman2/data").iterdir()).name)
    shard = PlannedShard(shard_id="shard-00000", scans=(ref,))
    return RenderJob(
        uri=str(out), data_root=root, shard=shard, settings=settings,
        model_root=folder if with_model else None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def unannotated(fitted_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Leave the annotation out, so that joints must come from the fit."""
    root = tmp_path_factory.mktemp("unannotated") / "root"
    return Path(shutil.copytree(fitted_root, root, ignore=shutil.ignore_patterns("Joint3D")))


def _render(
    painter: ProcessPoolExecutor, job: RenderJob
) -> tuple[ShardOutcome, Manifest, dict[str, Any]]:
    outcome = painter.submit(render_shard, job).result()
    folder = DatasetFolder.at(Path(job.uri))
    row: dict[str, Any] = next(read_rows(folder.shard_path("shard-00000")))
    return outcome, folder.read_manifest("shard-00000"), row


def test_with_a_model_joints_come_from_the_fit_and_the_check_is_kept(
    painter: ProcessPoolExecutor, unannotated: Path, tmp_path: Path
) -> None:
    _, manifest, row = _render(painter, _job(unannotated, tmp_path / "set", with_model=True))
    assert set(row["keypoint_source"]) == {4}
    assert np.reshape(row["keypoints"], (31, 3))[:, 2].all()
    assert row["metric_source"] == "fit"
    assert [check.is_misfit for check in manifest.fits] == [False]
    assert "smplx" in manifest.versions
    assert manifest.warnings[0].endswith("no Joint3D annotation: those of the SMPL-X fit are used")


def test_without_a_model_joints_stay_unknown_and_all_else_works(
    painter: ProcessPoolExecutor, unannotated: Path, tmp_path: Path
) -> None:
    outcome, manifest, row = _render(painter, _job(unannotated, tmp_path / "set", with_model=False))
    assert outcome.state == "done"
    assert set(row["keypoint_source"]) == {0}
    assert row["metric_source"] == "fit"
    assert manifest.fits == ()
    assert manifest.warnings[0].endswith("no Joint3D annotation: all keypoints are unknown")


def test_a_data_set_with_a_model_asks_for_it_again(
    painter: ProcessPoolExecutor, unannotated: Path, tmp_path: Path
) -> None:
    job = _job(unannotated, tmp_path / "set", with_model=True)
    with pytest.raises(RequestError, match="--smplx-models: no folder"):
        painter.submit(render_shard, job.model_copy(update={"model_root": None})).result()
