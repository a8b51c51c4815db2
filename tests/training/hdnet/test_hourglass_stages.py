"""HDNet's first two stages through the trainer of all stages, with nets a sixteenth as wide."""

import json
from pathlib import Path

import pytest

from schemas.train_forms import PUBLISHED
from tests.training.conftest import MakeDataset, request_of
from tests.training.hdnet.conftest import write_balls
from training.run import main

SMALL = ["--width", "0.0625"]


def train(stage: str, data: Path, out: Path, *arguments: str) -> list[dict[str, float]]:
    assert (
        main(request_of([stage, "--data", str(data), "--out", str(out), *SMALL, *arguments])) == 0
    )
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if "loss" in line and "step" in line]


@pytest.mark.parametrize(("stage", "share"), [("hdnet-normal", 0.6), ("hdnet-depth", 0.5)])
def test_eight_samples_are_learnt(stage: str, share: float, balls: Path, tmp_path: Path) -> None:
    steps = train(stage, balls, tmp_path / "out", "--steps", "6", "--learning-rate", "0.01")
    assert steps[-1]["loss"] < share * steps[0]["loss"]


def test_the_published_numbers_are_the_defaults(balls: Path, tmp_path: Path) -> None:
    train("hdnet-normal", balls, tmp_path / "out", "--steps", "1")
    held = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (held["model"]["learning_rate"], held["model"]["schedule"]) == (1e-3, "constant")
    assert (held["data"]["batch"], PUBLISHED["hdnet-normal"].steps) == (8, 1_710_000)


def test_depth_has_three_terms_and_is_measured_in_millimetres(balls: Path, tmp_path: Path) -> None:
    (step,) = train("hdnet-depth", balls, tmp_path / "out", "--steps", "1")
    assert {"depth", "scale_normalised", "depth_normal"} <= set(step)
    report = json.loads((tmp_path / "out" / "validation.json").read_text())
    expected = {"loss", "depth_front_millimetres", "normal_angle_degrees"}
    assert set(report["measures"]) == expected
    card = json.loads((tmp_path / "out" / "model.json").read_text())
    assert card["depth_unit"] == "metres along z, the person's median at 4"


def test_a_run_in_two_parts_takes_the_same_steps(balls: Path, tmp_path: Path) -> None:
    whole = train("hdnet-normal", balls, tmp_path / "whole", "--steps", "3", "--batch", "2")
    train("hdnet-normal", balls, tmp_path / "parts", "--steps", "1", "--batch", "2")
    parts = train("hdnet-normal", balls, tmp_path / "parts", "--steps", "3", "--batch", "2")
    assert [step["loss"] for step in parts] == [step["loss"] for step in whole]


def refuse(capsys: pytest.CaptureFixture[str], stage: str, data: Path, out: Path) -> str:
    code = main(request_of([stage, "--data", str(data), "--out", str(out), "--steps", "1"]))
    assert (code, out.exists()) == (2, False)
    return capsys.readouterr().err


def test_depth_refuses_samples_without_iuv_by_name_before_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_balls(tmp_path / "data", lacking=5)
    said = refuse(capsys, "hdnet-depth", data, tmp_path / "out")
    names = ", ".join(f"RP/rp_b{n}_posed_001/0/hdnet" for n in range(3))
    assert f"no iuv in {names} and 2 more; expected iuv in every sample" in said
    assert "--densepose, or train hdnet-normal" in said


def test_normals_need_no_iuv(tmp_path: Path) -> None:
    data = write_balls(tmp_path / "data", lacking=9)
    assert len(train("hdnet-normal", data, tmp_path / "out", "--steps", "1", "--batch", "1")) == 1


def test_samples_of_another_camera_are_refused(
    make_dataset: MakeDataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_dataset(tmp_path / "data", train=1, val=0, shards=1)
    said = refuse(capsys, "hdnet-normal", data, tmp_path / "out")
    assert "samples of camera 2k2k only" in said
    assert "Render with --camera hdnet." in said


@pytest.mark.parametrize(
    ("stage", "option"),
    [
        ("hdnet-normal", ["--nets", "coarse"]),
        ("hdnet-depth", ["--background", "fresh"]),
        ("hdnet-normal", ["--no-augment"]),
        ("2k2k-normal", ["--depth-normals", "published"]),
    ],
)
def test_an_option_without_meaning_is_refused(
    stage: str, option: list[str], balls: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert (
        main(request_of([stage, "--data", str(balls), "--out", str(out), "--steps", "1", *option]))
        == 2
    )
    assert f"{option[0]}: " in capsys.readouterr().err
