"""How rerun begins: with the roots of the last runs, and whether anything is left. No Prefect."""

from collections.abc import Iterator
from pathlib import Path

from flows.runs import Run, begin_run, is_described, sum_up
from flows.summary import RunSummary
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.requests import RerunRequest
from tasks.dataset.planning import planned_scans, read_plan, read_video_plan
from tasks.dataset.run_records import (
    BACKGROUNDS,
    DENSEPOSE,
    MODELS,
    VIDEO_ROOT,
    data_root_of,
    data_roots,
    datasets_in,
    last_roots,
)
from tasks.dataset.states import shards_to_redo
from tasks.samples.sample_shards import SAMPLES
from tasks.video.video_shards import VIDEOS


def begin_reruns(request: RerunRequest) -> Iterator[Run]:
    """Begin to redo what the data set plans: its videos, then its scans.

    Roots default to those of the last run. Raises RequestError when they no longer exist.
    """
    folder = DatasetFolder.at(request.uri)
    has_scans = bool(read_plan(folder))
    if read_video_plan(folder):
        yield _begin_video_rerun(request, folder, given=None if has_scans else request.data)
        if not has_scans:
            return
    yield _begin_scan_rerun(request, folder)


def find_nothing_to_redo(request: RerunRequest) -> RunSummary | None:
    """Sum up a data set of which nothing is left to redo; None when work is left, or videos."""
    folder = DatasetFolder.at(request.uri)
    if read_video_plan(folder):
        return None
    run = _begin_scan_rerun(request, folder)
    status = run.status(deep=request.deep)
    left = shards_to_redo(status, rejects=request.rejects, older_code=request.older_code)
    return None if left or not is_described(run, status) else sum_up(run, status, ())


def _begin_scan_rerun(request: RerunRequest, folder: DatasetFolder) -> Run:
    _refuse_imported(folder)
    roots = last_roots(folder)
    given = Path(request.data) if request.data else None
    scans = planned_scans(read_plan(folder))
    data = data_roots(folder, given, datasets_in(given, scans) if given else ())
    absent = sorted({ref.dataset for ref in scans if data_root_of(ref.dataset) not in data})
    if absent:
        last = next((roots[name] for name in map(data_root_of, absent) if name in roots), None)
        raise RequestError(
            "--data",
            found=f"{last or 'no folder'}, as the last run has it, for {', '.join(absent)}",
            expected="the data root that the scans come from", hint="Give --data.",
        )  # fmt: skip
    return begin_run(
        SAMPLES,
        "rerun",
        request.uri,
        roots={
            **data,
            BACKGROUNDS: request.backgrounds or roots.get(BACKGROUNDS),
            MODELS: request.smplx_models or roots.get(MODELS),
            DENSEPOSE: request.densepose or roots.get(DENSEPOSE),
        },
        profiled=request.profile,
        workers=request.workers,
        device=request.device,
        accept_rejects=request.accept_rejects,
    )


def _begin_video_rerun(request: RerunRequest, folder: DatasetFolder, *, given: str | None) -> Run:
    root = Path(given) if given else last_roots(folder).get(VIDEO_ROOT)
    if root is None or not root.is_dir():
        raise RequestError(
            "--data", found=f"{root or 'no folder'}, as the last run has it",
            expected="the folder that the videos come from",
            hint="Give it to `scanmill pair --data` with the same settings.",
        )  # fmt: skip
    return begin_run(
        VIDEOS, "rerun", request.uri, roots={VIDEO_ROOT: root},
        workers=request.workers, accept_rejects=request.accept_rejects, profiled=request.profile,
    )  # fmt: skip


def _refuse_imported(folder: DatasetFolder) -> None:
    """Refuse a data set that was never rendered; raises RequestError."""
    if folder.read_description().settings.origin == "imported":
        raise RequestError(
            folder.address, found="a data set that was imported from images",
            expected="one that scanmill rendered",
            hint="Import the folder again: scanmill import does only what is not done.",
        )  # fmt: skip
