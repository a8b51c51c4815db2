"""Requests of rendering, completed by what given folders hold: before any work, without Prefect."""

from pathlib import Path

from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.requests import RenderRequest
from schemas.settings import refuse_difference
from tasks.fits.body_model import digest_model


def resolve(request: RenderRequest) -> RenderRequest:
    """Put what folders decide into the settings: the body model, and whether IUV is read.

    Raises RequestError when settings ask for a folder that is not given or holds no model, and when
    the data set was made with other settings.
    """
    settings = request.settings.model_copy(update=_read_model(request) | _use_densepose(request))
    folder = DatasetFolder.at(request.out)
    if folder.description_path.exists():
        described = folder.read_description()
        if described.renders:  # else begun with videos, which leave the settings open
            refuse_difference(request.out, stored=described.settings, asked=settings)
    return request.model_copy(update={"settings": settings})


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
