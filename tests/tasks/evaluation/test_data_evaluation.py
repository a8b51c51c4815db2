from pathlib import Path

import numpy as np
import pytest

from schemas.errors import RequestError
from schemas.evaluate_request import EvaluateRequest
from schemas.evaluation import DataResult, ItemResult
from schemas.prediction import read_arrays, write_arrays
from tasks.evaluation.data_evaluation import (
    ItemJob,
    find_finished_evaluation,
    list_candidates,
    measure_item,
    plan_jobs,
    prepare_item,
    sum_up,
    write_data_result,
)
from tasks.evaluation.data_items import DataItem, choose_split, straightest_of_scans
from tests.tasks.data_sets import SETTINGS, commit_rows
from tests.tasks.sample_rows import RESOLUTION, ball_row

NAMES = ("RP/rp_ball_posed_001/0", "RP/rp_cube_posed_001/0")


@pytest.fixture
def request_of_balls(tmp_path: Path) -> EvaluateRequest:
    rows = [[ball_row(name, split="test")] for name in NAMES]
    folder = commit_rows(tmp_path / "set", [*rows, [ball_row("RP/rp_c_posed_001/0")]])
    for name in ("a", "b"):
        card = tmp_path / name / "model.json"
        card.parent.mkdir()
        card.write_text(f'{{"settings": {{"resolution": {RESOLUTION}}}}}')
        (tmp_path / name / "model.safetensors").write_text(name)
    return EvaluateRequest.model_validate(
        {
            "data": (str(folder.root),), "out": str(tmp_path / "out"),
            "checkpoint": (str(tmp_path / "a"), str(tmp_path / "b")),
            "protocol": {"points": 1000, "view_yaws": ()},
        }
    )  # fmt: skip


def predict_perfectly(job: ItemJob) -> None:
    """Write what nets would write that know the depth."""
    given = job.item.read()
    pixels = [(depth - 1) * given.camera.focal_px + RESOLUTION / 2 for depth in given.depth]
    front, back = (one / (RESOLUTION / 4) for one in pixels)
    inside = given.mask
    arrays: dict[str, np.ndarray] = {
        "front": np.where(inside, front, 6).astype(np.float32),
        "back": np.where(inside, back, 0).astype(np.float32),
        "mask": inside.astype(np.float16),
        "normals": np.full((6, RESOLUTION, RESOLUTION), 0.5, np.float16),
    }
    write_arrays(Path(job.prediction.output), arrays)


def test_every_sample_of_the_split_is_a_job_of_every_checkpoint(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    jobs = plan_jobs(request_of_balls, tmp_path)
    assert [(job.candidate.title, job.item.sample_id) for job in jobs] == [
        (title, name) for title in ("a", "b") for name in NAMES
    ]
    assert len({job.key for job in jobs}) == 4


def test_a_measured_sample_is_not_measured_again(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    job = plan_jobs(request_of_balls, tmp_path)[0]
    assert job.read_record() is None
    assert prepare_item(job) is None
    assert read_arrays(Path(job.prediction.input))["image"].shape == (RESOLUTION, RESOLUTION, 3)
    predict_perfectly(job)
    result = measure_item(job, "")
    assert result.measures["depth_front_cm"] == pytest.approx(0, abs=1e-3)
    assert job.read_record() == result
    assert not Path(job.prediction.output).exists()


def test_other_points_or_weights_are_measured_again(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    first = plan_jobs(request_of_balls, tmp_path)[0].key
    (tmp_path / "a/model.safetensors").write_text("trained further")
    assert plan_jobs(request_of_balls, tmp_path)[0].key != first
    more = request_of_balls.protocol.model_copy(update={"points": 2000})
    other = request_of_balls.model_copy(update={"protocol": more})
    assert plan_jobs(other, tmp_path)[0].key != plan_jobs(request_of_balls, tmp_path)[0].key


def test_a_bad_sample_fails_alone_and_is_tried_again(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    job = plan_jobs(request_of_balls, tmp_path)[0]
    job.item.shard.write_bytes(b"broken")
    failure = prepare_item(job)
    assert failure is not None
    assert "shard-00000" in failure.error
    refused = measure_item(job, "a mask of another size")
    assert refused.error == "a mask of another size"
    assert job.read_record() is None


def test_figures_of_checkpoints_stand_side_by_side(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    jobs = plan_jobs(request_of_balls, tmp_path)
    results = [
        ItemResult(
            sample_id=job.item.sample_id, checkpoint=job.candidate.title, key=job.key,
            measures={} if number == 3 else {"p2s_cm": float(number)},
            error="broken" if number == 3 else "",
        )
        for number, job in enumerate(jobs)
    ]  # fmt: skip
    summed = sum_up(request_of_balls, jobs, results)
    assert [one.measures["p2s_cm"].mean for one in summed.checkpoints] == [0.5, 2.0]
    assert [one.failed for one in summed.checkpoints] == [0, 1]
    write_data_result(tmp_path / "out", summed)
    stored = (tmp_path / "out/evaluation.json").read_bytes()
    assert DataResult.model_validate_json(stored) == summed
    table = (tmp_path / "out/evaluation.md").read_text()
    assert "| p2s (cm) ↓ | **0.500 [0.00, 1.00]** | 2.00 |" in table


def test_a_shown_sample_gets_mesh_images_and_page(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    job = plan_jobs(request_of_balls.model_copy(update={"shown": 1}), tmp_path)[0]
    assert job.is_shown
    predict_perfectly(job)
    result = measure_item(job, "")
    folder = tmp_path / "out" / result.shown
    names = {path.name for path in folder.iterdir()}
    assert {"mesh.glb", "mesh.obj", "mesh.ply", "view.html", "overview.png"} <= names
    assert job.read_record() == result
    (folder / "view.html").unlink()
    assert job.read_record() is None


def test_an_evaluation_is_finished_when_every_sample_has_figures(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    asked = request_of_balls.model_copy(update={"shown": 0, "max_items": 1})
    assert find_finished_evaluation(asked) is None
    jobs = plan_jobs(asked, tmp_path)
    for job in jobs:
        predict_perfectly(job)
        measure_item(job, "")
    results = [job.read_record() for job in jobs]
    write_data_result(tmp_path / "out", sum_up(asked, jobs, [one for one in results if one]))
    found = find_finished_evaluation(asked)
    assert found is not None
    assert found.data is not None
    assert found.data.items == NAMES[:1]
    assert find_finished_evaluation(request_of_balls) is None


def test_the_straightest_view_of_each_scan_is_shown(tmp_path: Path) -> None:
    yaws = (-30.0, 0.0, 30.0)
    items = [
        DataItem(f"RP/{name}/{yaw:g}", tmp_path, "", 0, SETTINGS, None, yaw)
        for name in ("a", "b")
        for yaw in yaws
    ]
    assert [one.sample_id for one in straightest_of_scans(items)] == ["RP/a/0", "RP/b/0"]


def test_titles_tell_checkpoints_apart(tmp_path: Path) -> None:
    paths = [str(tmp_path / run / "2k2k-depth") for run in ("first", "second")]
    asked = EvaluateRequest(data=("sets/rp",), checkpoint=(*paths, paths[0]))
    titles = [one.title for one in list_candidates(asked)]
    assert titles == ["first/2k2k-depth", "second/2k2k-depth"]


def test_a_split_without_samples_is_refused(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    asked = request_of_balls.model_copy(update={"split": ("val",)})
    with pytest.raises(RequestError, match="no sample of split val"):
        plan_jobs(asked, tmp_path)


def test_the_first_split_that_has_samples_is_chosen(
    request_of_balls: EvaluateRequest, tmp_path: Path
) -> None:
    assert choose_split(request_of_balls.data, "2k2k") == ("test",)
    trained = commit_rows(tmp_path / "other", [[ball_row()]])
    assert choose_split([str(trained.root)], "2k2k") == ("train",)
