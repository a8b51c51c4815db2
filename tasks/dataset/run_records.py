"""runs/<time>.json: what each run did, and the folders that its inputs came from.

A data set may hold several of RP, THuman2 and 2K2K, each from a data root of its own. The next run
goes by the roots of the last one unless it is given others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

from schemas.addresses import address_of, is_mirrored, path_of_root
from schemas.dataset_folder import DatasetFolder
from schemas.dataset_reader import RUNS_FOLDER
from schemas.dataset_store import ConflictError
from schemas.errors import InputError, MachineError, RequestError
from schemas.manifest import RunRecord, parse_record
from schemas.scan import DatasetName, ScanRef
from tasks.scans.input_files import Roots, is_scan_gone

BACKGROUNDS, DENSEPOSE, MODELS, VIDEO_ROOT = "backgrounds", "densepose", "models", "videos"
_DATA_PREFIX = "data/"


def write_run(folder: DatasetFolder, record: RunRecord) -> str:
    """Keep a run; two that ended in the same moment get names of their own. Returns the name."""
    stem = "".join(mark for mark in record.ended if mark.isalnum())
    text = record.model_dump_json(indent=1)
    for number in count(1):
        name = f"{RUNS_FOLDER}/{stem}{f'-{number}' if number > 1 else ''}.json"
        with suppress(ConflictError):
            folder.store.write(name, text, seen=None)
            return name
    raise AssertionError


def read_runs(folder: DatasetFolder) -> tuple[RunRecord, ...]:
    """Read the runs that can be read, oldest first; a broken record hides no other."""
    records = []
    for name in sorted(folder.store.list_names(RUNS_FOLDER)):
        if not name.endswith(".json") or name.startswith("."):
            continue
        place = f"{RUNS_FOLDER}/{name}"
        with suppress(InputError, FileNotFoundError):
            source = folder.store.where(place)
            records.append(parse_record(RunRecord, folder.store.read(place), source=source))
    return tuple(_last_of_each(records))


def _last_of_each(records: Sequence[RunRecord]) -> Iterator[RunRecord]:
    """Yield the records without those that a later one of the same run replaces."""
    last = {record.run: place for place, record in enumerate(records) if record.run}
    for place, record in enumerate(records):
        if last.get(record.run, place) == place:
            yield record


def last_roots(folder: DatasetFolder) -> dict[str, Path]:
    """Return each root by its name, as data/RP, as the last run that names it has it."""
    return {
        name: path_of_root(path)
        for record in read_runs(folder)
        for name, path in record.roots.items()
    }


def find_roots(folder: DatasetFolder, given: Mapping[str, Path]) -> Roots:
    """Choose the roots: as given, else of the last run that named them, else not known.

    One that does not exist is not known.
    """
    chosen = {**last_roots(folder), **given}
    return {name: _known_root(path) for name, path in chosen.items()}


def record_of_roots(roots: Mapping[str, Path]) -> dict[str, str]:
    """Return roots as records keep them: paths, and addresses of those in a store."""
    return {name: address_of(path) for name, path in roots.items()}


def _known_root(path: Path) -> Path | None:
    if is_mirrored(path):
        # What works on local folders does without the drivers of stores.
        from schemas.input_mirror import open_root  # noqa: PLC0415

        with suppress(RequestError, MachineError):
            return open_root(address_of(path))
        return None
    return path if path.is_dir() else None


def data_root_of(dataset: DatasetName) -> str:
    """Name the data root of a dataset, as in data/RP."""
    return _DATA_PREFIX + dataset


def data_roots(
    folder: DatasetFolder, path: Path | None, datasets: Iterable[DatasetName]
) -> dict[str, Path]:
    """Return the data roots of a run: of these datasets the one given, of others the last ones."""
    given = {data_root_of(dataset): path for dataset in datasets} if path else {}
    known = find_roots(folder, given)
    return {name: root for name, root in known.items() if root and name.startswith(_DATA_PREFIX)}


def datasets_in(path: Path, scans: Iterable[ScanRef]) -> set[DatasetName]:
    """List the datasets of which a folder holds any of these scans; all where it holds none."""
    refs = tuple(scans)
    held = {ref.dataset for ref in refs if not is_scan_gone(path, ref)}
    return held or {ref.dataset for ref in refs}
