"""OUT/run.json: what a run is, so that another can't be mistaken for it.

A run goes on only with the same model and data settings; how long it runs and on which machine
may change.
"""

import hashlib
import json
import platform
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict

from schemas.atomic_files import write_atomically
from schemas.errors import InputError, RequestError
from schemas.regular_files import read_whole
from schemas.train_request import FORMS
from training.run_settings import DataSettings, ModelSettings, RunSettings

RUN_FILE = "run.json"
FORMAT_VERSION = 1
MAX_RECORD_BYTES = 1 << 20
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


def describe_run(model: ModelSettings, data: DataSettings, run: RunSettings) -> RunRecord:
    """Describe a run that is about to start."""
    versions = {
        "python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__,
    }  # fmt: skip
    return RunRecord(
        stage=model.stage, model=model, data=data, run=run, code_digest=code_digest(),
        versions=versions,
    )  # fmt: skip


def check_folder(out: Path, record: RunRecord) -> None:
    """Refuse a folder that holds another run, or anything else; writes nothing.

    Raises RequestError naming every setting that differs.
    """
    path = out / RUN_FILE
    if not path.is_file():
        _check_free(out)
        return
    try:
        held = json.loads(read_whole(path, MAX_RECORD_BYTES))
        differing = _differences(held, json.loads(record.model_dump_json()))
    except (InputError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RequestError(
            str(path), found="no readable run description", expected=f"format {FORMAT_VERSION}",
            hint="Train into another folder.",
        ) from error  # fmt: skip
    if differing:
        raise RequestError(
            str(out), found=f"a run with other settings: {'; '.join(differing)}",
            expected="the settings that the run began with",
            hint="Repeat the run's own settings, or train into another folder.",
        )  # fmt: skip


def read_forms(out: Path) -> dict[str, object]:
    """Return the forms that the training in a folder goes on with; none where there is none."""
    try:
        held = json.loads(read_whole(out / RUN_FILE, MAX_RECORD_BYTES))["model"]
        return {name: held.get(name, _default(name)) for name in FORMS[held["stage"]]}
    except (InputError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}  # there is none yet, or check_folder says what is wrong with it


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


def _default(name: str) -> object:
    """Return what a training has whose run.json was written before there was such a setting."""
    known = ModelSettings.model_fields | DataSettings.model_fields
    return known[name].get_default() if name in known else None


def _differences(held: dict[str, object], expected: dict[str, object]) -> list[str]:
    found = []
    for part in ("model", "data"):
        before, now = held[part], expected[part]
        if not isinstance(before, dict) or not isinstance(now, dict):
            raise TypeError(part)
        found += [
            f"{part} setting {name} was {before.get(name, _default(name))}, now {now.get(name)}"
            for name in sorted(before.keys() | now.keys())
            if before.get(name, _default(name)) != now.get(name)
        ]
    return found
