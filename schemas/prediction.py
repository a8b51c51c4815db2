"""What the program that predicts is asked to do, and the arrays that it takes and gives.

Photographs are prepared without torch, nets run in a program of their own, surfaces are made
without torch again: between them are NumPy archives (.npz), named by jobs.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from schemas.atomic_files import atomic_file
from schemas.errors import InputError
from schemas.regular_files import open_regular_file
from schemas.size_limits import check_archive_size
from schemas.train_forms import DeviceChoice

Method = Literal["2k2k", "hdnet"]
PREDICTED = "predicted "
"""How the program's line after a photograph begins; its name follows."""

REFUSED = "refused "
"""The same where a photograph could not be used: name, colon, reason."""

MEMORY = "memory "
"""The program's last line: its largest memory in MiB."""

STAGE = "stage "
"""The program's line on where time went: name of a stage, seconds."""


class PredictionJob(BaseModel):
    """One photograph: where its input is and where its output goes.

    Input of 2k2k (R x R): image, uint8 RGB; mask, bool; keypoints, (31, 3) float32 x, y, known in
    corner-origin pixels. Of hdnet (256 x 256): image on white, mask, densepose (V, U, I).
    Output of 2k2k: front, back, float32 network units (R, R); mask, float32 in 0..1; normals,
    consistency, (6, R, R) float16 in 0..1, front then back; part_array(name), (6, h, w), for each
    part that has a transform. Of hdnet: normals, (3, 256, 256) float32 units; depth, metres.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    input: str
    output: str


class PredictionRequest(BaseModel):
    """All that the program does in one run. normal_checkpoint: HDNet's normal estimator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method
    checkpoint: str
    normal_checkpoint: str | None = None
    device: DeviceChoice = "auto"
    jobs: tuple[PredictionJob, ...] = Field(min_length=1)


def part_array(part: str) -> str:
    """Return the name of the array that holds the normals of a part of the body."""
    return "part " + part


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays whole or not at all, uncompressed."""
    with atomic_file(path) as file:
        np.savez(file, allow_pickle=False, **arrays)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read arrays; raises InputError when they are no whole archive of numbers."""
    try:
        with open_regular_file(path) as file:
            data = file.read()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_archive_size(archive, str(path))
        with np.load(io.BytesIO(data), allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, zipfile.BadZipFile, OSError, KeyError) as error:
        raise InputError(
            str(path), found=f"{error!s:.80}", expected="a whole archive of arrays",
            hint="Run the command again.",
        ) from error  # fmt: skip
