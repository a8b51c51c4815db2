"""The folders that the inputs of a data set come from: their names on record, and their choice.

A data set may hold several of RP, THuman2 and 2K2K, each from a data root of its own.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from schemas.dataset_folder import DatasetFolder
from schemas.scan import DatasetName, ScanRef
from tasks.dataset.run_records import last_roots
from tasks.scans.input_files import Roots, is_scan_gone

BACKGROUNDS, DENSEPOSE, MODELS = "backgrounds", "densepose", "models"
DATA_PREFIX = "data/"


def data_root_of(dataset: DatasetName) -> str:
    """Name the data root of a dataset, as in data/RP."""
    return DATA_PREFIX + dataset


def data_roots(
    folder: DatasetFolder, path: Path | None, datasets: Iterable[DatasetName]
) -> dict[str, Path]:
    """Return the data roots of a run: of these datasets the one given, of others the last ones."""
    given = {data_root_of(dataset): path for dataset in datasets} if path else {}
    known = find_roots(folder, given)
    return {name: root for name, root in known.items() if root and name.startswith(DATA_PREFIX)}


def datasets_in(path: Path, scans: Iterable[ScanRef]) -> set[DatasetName]:
    """Tell of which datasets a folder holds any of these scans; of all where it holds none."""
    refs = tuple(scans)
    held = {ref.dataset for ref in refs if not is_scan_gone(path, ref)}
    return held or {ref.dataset for ref in refs}


def find_roots(folder: DatasetFolder, given: Mapping[str, Path]) -> Roots:
    """Choose the roots: as given, else of the last run that named them, else not known.

    One that is not there is not known.
    """
    chosen = {**last_roots(folder), **given}
    return {name: path if path.is_dir() else None for name, path in chosen.items()}


def roots_of(dataset: DatasetName, roots: Roots) -> Roots:
    """Return the roots of the inputs of one dataset's scans, by the names that they are filed by.

    Source of the names: schemas.scan.InputFile.
    """
    return {
        "data": roots.get(data_root_of(dataset)),
        BACKGROUNDS: roots.get(BACKGROUNDS),
        DENSEPOSE: roots.get(DENSEPOSE),
    }
