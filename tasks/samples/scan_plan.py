"""Scans of a data root into the plan: found, split into train, val and test, given a shard."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.scan import DatasetName, ScanRef
from schemas.settings import RenderSettings
from tasks.dataset.planning import plan_new, planned_scans, read_plan
from tasks.dataset.splits import ScanName, assign_splits, read_splits, unmatched_rows
from tasks.scans.layouts import list_items, subject_of


def list_scan_names(data_root: Path, dataset: DatasetName) -> tuple[ScanName, ...]:
    """List the scans of a data root; raises RequestError when there is none."""
    items = list_items(data_root, dataset)
    if not items:
        raise RequestError(
            "--data", found=f"no scan of {dataset} in {data_root}", expected="at least one scan",
            hint="Run `scanmill inspect`; check --dataset and the folder names.",
        )  # fmt: skip
    return tuple(ScanName(dataset, item, subject_of(dataset, item)) for item in items)


def plan_scans(
    folder: DatasetFolder,
    found: Sequence[ScanName],
    settings: RenderSettings,
    *,
    splits: Path | None,
    scans_per_shard: int,
) -> tuple[str, ...]:
    """Give new scans their split and their shard, and name them; what is planned stays as it is.

    splits: CSV that overrides the split by hash. Raises RequestError for a row that names nothing.
    """
    planned = planned_scans(read_plan(folder))
    rows = read_splits(splits) if splits else ()
    refs = assign_splits(found, split_seed=settings.split_seed, overrides=rows, planned=planned)
    unknown = unmatched_rows(rows, (*planned, *refs))
    if unknown:
        name = unknown[0].item or unknown[0].subject
        raise RequestError(
            f"{splits} line {unknown[0].line}", found=f"no scan or person {name!r}",
            expected="names of scans in the data root",
            hint="Run `scanmill inspect` for the names.",
        )  # fmt: skip
    check_sample_ids(refs, settings)
    added = plan_new(folder, refs, scans_per_shard=scans_per_shard)
    return tuple(ref.scan_id for ref in planned_scans(added))


def check_sample_ids(refs: Iterable[ScanRef], settings: RenderSettings) -> None:
    """Refuse settings and scans that would give two samples one id; names them."""
    names = Counter(view.sample_id(ref.scan_id) for ref in refs for view in settings.views)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise RequestError(
            twice[0],
            found=f"{len(twice)} sample ids that two samples have each",
            expected="one id for one sample",
            hint="Name no view and no scan twice.",
        )
