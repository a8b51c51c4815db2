"""What stands in the folder of a training, read without torch.

Source of the names: docs/training.md, "Run folder".
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import MachineError
from schemas.train_request import TrainRequest

METRICS, CURVE, VALIDATION, SAMPLES = "metrics.jsonl", "curve.png", "validation.json", "samples"


class TrainSummary(BaseModel):
    """What came out of a training."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    out: str
    steps: int
    worked: bool = Field(description="false: all steps were done already")
    restarts: int = Field(description="how often it went on after a process had died")
    first_loss: float = Field(description="mean over the first tenth of the steps")
    last_loss: float = Field(description="mean over the last tenth of the steps")
    validation: dict[str, float] = Field(description="measures of the last validation")
    curve: str = Field(description="path of the image of the losses")
    seconds: float


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


def read_losses(out: Path) -> list[float]:
    """Read the loss of every step of a run, in order; none where there is no run."""
    return [float(one["loss"]) for one in _read_lines(out) if "loss" in one and "step" in one]


def read_validation(out: Path) -> dict[str, float]:
    """Read the measures of the last validation; none before the first."""
    path = out / VALIDATION
    measures = json.loads(path.read_bytes())["measures"] if path.is_file() else {}
    return {str(name): float(value) for name, value in measures.items()}


def last_image(out: Path) -> Path | None:
    """Find the newest grid of sample images."""
    return max((out / SAMPLES).glob("step-*.png"), default=None)


def _read_lines(out: Path) -> Iterator[dict[str, Any]]:
    """Read metrics.jsonl; a last line that is being written is left out."""
    path = out / METRICS
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    whole = text[: text.rfind("\n") + 1]
    yield from (json.loads(line) for line in whole.splitlines())
