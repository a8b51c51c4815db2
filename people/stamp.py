"""`synth.json`: what made each file of a synthetic root, so that a second call is quick."""

import json
from pathlib import Path

from pydantic import BaseModel

from people.whole_files import write_whole

Stamp = dict[str, dict[str, object]]
"""By job: its settings (`job`) and the size of each of its files in bytes (`files`)."""
STAMP = "synth.json"


def read_stamp(out: Path) -> Stamp:
    """Return what a root says of itself; empty where it says nothing readable."""
    path = out / STAMP
    if not path.is_file():
        return {}
    try:
        stamp = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(out: Path, stamp: Stamp) -> None:
    """Write the stamp, sorted."""
    text = json.dumps(dict(sorted(stamp.items())), indent=1, sort_keys=True)
    write_whole(out / STAMP, text.encode())


def is_whole(out: Path, job: BaseModel, entry: dict[str, object] | None) -> bool:
    """Tell whether a job's files are all there, of their size, and made by equal settings."""
    files = (entry or {}).get("files")
    if entry is None or entry.get("job") != job.model_dump() or not isinstance(files, dict):
        return False
    return all((out / p).is_file() and (out / p).stat().st_size == s for p, s in files.items())
