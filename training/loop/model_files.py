"""The weights of a run for use: OUT/model.safetensors, and OUT/model.json, which explains them."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import nn

from schemas.atomic_files import write_atomically
from schemas.errors import InputError
from schemas.regular_files import open_regular_file, read_whole
from training.run_settings import ModelSettings

MODEL_FILE, MODEL_CARD = "model.safetensors", "model.json"
CARD_VERSION = 1
MAX_CARD_BYTES = 1 << 20


def write_model(
    out: Path,
    model: nn.Module,
    settings: ModelSettings,
    *,
    step: int,
    conventions: Mapping[str, str],
) -> None:
    """Write both files, each whole or absent. conventions: units and ranges, for the card."""
    weights = {
        name: value.detach().cpu().contiguous() for name, value in model.state_dict().items()
    }
    data = save(weights)
    write_atomically(out / MODEL_FILE, data)
    card = {
        "format_version": CARD_VERSION,
        "step": step,
        "sha256": hashlib.sha256(data).hexdigest(),
        "parameters": sum(value.numel() for value in model.parameters()),
        "settings": settings.model_dump(mode="json"),
        **conventions,
    }
    write_atomically(out / MODEL_CARD, json.dumps(card, indent=1) + "\n")


def written_step(out: Path) -> int | None:
    """Return after which step the weights for use were written; None where they are not whole."""
    step = _read_card(out).get("step")
    return step if isinstance(step, int) and (out / MODEL_FILE).is_file() else None


def verify_model(out: Path) -> None:
    """Compare model.safetensors with the hash in model.json, where there is one.

    Raises InputError when it holds other bytes than were written.
    """
    expected = _read_card(out).get("sha256")
    with open_regular_file(out / MODEL_FILE) as file:
        if expected is not None and hashlib.file_digest(file, "sha256").hexdigest() != expected:
            raise InputError(
                str(out / MODEL_FILE), found="other bytes than were written",
                expected=f"the weights that {MODEL_CARD} describes",
                hint="Start from one of the run's step folders, or run its command again.",
            )  # fmt: skip


def _read_card(out: Path) -> dict[str, object]:
    """Read model.json; empty where there is none that can be read."""
    path = out / MODEL_CARD
    try:
        card = json.loads(read_whole(path, MAX_CARD_BYTES))
    except (InputError, ValueError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}
