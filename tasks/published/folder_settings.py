"""The settings under which a published folder was rendered, as far as its pictures tell."""

from contextlib import suppress
from pathlib import Path

from schemas.errors import InputError, RequestError
from schemas.settings import MIN_RESOLUTION, RESOLUTION_STEP, RenderSettings
from tasks.published.folder_views import FolderViews
from tasks.published.layout import ViewFiles
from tasks.scans.textures import probe_texture


def settle_settings(source: Path, found: FolderViews) -> RenderSettings:
    """Take the resolution of the first readable picture, and every angle that any scan has."""
    side = _find_side(source, found)
    views = found.all_views
    if all(view.camera != "2k2k" for view in views):
        raise RequestError(
            str(source), met="orthographic views alone", wanted="a folder PERS/ beside ORTH/",
            way_out="Orthographic views are stored beside perspective ones.",
        )  # fmt: skip
    return RenderSettings(
        resolution=side,
        yaws=tuple(sorted({view.yaw for view in views})),
        pitches=tuple(sorted({view.pitch for view in views})),
        orthographic=any(view.camera == "orthographic" for view in views),
        origin="imported",
    )


def _find_side(source: Path, found: FolderViews) -> int:
    """Return the side of the first front depth map that is a whole picture, pixels."""
    met = "no whole picture"
    for ref in found.scans:
        for view in sorted(found.views[ref.scan_id]):
            path = source / ViewFiles(ref.dataset, ref.item, view).depth("front")
            with suppress(InputError):
                side = probe_texture(path).height
                if side >= MIN_RESOLUTION and side % RESOLUTION_STEP == 0:
                    return side
                met = f"{path.name} of {side} rows"
    raise InputError(
        str(source), met=met,
        wanted=f"depth maps of {MIN_RESOLUTION} pixels or more, a multiple of {RESOLUTION_STEP}",
        way_out="Render the folder again.",
    )  # fmt: skip
