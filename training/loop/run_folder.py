"""OUT/run.json: what a run is, so that another can't be mistaken for it.

A run goes on only with the same model and data settings; how long it runs and on which machine
may change. Data that grew are taken in only where that is asked for: they begin a new epoch.
"""

import hashlib
import json
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from schemas.atomic_files import write_atomically
from schemas.errors import InputError, RequestError
from schemas.regular_files import read_whole
from training.data.sample_order import Epochs
from training.run_settings import DataSettings, ModelSettings, RunSettings

RUN_FILE = "run.json"
FORMAT_VERSION = 1
MAX_RECORD_BYTES = 16 << 20
"""A line of 40 bytes for every shard."""

_ROOMS = ("training", "schemas")


class RunRecord(BaseModel):
    """run.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format_version: int = FORMAT_VERSION
    stage: str
    model: ModelSettings
    data: DataSettings
    run: RunSettings
    code_digest: str
    versions: dict[str, str]
    steps_per_epoch: int | None = Field(default=None, description="null: begun by an older version")
    first_step: int = Field(default=0, description="of the epoch that began with the present data")
    first_epoch: int = Field(default=0, description="its number")
    shards: tuple[str, ...] = Field(default=(), description="name and hash of what is trained on")

    @property
    def epochs(self) -> Epochs:
        """Return how its steps count in epochs; raises RequestError where it does not say."""
        if self.steps_per_epoch is None:
            raise RequestError(
                str(self.run.folder / RUN_FILE), found="no length of an epoch",
                expected="what this version writes as it begins a training",
                hint="Start from its weights in another folder: --init FOLDER --out ANOTHER.",
            )  # fmt: skip
        return Epochs(self.steps_per_epoch, self.first_step, self.first_epoch)


def describe_run(
    model: ModelSettings,
    data: DataSettings,
    run: RunSettings,
    epochs: Epochs,
    shards: Sequence[str],
) -> RunRecord:
    """Describe a run that is about to start. shards: name and hash of each."""
    versions = {
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
    }  # fmt: skip
    return RunRecord(
        stage=model.stage, model=model, data=data, run=run, code_digest=code_digest(),
        versions=versions, steps_per_epoch=epochs.steps, first_step=epochs.first_step,
        first_epoch=epochs.first_epoch, shards=tuple(shards),
    )  # fmt: skip


def read_record(out: Path) -> RunRecord | None:
    """Read run.json; None where the folder is still free for a run.

    Settings that it does not name are the defaults of `training.run_settings`. Raises
    RequestError for a folder that holds anything else.
    """
    path = out / RUN_FILE
    if not path.is_file():
        _check_free(out)
        return None
    try:
        held = json.loads(read_whole(path, MAX_RECORD_BYTES))
        return RunRecord.model_validate(held)
    except (InputError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError(
            str(path), found="no readable run description", expected=f"format {FORMAT_VERSION}",
            hint="Train into another folder.",
        ) from error  # fmt: skip


def check_same_run(held: RunRecord, now: RunRecord, *, may_take_data: bool) -> None:
    """Refuse to go on with other settings or data; writes nothing.

    may_take_data: data that changed are wanted. Raises RequestError naming all that differs.
    """
    out = str(now.run.folder)
    differing = [*_differences("model", held.model, now.model)]
    differing += _differences("data", held.data, now.data, without="digest")
    if differing:
        raise RequestError(
            out, found=f"a run with other settings: {'; '.join(differing)}",
            expected="the settings that the run began with",
            hint="Repeat the run's own settings, or train into another folder.",
        )  # fmt: skip
    if held.data.digest != now.data.digest and not may_take_data:
        raise RequestError(
            out, found=f"a run on other data: {_compare_shards(held.shards, now.shards)}",
            expected="the data that the run began with",
            hint="Add --take-new-data to go on with them as they are now, in a new epoch; or train "
            f"into another folder, with --init {out} to start from its weights.",
        )  # fmt: skip


def write_record(out: Path, record: RunRecord) -> None:
    """Write run.json, whole or not at all."""
    write_atomically(out / RUN_FILE, record.model_dump_json(indent=1) + "\n")


def code_digest() -> str:
    """Return a digest of the modules that training is made of."""
    root = Path(__file__).resolve().parents[2]
    digest = hashlib.sha256()
    for room in _ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _check_free(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise RequestError(
            str(out), found="a file", expected="a folder", hint="Give a folder as --out."
        )
    if out.is_dir() and any(out.iterdir()):
        raise RequestError(
            str(out), found="files of something that is no training run",
            expected="an empty folder, or one that does not exist yet",
            hint="Give another folder as --out.",
        )  # fmt: skip


def _differences(
    part: str, held: BaseModel, now: BaseModel, *, without: str | None = None
) -> list[str]:
    before, after = held.model_dump(mode="json"), now.model_dump(mode="json")
    return [
        f"{part} setting {name} was {before[name]}, now {after[name]}"
        for name in sorted(after)
        if before[name] != after[name] and name != without
    ]


def _compare_shards(held: Sequence[str], now: Sequence[str]) -> str:
    """Count the shards that came, changed and went; each is named once a data set."""
    if not held:
        return "shards came, changed or went"
    before, after = (dict(line.rsplit(" ", 1) for line in lines) for lines in (held, now))
    changed = [name for name in before.keys() & after.keys() if before[name] != after[name]]
    counts = {
        "new": len(after.keys() - before.keys()), "changed": len(changed),
        "gone": len(before.keys() - after.keys()),
    }  # fmt: skip
    said = [f"{count} {word}" for word, count in counts.items() if count]
    return f"of {len(before)} shards, {', '.join(said) or 'in another order, or other pairs'}"
