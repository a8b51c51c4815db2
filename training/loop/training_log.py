"""What a run says while it works: metrics.jsonl, TensorBoard, a line for people, the curve.

Only the first rank makes one. On a resume everything after the resumed step is forgotten, so that
the files agree.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from jaxtyping import UInt8
from torch.utils.tensorboard import SummaryWriter

from schemas.atomic_files import write_atomically
from schemas.codecs import encode_png
from schemas.regular_files import open_regular_file
from training.loop.sheets import draw_curve

METRICS, TENSORBOARD, SAMPLES, CURVE = "metrics.jsonl", "tensorboard", "samples", "curve.png"
VALIDATION = "validation.json"
SheetKind = Literal["step", "validation"]
"""Of a sheet of images: of the samples trained on in a step, or of those validated on."""

VALIDATED: Final = "validation"
SECONDS_A_MINUTE = 60


class TrainingLog:
    """Owns: metrics.jsonl (appended line by line), the TensorBoard writer, the clock."""

    def __init__(self, out: Path, *, first_step: int, last_step: int) -> None:
        """Forget the lines after first_step steps; go on from there."""
        self._out, self._first, self._last = out, first_step, last_step
        _take_over(out / METRICS, first_step)
        self._metrics = (out / METRICS).open("a", encoding="utf-8")
        self._board = SummaryWriter(str(out / TENSORBOARD), purge_step=first_step + 1)
        self._began = time.monotonic()
        self._samples = 0

    def step_done(
        self, step: int, losses: Mapping[str, float], rate: float, epoch: float, samples: int
    ) -> None:
        """Record one step. losses: the terms; "loss" is their sum, the mean over ranks."""
        self._samples += samples
        seconds = time.monotonic() - self._began
        speed = self._samples / seconds
        self._write(
            {
                "step": step, "epoch": epoch, **losses, "learning_rate": rate,
                "samples_per_second": speed, "seconds": seconds,
            }
        )  # fmt: skip
        for name, value in losses.items():
            self._scalar(f"train/{name}", value, step)
        self._scalar("train/learning_rate", rate, step)
        left = seconds / (step - self._first) * (self._last - step)
        _say(
            f"step {step}/{self._last} loss {losses['loss']:.6g} "
            f"{speed:.3g} samples/s {_clock(left)} left"
        )

    def validated(self, step: int, measures: Mapping[str, float], report: object) -> None:
        """Record a validation, write validation.json, and draw the curve so far."""
        self._write({"step": step, "validation": dict(measures)})
        for name, value in measures.items():
            self._scalar(f"validation/{name}", value, step)
        write_atomically(self._out / VALIDATION, json.dumps(report, indent=1) + "\n")
        self.curve()
        _say(f"validated after step {step}: loss {measures['loss']:.6g}")

    def sheet(
        self, step: int, sheet: UInt8[np.ndarray, "H W 3"], *, kind: SheetKind = "step"
    ) -> None:
        """Write a grid of sample images, and show it in TensorBoard."""
        write_atomically(self._out / SAMPLES / f"{kind}-{step:08d}.png", encode_png(sheet))
        name = SAMPLES if kind == "step" else f"{SAMPLES}/{kind}"
        self._board.add_image(name, sheet, step, dataformats="HWC")

    def curve(self) -> None:
        """Draw curve.png from metrics.jsonl."""
        self._metrics.flush()
        steps, validations = [], []
        for _, line in _read_lines(self._out / METRICS):
            if line is not None and "loss" in line:
                steps.append((line["step"], line["loss"]))
            elif line is not None:
                validations.append((line["step"], line["validation"]["loss"]))
        write_atomically(self._out / CURVE, draw_curve(steps, validations))

    def close(self) -> None:
        """Close all files."""
        self._metrics.close()
        self._board.close()

    def _write(self, line: Mapping[str, object]) -> None:
        self._metrics.write(json.dumps(line) + "\n")
        self._metrics.flush()

    def _scalar(self, name: str, value: float, step: int) -> None:
        self._board.add_scalar(name, value, step)


def _take_over(path: Path, step: int) -> None:
    """Keep the lines up to a step, and say what the file lacks or what can't be read in it."""
    lines = _read_lines(path) if path.exists() else []
    kept = [(text, line) for text, line in lines if line is not None and line["step"] <= step]
    unreadable = sum(line is None for _, line in lines)
    missing = step - len({line["step"] for _, line in kept if "loss" in line})
    if unreadable:
        damaged = path.with_name(path.name + ".damaged")
        path.replace(damaged)
        _say(f"{path.name}: {unreadable} lines can't be read; the file is kept as {damaged.name}")
    if missing:
        _say(f"{path.name}: {missing} of {step} steps are missing from it, and from the curve")
    if lines:
        write_atomically(path, "".join(f"{text}\n" for text, _ in kept))


def _read_lines(path: Path) -> list[tuple[str, dict[str, Any] | None]]:
    """Read metrics.jsonl: each line, and what it holds, None where that is no step or validation.

    A last line without its end is left out: a killed run leaves one.
    """
    with open_regular_file(path) as file:
        text = file.read().decode(errors="replace")
    return [(line, _parse(line)) for line in text.split("\n")[:-1]]


def _parse(text: str) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or not isinstance(line.get("step"), int):
        return None
    measured = line if "loss" in line else line.get("validation")
    if not isinstance(measured, dict) or not isinstance(measured.get("loss"), int | float):
        return None
    return line


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - whoever started this program reads along


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), SECONDS_A_MINUTE)
    return f"{minutes}:{rest:02d}"
