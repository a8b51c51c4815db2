"""How render and pair begin: with which settings and roots, and whether anything is left.

Without Prefect, so that a command that has nothing to do answers at once.
"""

from pathlib import Path

from flows.runs import Run, begin_run, is_described, sum_up
from flows.summary import RunSummary
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.requests import PairRequest, RenderRequest
from schemas.settings import refuse_difference
from tasks.dataset.planning import read_video_plan
from tasks.dataset.run_records import BACKGROUNDS, DENSEPOSE, MODELS, VIDEO_ROOT, data_roots
from tasks.dataset.states import shards_to_redo
from tasks.fits.body_model import digest_model
from tasks.samples.sample_shards import SAMPLES
from tasks.samples.scan_plan import list_scan_names
from tasks.video.video_shards import VIDEOS, list_videos


def resolve(request: RenderRequest) -> RenderRequest:
    """Put what folders decide into the settings: the body model, and whether IUV is read.

    Raises RequestError when settings ask for a folder that is not given or holds no model, and when
    the data set was made with other settings.
    """
    settings = request.settings.model_copy(update=_read_model(request) | _use_densepose(request))
    folder = DatasetFolder.at(request.out)
    if folder.has_description:
        described = folder.read_description()
        if described.renders:  # else begun with videos, which leave the settings open
            refuse_difference(request.out, stored=described.settings, asked=settings)
    return request.model_copy(update={"settings": settings})


def begin_render(request: RenderRequest) -> Run:
    """Begin to render."""
    folder = DatasetFolder.at(request.out)
    return begin_run(
        SAMPLES,
        "render",
        request.out,
        roots={
            **data_roots(folder, Path(request.data), [request.dataset]),
            BACKGROUNDS: request.backgrounds,
            DENSEPOSE: request.densepose,
            MODELS: request.smplx_models,
        },
        workers=request.workers,
        device=request.device,
        accept_rejects=request.accept_rejects,
        profiled=request.profile,
    )


def find_nothing_to_render(request: RenderRequest) -> RunSummary | None:
    """Sum up a data set that holds all scans of the request already; None when work is left."""
    run = begin_render(request)
    renews = bool(request.splits) or request.refresh_backgrounds
    if not run.folder.has_description or renews:
        return None
    found = {
        f"{name.dataset}/{name.item}"
        for name in list_scan_names(Path(request.data), request.dataset)
    }
    status = run.status()
    planned = {name for shard in status.shards for name in shard.scans}
    if found - planned or shards_to_redo(status) or not is_described(run, status):
        return None
    return sum_up(run, status, ())


def begin_pairing(request: PairRequest) -> Run:
    """Begin to pair."""
    return begin_run(
        VIDEOS, "pair", request.out, roots={VIDEO_ROOT: request.data},
        workers=request.workers, accept_rejects=request.accept_rejects, profiled=request.profile,
    )  # fmt: skip


def find_nothing_to_pair(request: PairRequest) -> RunSummary | None:
    """Sum up a data set that holds all videos of the request already; None when work is left."""
    run = begin_pairing(request)
    if not run.folder.has_description or not run.folder.has_card:
        return None
    if run.folder.read_description().pairing != request.settings:
        return None
    planned = {one.video.video for one in read_video_plan(run.folder)}
    videos = list_videos(Path(request.data), split_seed=request.settings.split_seed)
    status = run.status()
    if {ref.video for ref in videos} - planned or shards_to_redo(status):
        return None
    return sum_up(run, status, ())


def _read_model(request: RenderRequest) -> dict[str, str]:
    """Return the digest of the SMPL-X model as a setting: its content decides bytes."""
    if request.smplx_models is not None:
        return {"smplx_model": digest_model(Path(request.smplx_models))}
    if request.settings.smplx_model or request.settings.require_fit:
        raise RequestError(
            "--smplx-models", found="no folder",
            expected="the SMPL-X model that fits are checked with",
            hint="Give --smplx-models or SCANMILL_SMPLX_MODELS; without it, no --require-fit.",
        )  # fmt: skip
    return {}


def _use_densepose(request: RenderRequest) -> dict[str, bool]:
    if request.densepose is not None:
        return {"iuv_files": True}
    if request.settings.iuv_files:
        raise RequestError(
            "--densepose", found="no folder",
            expected="the DensePose images that IUV is taken from",
            hint="Give --densepose, or leave out the setting iuv_files.",
        )  # fmt: skip
    return {}
