"""The flow `render`: scans in, shards of training samples out."""

from pathlib import Path

from flows.new_runs import begin_render, find_nothing_to_render, resolve
from flows.progress import say
from flows.request_flow import request_flow
from flows.runs import Run
from flows.shard_jobs import make_shards
from flows.summary import RunSummary, judge
from schemas.manifest import BackgroundList
from schemas.requests import RenderRequest
from tasks.backgrounds import describe_shortage
from tasks.dataset.preparation import prepare_dataset, resolve_backgrounds
from tasks.dataset.run_records import BACKGROUNDS
from tasks.machine.device_probe import check_device
from tasks.samples.scan_plan import list_scan_names, plan_scans
from tasks.scans.layouts import DATASETS_WITH_FITS, UNUSABLE_NAME, list_unusable_names


@request_flow(RenderRequest, name="render", run_name="render {dataset} to {out}")
def render(request: RenderRequest) -> RunSummary:
    """Render what a data root holds and the data set does not yet; redo what is broken.

    Raises RequestError before any work, UnfinishedWork when not all is done at the end.
    """
    request = resolve(request)
    finished = find_nothing_to_render(request)
    if finished is not None:  # before anything that takes longer than a look
        say(finished.sentence)
        return judge(finished)
    check_device(request.device, request.settings.resolution)
    run = begin_render(request)
    found = list_scan_names(Path(request.data), request.dataset)
    prepare_dataset(run.folder, request.settings)
    _say_shortages(request, _freeze_backgrounds(run, request))
    new = plan_scans(
        run.folder, found, request.settings,
        splits=Path(request.splits) if request.splits else None,
        scans_per_shard=request.scans_per_shard,
    )  # fmt: skip
    return judge(make_shards(run, new=new))


def _freeze_backgrounds(run: Run, request: RenderRequest) -> BackgroundList:
    listed = Path(request.background_list) if request.background_list else None
    return resolve_backgrounds(
        run.folder, run.roots.get(BACKGROUNDS), listed=listed, refresh=request.refresh_backgrounds
    )


def _say_shortages(request: RenderRequest, backgrounds: BackgroundList) -> None:
    """Say once for the whole run what is done without."""
    settings = request.settings
    if not backgrounds.images:
        say("render: no --backgrounds: people are over black")
    few = describe_shortage(backgrounds, settings.resolution, settings.max_enlargement)
    if few:
        say(f"render: {few}")
    if backgrounds.refused:
        first = backgrounds.refused[0]
        say(
            f"render: {len(backgrounds.refused)} backgrounds can't be used, listed in "
            f"backgrounds.json; the first: {first.path}: {first.reason}"
        )
    if not settings.smplx_model and request.dataset in DATASETS_WITH_FITS:
        say(
            "render: no --smplx-models: fits turn and size the scans, but fill no joints and are "
            "unchecked"
        )
    for name in list_unusable_names(Path(request.data), request.dataset):
        say(f"render: {request.dataset}/{name} is left out: {UNUSABLE_NAME}")
