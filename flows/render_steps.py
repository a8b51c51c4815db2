"""What the flow `render` does besides drawing: finds the scans, plans them, begins the run."""

from collections.abc import Sequence
from pathlib import Path

from flows.runs import Run, begin_run
from flows.scan_runs import is_described, look_at_shards, sum_up
from flows.summary import RunSummary
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.manifest import BackgroundList
from schemas.requests import RenderRequest
from tasks.backgrounds import describe_shortage
from tasks.dataset.planning import check_sample_ids, plan_new, planned_scans, read_plan
from tasks.dataset.preparation import resolve_backgrounds
from tasks.dataset.roots import BACKGROUNDS, DENSEPOSE, MODELS, data_roots
from tasks.dataset.splits import ScanName, assign_splits, read_splits, unmatched_rows
from tasks.dataset.states import shards_to_redo
from tasks.scans.layouts import (
    DATASETS_WITH_FITS,
    UNUSABLE_NAME,
    list_scans,
    list_unusable_names,
)


def start_render(request: RenderRequest) -> Run:
    """Start the run that a request describes."""
    folder = DatasetFolder.at(request.out)
    return begin_run(
        "render",
        request.out,
        roots={
            **data_roots(folder, Path(request.data), [request.dataset]),
            BACKGROUNDS: Path(request.backgrounds) if request.backgrounds else None,
            DENSEPOSE: Path(request.densepose) if request.densepose else None,
            MODELS: Path(request.smplx_models) if request.smplx_models else None,
        },
        workers=request.workers,
        device=request.device,
        accept_rejects=request.accept_rejects,
    )


def find_scans(request: RenderRequest) -> tuple[ScanName, ...]:
    """List the scans of the data root; raises RequestError when there is none."""
    files = list_scans(Path(request.data), request.dataset)
    if not files:
        raise RequestError(
            "--data", found=f"no scan of {request.dataset} in {request.data}",
            expected="at least one scan",
            hint="Run `scanmill inspect`; check --dataset and the folder names.",
        )  # fmt: skip
    return tuple(ScanName(one.dataset, one.item, one.subject) for one in files)


def freeze_backgrounds(run: Run, request: RenderRequest) -> BackgroundList:
    """Freeze the backgrounds, or read what is frozen."""
    listed = Path(request.background_list) if request.background_list else None
    return resolve_backgrounds(
        run.folder, run.roots.get(BACKGROUNDS), listed=listed, refresh=request.refresh_backgrounds
    )


def list_shortages(request: RenderRequest, backgrounds: BackgroundList) -> tuple[str, ...]:
    """Say once for the whole run what is done without."""
    settings = request.settings
    shortages = []
    if not backgrounds.images:
        shortages.append("no --backgrounds: people stand before black")
    few = describe_shortage(backgrounds, settings.resolution, settings.max_enlargement)
    if few:
        shortages.append(few)
    if backgrounds.refused:
        first = backgrounds.refused[0]
        shortages.append(
            f"{len(backgrounds.refused)} backgrounds can't be used, listed in backgrounds.json; "
            f"the first: {first.path}: {first.reason}"
        )
    if not settings.smplx_model and request.dataset in DATASETS_WITH_FITS:
        shortages.append(
            "no --smplx-models: fits turn and size the scans, but fill no joints and are unchecked"
        )
    unusable = list_unusable_names(Path(request.data), request.dataset)
    shortages += [f"{request.dataset}/{name} is left out: {UNUSABLE_NAME}" for name in unusable]
    return tuple(shortages)


def plan_scans(run: Run, request: RenderRequest, found: Sequence[ScanName]) -> None:
    """Give new scans their split and their shard; what is planned stays as it is."""
    planned = planned_scans(read_plan(run.folder))
    rows = read_splits(Path(request.splits)) if request.splits else ()
    refs = assign_splits(
        found, split_seed=request.settings.split_seed, overrides=rows, planned=planned
    )
    unknown = unmatched_rows(rows, (*planned, *refs))
    if unknown:
        name = unknown[0].item or unknown[0].subject
        raise RequestError(
            f"{request.splits} line {unknown[0].line}", found=f"no scan or person {name!r}",
            expected="names of scans that are there", hint="Run `scanmill inspect` for the names.",
        )  # fmt: skip
    check_sample_ids(refs, request.settings)
    plan_new(run.folder, refs, scans_per_shard=request.scans_per_shard)


def find_nothing_to_do(request: RenderRequest) -> RunSummary | None:
    """Sum up a data set that holds all scans of the request already; None when work is left."""
    run = start_render(request)
    renews = bool(request.splits) or request.refresh_backgrounds
    if not run.folder.description_path.exists() or renews:
        return None
    planned = {ref.scan_id for ref in planned_scans(read_plan(run.folder))}
    found = {f"{name.dataset}/{name.item}" for name in find_scans(request)}
    status = look_at_shards(run)
    if found - planned or shards_to_redo(status) or not is_described(run, status):
        return None
    return sum_up(run, status, ())
