"""HDNet's stages on videos: predicted normals into shards, then depth from pairs; tiny nets."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from schemas.codecs import decode_front_normals, decode_image, decode_mask
from schemas.dataset_folder import DatasetFolder
from schemas.predicted_normals import read_plan
from tasks.dataset.planning import read_video_plan
from tasks.dataset.shards import read_rows
from tasks.dataset.states import ShardStatus, dataset_status
from tasks.video.pair_shard import pair_video
from tasks.video.predicted_shards import commit_predicted, list_predicted
from tasks.video.video_shards import VIDEOS, PairJob
from tasks.video.video_validation import validate_videos
from tests.tasks.video.paired import FEW
from tests.training.hdnet.video_runs import (
    FILE,
    FRAMES,
    PREDICT,
    VIDEO,
    losses,
    predict_into,
    run,
)
from training.hdnet.hourglass_stages import build_normal_net
from training.hdnet.joint_samples import open_joint_index
from training.hdnet.labelled_samples import LABELLED_WITH_IUV
from training.run_settings import ModelSettings
from training.weights import adopt_weights, read_weights


def status_of(dances: Path) -> ShardStatus:
    (shard,) = dataset_status(DatasetFolder.at(dances), VIDEOS, deep=True).shards
    return shard


def test_predictions_are_the_nets_own_unit_normals_inside_the_mask(
    predicted: Path, trained: Path
) -> None:
    net = build_normal_net(ModelSettings(stage="hdnet-normal", resolution=256, width=0.0625))
    adopt_weights(net, read_weights(trained / "hdnet-normal"), "it")
    rows = list(read_rows(predicted / FILE))
    row = rows[7]
    mask = decode_mask(row["mask"]["bytes"])  # type: ignore[index]  # a column of images
    image = decode_image(row["color"]["bytes"])  # type: ignore[index]  # a column of images
    white = np.where(mask[..., None], image, 255).astype(np.float32)
    with torch.no_grad():
        raw = net(torch.from_numpy(white).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy()
    expected = raw / np.linalg.norm(raw, axis=-1, keepdims=True)
    stored = decode_front_normals(row["pred_normals"])  # type: ignore[arg-type]  # bytes
    np.testing.assert_allclose(stored[mask], expected[mask], atol=1e-5)
    assert not stored[~mask].any()
    assert len(rows) == FRAMES


def test_a_data_set_with_predictions_is_as_done_as_before(paired: Path, predicted: Path) -> None:
    before, after = status_of(paired / "out"), status_of(predicted)
    assert (after.state, after.older_code, after.reasons) == ("done", False, ())
    assert (after.attempt, before.attempt) == (2, 1)
    assert validate_videos(DatasetFolder.at(predicted)).findings == ()
    pairs = [root / "pairs/shard-00000.parquet" for root in (paired / "out", predicted)]
    assert pairs[0].read_bytes() == pairs[1].read_bytes()


def test_a_stopped_prediction_goes_on_with_what_is_missing(
    dances: Path, predicted: Path, trained: Path, tmp_path: Path
) -> None:
    out, init = tmp_path / "run", trained / "hdnet-normal"
    assert run(PREDICT, dances, out, "--init", init) == 0
    plan = read_plan(out)
    (kept, _), (lost, _) = plan.files_of(out, plan.shards[0])
    lost.unlink()
    assert list_predicted(out) == ()
    made = kept.stat().st_mtime_ns
    assert run(PREDICT, dances, out, "--init", init) == 0
    assert kept.stat().st_mtime_ns == made
    (job,) = list_predicted(out)
    commit_predicted(job)
    again, before = (
        [decode_front_normals(row["pred_normals"]) for row in read_rows(root / FILE)]  # type: ignore[arg-type]  # bytes
        for root in (dances, predicted)
    )
    np.testing.assert_allclose(again, before, atol=1e-5)


def test_the_program_says_how_much_is_predicted(
    dances: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, init = tmp_path / "run", trained / "hdnet-normal"
    predict_into(dances, init, out)
    capsys.readouterr()
    run(PREDICT, dances, out, "--init", init, "--check")
    assert json.loads(capsys.readouterr().out) == {
        "steps": FRAMES, "done": FRAMES, "finished": True
    }  # fmt: skip
    run(PREDICT, dances, out, "--init", init)
    assert read_plan(out).shards == ()


def test_other_weights_predict_all_frames_again(predicted: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = build_normal_net(ModelSettings(stage="hdnet-normal", resolution=256, width=0.0625))
    save_file(net.state_dict(), tmp_path / "other.safetensors")
    assert run(PREDICT, predicted, tmp_path / "run", "--init", tmp_path / "other.safetensors") == 0
    (shard,) = read_plan(tmp_path / "run").shards
    assert shard.rows == tuple(range(FRAMES))


def test_frames_that_are_made_again_lose_their_predictions_with_a_warning(
    predicted: Path, paired: Path, tmp_path: Path
) -> None:
    shutil.copytree(predicted, tmp_path / "dances")
    folder = DatasetFolder.at(tmp_path / "dances")
    (planned,) = read_video_plan(folder)
    pair_video(
        PairJob(uri=str(folder.root), data_root=paired / "data", shard=planned, settings=FEW)
    )
    manifest = folder.read_manifest("shard-00000", "frames")
    assert manifest.predicted_by is None
    assert any("made again without its predicted normals" in one for one in manifest.warnings)


def train_video(data: list[Path], init: Path, out: Path, *words: object) -> int:
    few = ("--max-val-samples", 1, "--learning-rate", "0.002")
    return run(VIDEO, data, out, "--init", init / "hdnet-depth", *few, *words)


@pytest.mark.long
def test_pairs_and_labelled_samples_are_learnt_together(
    balls: Path, predicted: Path, trained: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ("--steps", 6, "--batch", 2, "--adam", "pytorch", "--epsilon", "1e-8")
    assert train_video([balls, predicted], trained, out, *words) == 0
    steps = losses(out)
    expected = {"depth", "scale_normalised", "depth_normal", "video_normal", "warping"}
    assert expected <= set(steps[0])
    assert steps[-1]["loss"] < 0.9 * steps[0]["loss"]
    report = json.loads((out / "validation.json").read_text())
    assert set(report["measures"]) == {"loss", "depth_front_millimetres", "normal_angle_degrees"}
    assert decode_image((out / "samples/step-00000006.png").read_bytes()).shape == (512, 9 * 256, 3)


def test_a_run_in_two_parts_takes_the_same_steps_to_the_bit(
    balls: Path, predicted: Path, trained: Path, tmp_path: Path
) -> None:
    data = [balls, predicted]
    train_video(data, trained, tmp_path / "whole", "--steps", 3)
    train_video(data, trained, tmp_path / "parts", "--steps", 1)
    train_video(data, trained, tmp_path / "parts", "--steps", 3)
    whole, parts = losses(tmp_path / "whole"), losses(tmp_path / "parts")
    assert [one["loss"] for one in parts] == [one["loss"] for one in whole]
    held = json.loads((tmp_path / "whole/run.json").read_text())
    assert (held["model"]["epsilon"], held["model"]["adam"]) == (0.1, "tensorflow")
    assert (held["data"]["batch"], held["model"]["depth_normals"]) == (1, "from_depth")


def test_frames_without_predictions_are_refused_by_name(
    balls: Path, dances: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_video([balls, dances], trained, tmp_path / "out", "--steps", 1) == 2
    said = capsys.readouterr().err
    assert "no pred_normals in dance/0000001, dance/0000004" in said
    assert "hdnet-predict-normals" in said


def test_labelled_samples_without_videos_are_refused(
    balls: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_video([balls], trained, tmp_path / "out", "--steps", 1) == 2
    assert "no pair of split train" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([VIDEO], "--init: none; expected the weights of hdnet-depth"),
        ([PREDICT], "--init: none; expected the weights of hdnet-normal"),
        ([PREDICT, "--init", "x", "--steps", "3"], "--steps: 3 for hdnet-predict-normals"),
        ([PREDICT, "--init", "nowhere"], "nowhere: no such file or folder"),
    ],
)
def test_requests_that_can_not_be_met_are_one_line(
    words: list[str], said: str, balls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words[0], balls, tmp_path / "out", *words[1:]) == 2
    assert said in capsys.readouterr().err


def test_every_sample_and_every_pair_is_seen_in_an_epoch(balls: Path, predicted: Path) -> None:
    index = open_joint_index([str(balls), str(predicted)], LABELLED_WITH_IUV)
    joint = index.to_train(["train"])
    assert len(joint) == max(8, len(index.pairs))
    assert len({one.sample_id for one in joint}) == 8
    assert [one.sample_id for one in index.of_splits(["val"])] == ["RP/rp_b0_posed_001/0/hdnet"]
