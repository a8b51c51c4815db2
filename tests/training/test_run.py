"""Whole runs on one rank, in this process, with nets a twentieth as wide."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
from torch import Tensor

from schemas.train_forms import FORMS
from tests.training.conftest import Ellipsoid, ellipsoid_row, request_of, write_shard
from training.loop.training_log import TrainingLog
from training.run import main
from training.run_settings import ModelSettings
from training.stages import STAGES
from training.twok2k.person_examples import NormalExamples
from training.twok2k.person_nets import NormalPrediction
from training.twok2k.person_samples import PersonBatch
from training.twok2k.person_stages import NORMAL_STAGE
from training.weights import read_weights

NARROW = ["--width", "0.05", "--learning-rate", "0.002", "--schedule", "constant"]
Run = Callable[..., int]


@pytest.fixture
def run(dataset: Path, tmp_path: Path) -> Run:
    """Return a way to train into a folder below tmp_path on the ellipsoids."""

    def start(*arguments: str, stage: str = "2k2k-normal", out: str = "out") -> int:
        always = [stage, "--data", str(dataset), "--out", str(tmp_path / out), *NARROW]
        return main(request_of([*always, *arguments]))

    return start


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def test_a_run_leaves_what_the_contract_names_and_its_loss_falls(run: Run, tmp_path: Path) -> None:
    assert run("--nets", "coarse", "--steps", "12", "--learning-rate", "0.01") == 0
    out = tmp_path / "out"
    assert {path.name for path in out.iterdir()} == {
        "run.json", "checkpoints", "latest", "best", "model.safetensors", "model.json",
        "metrics.jsonl", "tensorboard", "samples", "curve.png", "validation.json",
    }  # fmt: skip
    assert (out / "latest").read_text() == "step-00000012\n"
    curve = losses(out)
    assert len(curve) == 12
    assert sum(curve[-3:]) < 0.9 * sum(curve[:3])


def test_the_program_says_its_steps_in_plain_lines(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--nets", "coarse", "--steps", "2")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("step 1/2 loss ")
    assert " samples/s " in lines[0]


def test_a_profiled_run_says_where_time_and_memory_went_and_learns_the_same(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--nets", "coarse", "--steps", "2", "--save-every", "2", "--profile") == 0
    table = capsys.readouterr().out.partition("where the time of 2 steps went")[2].splitlines()
    rows = {line[:19].strip(): line[19:].split() for line in table[2:-1]}
    counts = {name: int(row[0]) for name, row in rows.items() if name != "between the parts"}
    steps = ("take a batch", "augment, targets", "forward", "backward", "optimise")
    assert [counts[name] for name in steps] == [2] * len(steps)
    assert (counts["write a checkpoint"], counts["validate"]) == (1, 1)
    assert counts["read"] == counts["decode"] >= 2
    assert all(float(rows[name][-1]) > 100 for name in steps)  # MiB resident: torch alone is more
    assert sum(
        float(row[3 if name in counts else 2].rstrip("%")) for name, row in rows.items()
    ) == pytest.approx(100, abs=1)
    assert run("--nets", "coarse", "--steps", "2", out="unprofiled") == 0
    assert losses(tmp_path / "out") == losses(tmp_path / "unprofiled")


def test_validation_is_on_the_held_out_split_with_all_measures(run: Run, tmp_path: Path) -> None:
    run("--nets", "coarse", "--steps", "2")
    report = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert (report["splits"], report["held_out"], report["samples"]) == (["val"], True, 2)
    assert set(report["measures"]) == {
        "loss", "depth_front_pixel_depths", "depth_front_millimetres", "mask_overlap",
        "depth_back_pixel_depths", "depth_back_millimetres", "normal_angle_degrees",
        "depth_front_far_off_share", "depth_back_far_off_share", "depth_normal_angle_degrees",
    }  # fmt: skip


def test_without_held_out_samples_validation_says_that_it_saw_trained_ones(
    run: Run, tmp_path: Path
) -> None:
    run("--nets", "coarse", "--steps", "1", "--val-split", "test")
    report = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert (report["splits"], report["held_out"]) == (["train"], False)


def test_both_phases_train_and_phase_2_leaves_the_weights_of_phase_1_alone(
    run: Run, tmp_path: Path
) -> None:
    few = ["--max-val-samples", "1"]
    assert run("--steps", "2", *few) == 0
    init = ["--init", str(tmp_path / "out")]
    assert run("--steps", "2", *few, *init, stage="2k2k-depth", out="second") == 0
    first, second = read_weights(tmp_path / "out"), read_weights(tmp_path / "second")
    weights = [name for name in first if name.endswith(("weight", "bias"))]
    assert all(torch.equal(first[name], second[f"normals.{name}"]) for name in weights)


PUBLISHED_CURVE = [
    5.489897895604372, 5.477620038669556, 5.500238946406171, 5.3377902107313275,
    5.36582169518806, 5.283251730026677,
]  # fmt: skip
"""Of 0.1.0's program with `--heads published`, before there were other forms of the depth loss."""

PUBLISHED_FORMS = ["--heads", "published", "--depth-loss", "published"]
PUBLISHED_FORMS += ["--normal-loss", "published"]
PUBLISHED_FORMS += ["--depth-gradient", "published", "--nets", "coarse"]


def test_the_published_forms_give_the_losses_that_they_always_gave(
    run: Run, tmp_path: Path
) -> None:
    run(*PUBLISHED_FORMS, "--steps", "6", "--max-val-samples", "1")
    assert losses(tmp_path / "out") == pytest.approx(PUBLISHED_CURVE, rel=1e-6)


def test_a_training_that_was_begun_before_there_were_forms_goes_on_in_the_published_ones(
    run: Run, tmp_path: Path
) -> None:
    few = ["--max-val-samples", "1"]
    run(*PUBLISHED_FORMS, "--steps", "2", *few)
    record = tmp_path / "out" / "run.json"
    held = json.loads(record.read_text())
    for name in ("normal_loss", "depth_loss", "depth_gradient"):
        del held["model"][name]
    record.write_text(json.dumps(held))
    assert run("--nets", "coarse", "--steps", "4", *few) == 0
    assert losses(tmp_path / "out") == pytest.approx(PUBLISHED_CURVE[:4], rel=1e-6)


def test_a_begun_training_refuses_another_form(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*PUBLISHED_FORMS, "--steps", "1", "--max-val-samples", "1")
    assert run("--nets", "coarse", "--steps", "2", "--depth-loss", "masked") == 2
    said = capsys.readouterr().err
    assert "model setting depth_loss was published, now masked" in said


@pytest.mark.parametrize("options", [[], ["--published"]])
def test_new_trainings_take_the_forms_that_learn_or_all_published(
    run: Run, tmp_path: Path, options: list[str]
) -> None:
    run("--nets", "coarse", "--steps", "1", "--max-val-samples", "1", *options)
    model = json.loads((tmp_path / "out" / "run.json").read_text())["model"]
    expected = dict.fromkeys(FORMS["2k2k-normal"], "published") if options else FORMS["2k2k-normal"]
    assert {name: model[name] for name in expected} == expected


def test_the_sheet_of_samples_is_a_image(run: Run, tmp_path: Path) -> None:
    run("--nets", "coarse", "--steps", "1")
    sheet = cv2.imread(str(tmp_path / "out" / "samples" / "step-00000001.png"))
    assert sheet is not None
    # Image, two normals, two depths, each of the four beside its truth.
    assert sheet.shape == (256, 9 * 256, 3)


def test_a_validation_leaves_a_sheet_with_a_row_for_each_of_its_first_people(
    run: Run, tmp_path: Path
) -> None:
    run("--nets", "coarse", "--steps", "1")
    sheet = cv2.imread(str(tmp_path / "out" / "samples" / "validation-00000001.png"))
    assert sheet is not None
    assert sheet.shape == (2 * 256, 9 * 256, 3)


def test_a_run_in_two_parts_takes_the_same_steps_to_the_bit(run: Run, tmp_path: Path) -> None:
    run("--nets", "coarse", "--steps", "4", out="whole")
    run("--nets", "coarse", "--steps", "2", out="parts")
    run("--nets", "coarse", "--steps", "4", out="parts")
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")
    whole, parts = (read_weights(tmp_path / name) for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_steps_after_the_last_checkpoint_are_taken_again_and_told_once(
    run: Run, tmp_path: Path
) -> None:
    run("--nets", "coarse", "--steps", "2")
    metrics = tmp_path / "out" / "metrics.jsonl"
    metrics.write_text(metrics.read_text() + '{"step": 3, "loss": 99}\n{"step": 4, "lo')
    run("--nets", "coarse", "--steps", "3")
    assert len(losses(tmp_path / "out")) == 3
    assert max(losses(tmp_path / "out")) < 99


def test_accumulated_halves_give_the_gradient_of_both(run: Run, tmp_path: Path) -> None:
    same = ["--nets", "coarse", "--steps", "1", "--no-augment"]
    assert run(*same, "--accumulate", "2", out="two") == 0
    assert run(*same, "--batch", "1", out="one") == 0
    first = json.loads((tmp_path / "two" / "metrics.jsonl").read_text().splitlines()[0])
    other = json.loads((tmp_path / "one" / "metrics.jsonl").read_text().splitlines()[0])
    # The same first sample, averaged with a second one.
    assert first["loss"] != other["loss"]
    assert first["loss"] == pytest.approx(other["loss"], rel=0.5)


def test_bfloat16_trains(run: Run, tmp_path: Path) -> None:
    assert run("--nets", "coarse", "--steps", "2", "--precision", "bf16") == 0
    assert all(math.isfinite(loss) for loss in losses(tmp_path / "out"))


def test_recomputed_activations_change_no_loss(run: Run, tmp_path: Path) -> None:
    run("--nets", "coarse", "--steps", "2", out="kept")
    run("--nets", "coarse", "--steps", "2", "--recompute", out="recomputed")
    assert losses(tmp_path / "kept") == losses(tmp_path / "recomputed")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--width", "0.1"], "model setting width was 0.05, now 0.1"),
        (["--seed", "4"], "model setting seed was 0, now 4"),
        (["--batch", "2"], "data setting batch was 1, now 2"),
        (["--no-augment"], "data setting augment was True, now False"),
    ],
)
def test_a_resume_with_other_settings_is_refused_by_name(
    run: Run, capsys: pytest.CaptureFixture[str], change: list[str], named: str
) -> None:
    run("--nets", "coarse", "--steps", "1")
    assert run("--nets", "coarse", "--steps", "2", *change) == 2
    assert named in capsys.readouterr().err


def test_a_resume_with_other_data_is_refused(
    run: Run, make_dataset: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--nets", "coarse", "--steps", "1")
    other = make_dataset(tmp_path / "other", train=1, val=0, shards=1)
    assert run("--nets", "coarse", "--steps", "2", "--data", str(other)) == 2
    told = capsys.readouterr().err
    assert "a run on other data: of 2 shards, 1 changed, 1 gone" in told
    assert "Add --take-new-data" in told


def grow(dataset: Path, to: Path) -> Path:
    """Copy a data set and add a shard with a person to train on."""
    shutil.copytree(dataset, to, dirs_exist_ok=True)
    row = ellipsoid_row("rp_later_posed_001", "train", 256, Ellipsoid())
    write_shard(to, "shard-00002", [row])
    return to


def test_data_that_grew_begin_a_new_epoch_where_that_is_asked_for(
    run: Run, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    often = ["--nets", "coarse", "--save-every", "1", "--validate-every", "9", "--batch", "2"]
    run(*often, "--steps", "3")
    grown = ["--data", str(grow(dataset, tmp_path / "grown"))]
    assert run(*often, "--steps", "4", *grown) == 2
    assert "of 2 shards, 1 new" in capsys.readouterr().err
    assert run(*often, "--steps", "4", *grown, "--take-new-data") == 0
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    # Two steps an epoch before, three now: after three steps the third epoch begins.
    assert (record["steps_per_epoch"], record["first_step"], record["first_epoch"]) == (3, 3, 2)
    lines = (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()
    epochs = [json.loads(line)["epoch"] for line in lines if "epoch" in line]
    assert epochs == pytest.approx([0.5, 1.0, 1.5, 2 + 1 / 3])
    assert run(*often, "--steps", "5", *grown) == 0  # taken in once, the option is not needed again


def test_a_resume_after_new_data_takes_the_steps_of_an_uninterrupted_one(
    run: Run, dataset: Path, tmp_path: Path
) -> None:
    often = ["--nets", "coarse", "--save-every", "1", "--validate-every", "9", "--batch", "2"]
    grown = ["--data", str(grow(dataset, tmp_path / "grown")), "--take-new-data"]
    for out, stops in (("whole", (2, 5)), ("parts", (2, 3, 4, 5))):
        run(*often, "--steps", str(stops[0]), out=out)
        for stop in stops[1:]:
            run(*often, "--steps", str(stop), *grown, out=out)
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def test_a_training_from_before_a_setting_goes_on_by_what_it_was_then(
    run: Run, tmp_path: Path
) -> None:
    run("--nets", "coarse", "--steps", "1")
    path = tmp_path / "out" / "run.json"
    record = json.loads(path.read_text())
    del record["model"]["heads"], record["steps_per_epoch"], record["shards"]
    path.write_text(json.dumps(record))
    for steps in ("2", "3"):  # what the first of them writes must be as good
        assert run("--nets", "coarse", "--steps", steps) == 0
        assert json.loads(path.read_text())["model"]["heads"] == "published"


def test_another_number_of_replicas_than_a_training_began_with_is_refused(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--nets", "coarse", "--steps", "1", "--replicas", "2")
    assert run("--nets", "coarse", "--steps", "2", "--replicas", "3") == 2
    assert "data setting world was 2, now 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--resolution", "300"], "--resolution: 300; expected"),
        (["--resolution", "512"], "--resolution 512: samples 256 pixels wide"),
        (["--split", "tests"], "no sample of split tests"),
        (["--data", "nowhere"], "nowhere: no such folder"),
        (["--init", "nowhere"], "nowhere: no such file or folder"),
        (["--background", "fresh"], "--background fresh: no --backgrounds"),
        (["--device", "cuda"], "--device cuda: no CUDA device"),
        (["--steps", "-1"], "--steps: -1; expected"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(
    run: Run, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert run("--nets", "coarse", *arguments) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("error: ")
    assert complaint in told[0]


def test_a_wrong_request_writes_nothing(run: Run, tmp_path: Path) -> None:
    run("--nets", "coarse", "--split", "nobody")
    assert not (tmp_path / "out").exists()


def test_phase_2_without_phase_1_is_refused(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--steps", "1", stage="2k2k-depth") == 2
    assert "--init: none; expected all nets of 2k2k-normal" in capsys.readouterr().err


def test_weights_of_another_width_are_refused_before_anything_is_written(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--nets", "coarse", "--steps", "1")
    init = ["--init", str(tmp_path / "out"), "--width", "0.1"]
    assert run("--nets", "coarse", "--steps", "1", *init, out="wider") == 2
    assert "differs in whole.encoder.blocks.0.0.weight" in capsys.readouterr().err
    assert not (tmp_path / "wider").exists()


def test_a_folder_of_something_else_is_refused(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    assert run("--nets", "coarse", "--steps", "1") == 2
    assert "files of something that is no training run" in capsys.readouterr().err


def test_checking_a_request_writes_nothing(run: Run, tmp_path: Path) -> None:
    assert run("--nets", "coarse", "--steps", "1", "--check") == 0
    assert not (tmp_path / "out").exists()


def test_a_loss_that_is_not_finite_stops_before_the_step_and_is_named(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run("--nets", "coarse", "--steps", "1")
    before = read_weights(tmp_path / "out" / "checkpoints" / "step-00000001")

    def blinded(batch: PersonBatch, settings: ModelSettings) -> NormalExamples:
        examples = NORMAL_STAGE.prepare(batch, settings)
        examples.coarse.back[:] = math.nan
        return examples

    monkeypatch.setitem(STAGES, "2k2k-normal", replace(NORMAL_STAGE, prepare=blinded))
    assert run("--nets", "coarse", "--steps", "2") == 1
    told = capsys.readouterr().err
    assert "error: step 2: loss " in told
    assert "depth_back" in told
    assert "on rank 0 at RP/rp_train_posed_" in told
    after: dict[str, Tensor] = read_weights(tmp_path / "out")
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_gradient_that_is_not_finite_stops_before_the_step_and_is_named(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_root(
        prediction: NormalPrediction, examples: NormalExamples, settings: ModelSettings
    ) -> dict[str, Tensor]:
        # The root of zero is zero, its slope is not finite.
        terms = NORMAL_STAGE.objective(prediction, examples, settings)
        return terms | {"root": torch.sqrt((0 * prediction.coarse.front).sum())}

    monkeypatch.setitem(STAGES, "2k2k-normal", replace(NORMAL_STAGE, objective=with_root))
    assert run("--nets", "coarse", "--steps", "1") == 1
    assert "error: step 1: gradient of " in capsys.readouterr().err
    assert not (tmp_path / "out" / "latest").exists()


def spoil_last(out: Path) -> None:
    path = out / "checkpoints" / "step-00000004" / "__0_0.distcp"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_run_whose_last_checkpoint_is_damaged_goes_on_from_the_one_before_it(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    often = ["--nets", "coarse", "--save-every", "2", "--validate-every", "9"]
    run(*often, "--steps", "6", out="whole")
    run(*often, "--steps", "4", out="parts")
    spoil_last(tmp_path / "parts")
    capsys.readouterr()
    assert run(*often, "--steps", "6", out="parts") == 0
    said = capsys.readouterr().out
    assert "checkpoint step-00000004 is broken and not used: " in said
    assert "step 3/6 " in said
    assert losses(tmp_path / "parts") == losses(tmp_path / "whole")


def test_a_damaged_checkpoint_counts_as_not_done(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--nets", "coarse", "--save-every", "2", "--steps", "4")
    spoil_last(tmp_path / "out")
    capsys.readouterr()
    run("--nets", "coarse", "--steps", "4", "--check")
    assert json.loads(capsys.readouterr().out) == {"steps": 4, "done": 2, "finished": False}


def test_when_no_checkpoint_is_whole_the_run_says_so_in_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--nets", "coarse", "--steps", "4")
    spoil_last(tmp_path / "out")
    assert run("--nets", "coarse", "--steps", "5") == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"error: {tmp_path / 'out' / 'checkpoints'}: no whole checkpoint")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"garbage\n\xff\xfe\n[[[\n", "3 lines can't be read; the file is kept as"),
        (b'{"step": "one", "loss": 1}\n{"step": 1}\n', "2 lines can't be read"),
        (b"", "2 of 2 steps are missing from it, and from the curve"),
    ],
)
def test_damaged_metrics_are_said_and_training_goes_on(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, complaint: str
) -> None:
    run("--nets", "coarse", "--steps", "2")
    (tmp_path / "out" / "metrics.jsonl").write_bytes(content)
    capsys.readouterr()
    assert run("--nets", "coarse", "--steps", "3") == 0
    assert f"metrics.jsonl: {complaint}" in capsys.readouterr().out
    assert len(losses(tmp_path / "out")) == 1


def test_a_disk_that_is_full_is_one_line(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TrainingLog, "_write", full_disk)
    assert run("--nets", "coarse", "--steps", "1") == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"failed: {tmp_path / 'out'}: No space left on device")
