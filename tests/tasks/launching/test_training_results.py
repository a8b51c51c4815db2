"""What a training left behind, read without torch."""

import json
from pathlib import Path

import pytest

from schemas.errors import InputError, MachineError
from schemas.train_request import TrainRequest
from tasks.launching import training_results
from tasks.launching.training_launch import TrainingStatus
from tasks.launching.training_results import (
    find_finished_training,
    last_image,
    read_losses,
    read_validation,
    sum_up_training,
)


def write_losses(out: Path, losses: list[float], tail: str = "") -> None:
    out.mkdir(exist_ok=True)
    lines = [json.dumps({"step": step, "loss": loss}) for step, loss in enumerate(losses, start=1)]
    text = "\n".join([*lines, json.dumps({"step": 1, "validation": {"loss": 7}})]) + "\n" + tail
    (out / "metrics.jsonl").write_text(text)


def request(out: Path) -> TrainRequest:
    return TrainRequest(stage="2k2k-normal", data=("set",), out=str(out))


def test_summary_compares_the_first_tenth_with_the_last(tmp_path: Path) -> None:
    write_losses(tmp_path, [10.0, 8.0, *[5.0] * 16, 2.0, 1.0])
    summary = sum_up_training(request(tmp_path), seconds=1.0, worked=True, restarts=0)
    assert (summary.steps, summary.first_loss, summary.last_loss) == (20, 9.0, 1.5)


def test_training_without_a_step_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="no step"):
        sum_up_training(request(tmp_path), seconds=1.0, worked=True, restarts=0)


def test_no_run_has_no_losses(tmp_path: Path) -> None:
    assert read_losses(tmp_path / "none") == []


def test_a_line_that_is_being_written_is_left_out(tmp_path: Path) -> None:
    write_losses(tmp_path, [3.0, 2.0], tail='{"step": 3, "lo')
    assert read_losses(tmp_path) == [3.0, 2.0]


def test_measures_of_the_last_validation_are_read(tmp_path: Path) -> None:
    (tmp_path / "validation.json").write_text('{"step": 4, "measures": {"mask_overlap": 0.5}}')
    assert read_validation(tmp_path) == {"mask_overlap": 0.5}


def test_before_the_first_validation_there_are_no_measures(tmp_path: Path) -> None:
    assert read_validation(tmp_path) == {}


def test_newest_sample_image_is_found(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    for step in (100, 20):
        (tmp_path / "samples" / f"step-{step:08d}.png").write_bytes(b"")
    assert last_image(tmp_path) == tmp_path / "samples" / "step-00000100.png"


@pytest.mark.parametrize("line", ["\x00\x01", "[1]", "{", '{"step": 2, "loss": []}', "[" * 100_000])
def test_garbage_in_the_metrics_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    write_losses(tmp_path, [3.0], tail=f"{line}\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl: .*in line 3"):
        read_losses(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"measures": {"loss": null}}'])
def test_garbage_in_the_validation_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "validation.json").write_text(text)
    with pytest.raises(InputError, match=r"validation\.json: .*JSON object with measures"):
        read_validation(tmp_path)


@pytest.mark.parametrize(("finished", "steps"), [(True, 2), (False, None)])
def test_finished_training_is_summed_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, finished: bool, steps: int | None
) -> None:
    write_losses(tmp_path, [2.0, 1.0])
    (tmp_path / "model.safetensors").touch()
    status = TrainingStatus(steps=2, done=2, finished=finished)
    monkeypatch.setattr(training_results, "ask_status", lambda _: status)
    found = find_finished_training(request(tmp_path))
    assert (found.steps if found else None) == steps


def test_training_without_weights_is_not_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(training_results, "ask_status")
    assert find_finished_training(request(tmp_path)) is None
