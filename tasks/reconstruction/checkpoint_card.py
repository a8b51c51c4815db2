"""What can be known of a checkpoint without torch: its resolution, where it is from, its digest."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import InputError
from schemas.regular_files import digest_regular_file, read_whole

PUBLISHED_RESOLUTION = 2048
CARDS = (("model.json", "settings"), ("run.json", "model"))
"""File and key that hold the settings of the nets. Source: docs/training.md, "Run folder"."""

MAX_CARD_BYTES = 1 << 20
OWN_SUFFIX = ".safetensors"
LEVELS_ABOVE = 2


@dataclass(frozen=True, slots=True)
class CheckpointCard:
    """resolution: pixels a side that the nets were trained at. digest: of the weights.

    stage: what was trained; empty where nothing says it.
    """

    resolution: int
    is_published: bool
    digest: str
    stage: str = ""


def read_card(checkpoint: Path) -> CheckpointCard:
    """Look at a checkpoint of any form; its weights are not read."""
    is_published = checkpoint.is_file() and checkpoint.suffix != OWN_SUFFIX
    settings = {} if is_published else _find_settings(checkpoint)
    resolution = settings.get("resolution", PUBLISHED_RESOLUTION)
    side = resolution if isinstance(resolution, int) else PUBLISHED_RESOLUTION
    return CheckpointCard(side, is_published, _digest(checkpoint), str(settings.get("stage", "")))


def _find_settings(checkpoint: Path) -> dict[str, object]:
    folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
    above = list(folder.absolute().parents)[:LEVELS_ABOVE] if checkpoint.is_dir() else []
    for place in (folder, *above):
        for name, key in CARDS:
            found = _read(place / name).get(key)
            if isinstance(found, dict):
                return found
    return {}


def _read(path: Path) -> dict[str, object]:
    try:
        card = json.loads(read_whole(path, MAX_CARD_BYTES))
    except (InputError, ValueError, RecursionError):
        return {}
    return card if isinstance(card, dict) else {}


def _digest(checkpoint: Path) -> str:
    """Digest a file by its bytes, a folder by the files that its weights may come from."""
    if checkpoint.is_file():
        return digest_regular_file(checkpoint)[1]
    names = ("model.safetensors", "latest", "best", "SHA256SUMS")
    found = [
        digest_regular_file(checkpoint / name)[1] for name in names if (checkpoint / name).is_file()
    ]
    return hashlib.sha256("".join(found).encode()).hexdigest()
