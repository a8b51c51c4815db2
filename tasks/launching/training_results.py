"""Results in the folder of a training, read without torch.

Source of the names: docs/training.md, "Run folder".
"""

import json
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import InputError, MachineError
from schemas.train_request import TrainRequest
from tasks.launching.training_launch import ask_status

METRICS, CURVE, VALIDATION, SAMPLES = "metrics.jsonl", "curve.png", "validation.json", "samples"
WEIGHTS = "model.safetensors"
"""Written after the last step."""


class StageSummary(BaseModel):
    """What came out of a stage. steps: of hdnet-predict-normals, frames."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    out: str
    steps: int
    worked: bool = Field(description="false: all steps were done already")
    restarts: int = Field(description="how often it went on after a process had died")
    seconds: float


class PredictSummary(StageSummary):
    """What came out of hdnet-predict-normals; steps: frames with predictions of these weights."""

    committed: int = Field(description="videos that this run wrote predictions into")


class TrainSummary(StageSummary):
    """What came out of a training."""

    first_loss: float = Field(description="mean over the first tenth of the steps")
    last_loss: float = Field(description="mean over the last tenth of the steps")
    validation: dict[str, float] = Field(description="measures of the last validation")
    curve: str = Field(description="path of the image of the losses")


AnySummary = TrainSummary | PredictSummary


def sum_up_training(
    request: TrainRequest, *, seconds: float, worked: bool, restarts: int
) -> TrainSummary:
    """Read how the loss went; raises MachineError when the run left no metrics."""
    out = Path(request.out)
    losses = read_losses(out)
    if not losses:
        raise MachineError(
            str(out / METRICS), found="no step in it", expected="a line for each step",
            hint="Look at the log above; run the same command again to go on.",
        )  # fmt: skip
    tenth = max(1, len(losses) // 10)
    return TrainSummary(
        stage=request.stage,
        out=request.out,
        steps=len(losses),
        worked=worked,
        restarts=restarts,
        first_loss=sum(losses[:tenth]) / tenth,
        last_loss=sum(losses[-tenth:]) / tenth,
        validation=read_validation(out),
        curve=str(out / CURVE),
        seconds=seconds,
    )


def find_finished_stage(request: TrainRequest) -> AnySummary | None:
    """Sum up a stage of which nothing is left to do; None when something is.

    Raises RequestError when the training program refuses the request.
    """
    if request.trains:
        return find_finished_training(request)
    began_s, status = monotonic(), ask_status(request)
    if not status.finished:
        return None
    return sum_up_prediction(
        request, status.steps, seconds=monotonic() - began_s, committed=0, worked=False, restarts=0
    )


def sum_up_prediction(
    request: TrainRequest,
    frames: int,
    *,
    seconds: float,
    committed: int,
    worked: bool,
    restarts: int,
) -> PredictSummary:
    """Gather what hdnet-predict-normals did."""
    return PredictSummary(
        stage=request.stage, out=request.out, steps=frames, worked=worked, restarts=restarts,
        seconds=seconds, committed=committed,
    )  # fmt: skip


def find_finished_training(request: TrainRequest) -> TrainSummary | None:
    """Sum up a training whose steps are all done; None when steps are left.

    Raises RequestError when the training program refuses the request.
    """
    began_s = monotonic()
    if not (Path(request.out) / WEIGHTS).is_file() or not ask_status(request).finished:
        return None
    return sum_up_training(request, seconds=monotonic() - began_s, worked=False, restarts=0)


def read_losses(out: Path) -> list[float]:
    """Read the loss of every step of a run, in order; none where there is no run.

    Raises InputError naming the line that can't be read.
    """
    path, losses = out / METRICS, list[float]()
    for number, one in enumerate(_read_lines(path), start=1):
        if "loss" in one and "step" in one:
            try:
                losses.append(float(one["loss"]))
            except (ValueError, TypeError) as error:
                raise _broken(path, f"a number as loss in line {number}", error) from error
    return losses


def read_validation(out: Path) -> dict[str, float]:
    """Read the measures of the last validation; none before the first."""
    path = out / VALIDATION
    if not path.is_file():
        return {}
    try:
        measures = json.loads(path.read_bytes())["measures"]
        return {str(name): float(value) for name, value in measures.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise _broken(path, "a JSON object with measures", error) from error


def last_image(out: Path) -> Path | None:
    """Find the newest grid of sample images."""
    return max((out / SAMPLES).glob("step-*.png"), default=None)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Read metrics.jsonl; a last line that is being written is left out."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    whole = text[: text.rfind("\n") + 1]
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _broken(path, f"JSON in line {number}", error) from error
        if not isinstance(found, dict):
            raise _broken(path, f"a JSON object in line {number}", TypeError(type(found).__name__))
        yield found


def _broken(path: Path, expected: str, error: Exception) -> InputError:
    return InputError(
        str(path), found=f"{type(error).__name__}: {error}", expected=expected,
        hint="Move the file away: weights and checkpoints do not depend on it.",
    )  # fmt: skip
