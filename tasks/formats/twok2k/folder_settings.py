"""The settings under which a published folder was rendered, as far as its images tell."""

from contextlib import suppress
from pathlib import Path

from schemas.camera import CAMERA_MODELS
from schemas.errors import InputError, RequestError
from schemas.settings import MIN_RESOLUTION, RESOLUTION_STEP, RenderSettings
from tasks.formats.twok2k.folder_views import FolderViews
from tasks.formats.twok2k.twok2k_layout import ViewFiles
from tasks.scans.textures import probe_texture


def resolve_settings(source: Path, found: FolderViews) -> RenderSettings:
    """Take the resolution of the first readable image, and every angle that any scan has."""
    side = _find_side(source, found)
    views = found.all_views
    beside = [not CAMERA_MODELS[view.camera].is_standard for view in views]
    if all(beside):
        raise RequestError(
            str(source), found="orthographic views alone", expected="a folder PERS/ beside ORTH/",
            hint="Orthographic views are stored beside perspective ones.",
        )  # fmt: skip
    return RenderSettings(
        resolution=side,
        yaws=tuple(sorted({view.yaw for view in views})),
        pitches=tuple(sorted({view.pitch for view in views})),
        orthographic=any(beside),
        origin="imported",
    )


def _find_side(source: Path, views: FolderViews) -> int:
    """Return the side of the first front depth map that is a whole image, pixels."""
    found = "no whole image"
    for ref in views.scans:
        for view in sorted(views.views[ref.scan_id]):
            path = source / ViewFiles(ref.dataset, ref.item, view).depth("front")
            with suppress(InputError):
                side = probe_texture(path).height
                if side >= MIN_RESOLUTION and side % RESOLUTION_STEP == 0:
                    return side
                found = f"{path.name} of {side} rows"
    raise InputError(
        str(source), found=found,
        expected=f"depth maps of {MIN_RESOLUTION} pixels or more, a multiple of {RESOLUTION_STEP}",
        hint="Render the folder again.",
    )  # fmt: skip
