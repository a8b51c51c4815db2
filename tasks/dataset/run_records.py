"""runs/<time>.json: what each run did, and the roots that the next one uses by default."""

from pathlib import Path

from schemas.dataset_folder import DatasetFolder, create_atomically
from schemas.errors import InputError
from schemas.manifest import RunRecord, parse_record


def write_run(folder: DatasetFolder, record: RunRecord) -> Path:
    """Keep a run; two that ended in the same moment get names of their own."""
    stem = "".join(mark for mark in record.ended if mark.isalnum())
    text = record.model_dump_json(indent=1)
    path, number = folder.runs_folder / f"{stem}.json", 1
    while True:
        try:
            create_atomically(path, text)
        except FileExistsError:
            number += 1
            path = folder.runs_folder / f"{stem}-{number}.json"
        else:
            return path


def read_runs(folder: DatasetFolder) -> tuple[RunRecord, ...]:
    """Read the runs that can be read, oldest first; a broken record hides no other."""
    records = []
    for path in sorted(folder.runs_folder.glob("*.json")):
        try:
            records.append(parse_record(RunRecord, path.read_bytes(), source=str(path)))
        except InputError:
            continue
    return tuple(records)


def last_roots(folder: DatasetFolder) -> dict[str, Path]:
    """Return each root by its name, `data` for one, as the last run that names it has it."""
    return {name: Path(path) for record in read_runs(folder) for name, path in record.roots.items()}
