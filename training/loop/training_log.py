"""What a run says while it works: metrics.jsonl, TensorBoard, a line for people, the curve.

Only the first rank makes one. On a resume everything after the resumed step is forgotten, so that
the files tell one story.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from torch.utils.tensorboard import SummaryWriter

from schemas.codecs import encode_png
from schemas.dataset_folder import write_atomically
from training.loop.sheets import draw_curve

METRICS, TENSORBOARD, SAMPLES, CURVE = "metrics.jsonl", "tensorboard", "samples", "curve.png"
VALIDATION = "validation.json"
SECONDS_A_MINUTE = 60


class TrainingLog:
    """Owns: metrics.jsonl (appended line by line), the TensorBoard writer, the clock."""

    def __init__(self, out: Path, *, first_step: int, last_step: int) -> None:
        """Forget what stands after first_step steps; go on from there."""
        self._out, self._first, self._last = out, first_step, last_step
        _forget_after(out / METRICS, first_step)
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
        print(  # noqa: T201 - the progress line is what this program says
            f"step {step}/{self._last} loss {losses['loss']:.6g} "
            f"{speed:.3g} samples/s {_clock(left)} left",
            flush=True,
        )

    def validated(self, step: int, measures: Mapping[str, float], report: object) -> None:
        """Record a validation, write validation.json, and draw the curve so far."""
        self._write({"step": step, "validation": dict(measures)})
        for name, value in measures.items():
            self._scalar(f"validation/{name}", value, step)
        write_atomically(self._out / VALIDATION, json.dumps(report, indent=1) + "\n")
        self.curve()
        print(  # noqa: T201 - as above; whoever reads along finds the new files
            f"validated after step {step}: loss {measures['loss']:.6g}", flush=True
        )

    def sheet(self, step: int, sheet: UInt8[np.ndarray, "H W 3"]) -> None:
        """Write a grid of sample images, and show it in TensorBoard."""
        write_atomically(self._out / SAMPLES / f"step-{step:08d}.png", encode_png(sheet))
        self._board.add_image("samples", sheet, step, dataformats="HWC")

    def curve(self) -> None:
        """Draw curve.png from metrics.jsonl."""
        self._metrics.flush()
        lines = [json.loads(line) for line in (self._out / METRICS).read_text().splitlines()]
        losses = [(line["step"], line["loss"]) for line in lines if "loss" in line]
        validations = [
            (line["step"], line["validation"]["loss"]) for line in lines if "validation" in line
        ]
        write_atomically(self._out / CURVE, draw_curve(losses, validations))

    def close(self) -> None:
        """Close all files."""
        self._metrics.close()
        self._board.close()

    def _write(self, line: Mapping[str, object]) -> None:
        self._metrics.write(json.dumps(line) + "\n")
        self._metrics.flush()

    def _scalar(self, name: str, value: float, step: int) -> None:
        self._board.add_scalar(name, value, step)


def _forget_after(path: Path, step: int) -> None:
    """Keep only the whole lines up to a step."""
    if not path.is_file():
        return
    lines = path.read_text().splitlines(keepends=True)
    whole = (line for line in lines if line.endswith("\n"))
    write_atomically(path, "".join(line for line in whole if json.loads(line)["step"] <= step))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), SECONDS_A_MINUTE)
    return f"{minutes}:{rest:02d}"
