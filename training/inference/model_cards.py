"""What a checkpoint says about its nets: the settings in model.json or run.json near it."""

import json
from pathlib import Path

from pydantic import ValidationError

from schemas.errors import InputError
from schemas.regular_files import read_whole
from schemas.train_forms import StageName
from training.loop.model_files import MODEL_CARD
from training.loop.run_folder import MAX_RECORD_BYTES, RUN_FILE
from training.run_settings import ModelSettings

LEVELS_ABOVE = 2
"""A step folder is below OUT/checkpoints."""

PUBLISHED_RESOLUTION = 2048


def read_settings(checkpoint: Path, *stages: StageName) -> ModelSettings:
    """Return the settings that the nets were trained with; without any: the published ones.

    stages: those whose nets can serve, the published one first. Raises InputError when they are of
    another stage or can't be read.
    """
    stored, stage = _find_settings(checkpoint), stages[0]
    if stored is None:
        return ModelSettings(stage=stage, resolution=PUBLISHED_RESOLUTION, occupancy="published")
    path, values = stored
    try:
        settings = ModelSettings.model_validate(values)
    except ValidationError as error:
        raise _unlike(path, "settings that this version does not know", stage) from error
    if settings.stage not in stages:
        raise _unlike(path, f"weights of {settings.stage}", stage)
    return settings


def _find_settings(checkpoint: Path) -> tuple[Path, object] | None:
    folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
    above = list(folder.absolute().parents)[:LEVELS_ABOVE] if checkpoint.is_dir() else []
    is_published = not checkpoint.is_dir() and checkpoint.suffix != ".safetensors"
    for place in () if is_published else (folder, *above):
        for name, key in ((MODEL_CARD, "settings"), (RUN_FILE, "model")):
            if (place / name).is_file():
                return place / name, _read(place / name).get(key)
    return None


def _read(path: Path) -> dict[str, object]:
    try:
        card = json.loads(read_whole(path, MAX_RECORD_BYTES))
    except (ValueError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}


def _unlike(path: Path, found: str, stage: StageName) -> InputError:
    return InputError(
        str(path), found=found, expected=f"weights of {stage}",
        hint="Give the folder of a training of that stage.",
    )  # fmt: skip
