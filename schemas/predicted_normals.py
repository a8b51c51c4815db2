"""What a prediction of normals hands over: which frames, and the files that hold their normals.

OUT/predictions.json                        the plan: written first, by the program that predicts
OUT/predictions/<digest>/00000000.parquet   some frames of a shard each, whole or absent

The program (training) writes them; whoever commits shards (tasks) reads them. Columns: frame_id,
pred_normals (as in `schemas.frames`).
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import InputError
from schemas.manifest import parse_record
from schemas.regular_files import read_whole

PLAN_FILE, FOLDER = "predictions.json", "predictions"
MAX_PLAN_BYTES = 64 << 20
FRAMES_A_FILE = 8
"""At most so many predictions are repeated after a kill, by each process."""

SCHEMA = pa.schema([("frame_id", pa.string()), ("pred_normals", pa.binary())])


class PredictedShard(BaseModel):
    """The frames of one shard that are predicted.

    sha256: of the file with the frames, by its commit record. rows: places of the frames in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str
    shard_id: str
    sha256: str
    rows: tuple[int, ...] = Field(min_length=1)

    def pieces(self) -> Iterator[tuple[int, ...]]:
        """Yield the rows of one file after the other."""
        for first in range(0, len(self.rows), FRAMES_A_FILE):
            yield self.rows[first : first + FRAMES_A_FILE]


class PredictionPlan(BaseModel):
    """OUT/predictions.json. weights: digest of names and values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = 1
    weights: str
    shards: tuple[PredictedShard, ...]

    @property
    def frames(self) -> int:
        """Count the frames."""
        return sum(len(shard.rows) for shard in self.shards)

    def files_of(self, out: Path, shard: PredictedShard) -> list[tuple[Path, tuple[int, ...]]]:
        """Return the files of a shard in order, each with the rows that it holds."""
        folder = out / FOLDER / f"{shard.sha256[:20]}-{self.weights[:20]}"
        return [(folder / f"{rows[0]:08d}.parquet", rows) for rows in shard.pieces()]

    def count_done(self, out: Path) -> int:
        """Count the frames whose files are there."""
        files = (one for shard in self.shards for one in self.files_of(out, shard))
        return sum(len(rows) for path, rows in files if path.is_file())


def read_plan(out: Path) -> PredictionPlan:
    """Read the plan of a run; raises InputError when there is none that can be read."""
    path = out / PLAN_FILE
    try:
        text = read_whole(path, MAX_PLAN_BYTES)
    except OSError as error:
        raise InputError(
            str(path), found=f"{error.strerror}", expected="the plan of the prediction",
            hint="Run the same command again.",
        ) from error  # fmt: skip
    return parse_record(PredictionPlan, text, source=str(path))
