"""What the flow `rerun` does besides drawing: begins the run, finds what is left."""

from pathlib import Path

from flows.runs import Run, begin_run
from flows.scan_runs import is_described, look_at_shards, sum_up
from flows.summary import RunSummary
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.requests import RerunRequest
from tasks.dataset.planning import planned_scans, read_plan
from tasks.dataset.roots import (
    BACKGROUNDS,
    DENSEPOSE,
    MODELS,
    data_root_of,
    data_roots,
    datasets_in,
)
from tasks.dataset.run_records import last_roots
from tasks.dataset.states import DatasetStatus, shards_to_redo
from tasks.video.plan import read_video_plan


def start_rerun(request: RerunRequest) -> Run:
    """Start the run that a request describes; the roots default to those of the last run."""
    folder = DatasetFolder.at(request.uri)
    refuse_imported(folder)
    roots = last_roots(folder)
    given = Path(request.data) if request.data else None
    scans = planned_scans(read_plan(folder))
    data = data_roots(folder, given, datasets_in(given, scans) if given else ())
    absent = {ref.dataset for ref in scans if data_root_of(ref.dataset) not in data}
    if absent:
        names = ", ".join(sorted(absent))
        last = next((str(roots[name]) for name in map(data_root_of, absent) if name in roots), "")
        raise RequestError(
            "--data", found=f"{last or 'no folder'}, as the last run has it, for {names}",
            expected="the data root that the scans come from", hint="Give --data.",
        )  # fmt: skip
    backgrounds = Path(request.backgrounds) if request.backgrounds else roots.get(BACKGROUNDS)
    models = Path(request.smplx_models) if request.smplx_models else roots.get(MODELS)
    densepose = Path(request.densepose) if request.densepose else roots.get(DENSEPOSE)
    return begin_run(
        "rerun",
        request.uri,
        roots={**data, BACKGROUNDS: backgrounds, MODELS: models, DENSEPOSE: densepose},
        workers=request.workers,
        device=request.device,
        accept_rejects=request.accept_rejects,
    )


def refuse_imported(folder: DatasetFolder) -> None:
    """Refuse a data set that was never rendered; raises RequestError."""
    if folder.read_description().settings.origin == "imported":
        raise RequestError(
            str(folder.root), found="a data set that was imported from images",
            expected="one that scanmill rendered",
            hint="Import the folder again: scanmill import does only what is not done.",
        )  # fmt: skip


def choose_shards(request: RerunRequest, status: DatasetStatus) -> tuple[str, ...]:
    """List the shards that the request wants redone."""
    return shards_to_redo(status, rejects=request.rejects, older_code=request.older_code)


def find_nothing_to_redo(request: RerunRequest) -> RunSummary | None:
    """Sum up a data set of which nothing is left to redo; None when work is left, or videos."""
    if read_video_plan(DatasetFolder.at(request.uri)):
        return None
    run = start_rerun(request)
    status = look_at_shards(run, deep=request.deep)
    if choose_shards(request, status) or not is_described(run, status):
        return None
    return sum_up(run, status, ())
