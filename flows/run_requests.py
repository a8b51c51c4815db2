"""What a run is asked to do, and whether that can be: checked before any work, without Prefect.

The command line, a schedule and the Prefect page all fill the same values.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.tolerance import Tolerance
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.scan import DatasetName
from schemas.settings import RenderSettings, refuse_difference
from tasks.fits.body_model import digest_model

BACKGROUNDS_FOLDER = "IndoorCVPR09"
"""Where the published layout keeps background images.

Source: docs/2k2k-dataset.md, "Input folders".
"""

PublishedLayout = Literal["2k2k", "hdnet"]
"""Published folder layouts that data sets are written to and read from."""

_FOLDER_ACCESS = os.R_OK | os.W_OK | os.X_OK


Detail = Literal["full", "fast"]
"""How finely people are meshed."""


class SynthRequest(BaseModel):
    """All of `scanmill synth`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    out: str = Field(description="data root to make or to fill up")
    dataset: Literal["RP", "THuman2", "2K2K", "all"] = Field(
        default="RP", description="layouts to write the people in"
    )
    subjects: int = Field(default=4, ge=1)
    backgrounds: int = Field(default=8, ge=0, description="rooms")
    videos: int = Field(default=0, ge=0, description="dances, in TikTok's layout")
    frames: int = Field(default=24, ge=1, description="of each video")
    texture: int = Field(default=2048, ge=64, description="texels a side")
    detail: Detail = Field(default="full", description="fast: a quarter of the triangles")
    seed: int = Field(default=0, ge=0)
    workers: int | None = Field(default=None, ge=1, description="processes; none: one a core")


class MadePeople(BaseModel):
    """What stands in the data root now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str
    people: tuple[str, ...]
    videos: tuple[str, ...] = ()


class RenderRequest(BaseModel):
    """All of `scanmill render`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field(description="data root in the published layout")
    dataset: DatasetName = Field(description="which of the published data sets it holds")
    out: str = Field(description="folder of the data set to make or to add to")
    settings: RenderSettings = Field(default_factory=RenderSettings)
    backgrounds: str | None = Field(default=None, description="folder of images; none: black")
    background_list: str | None = Field(
        default=None, description="published list of the images to use; none: all"
    )
    refresh_backgrounds: bool = Field(
        default=False, description="look at the images again; what differs is a new version"
    )
    densepose: str | None = Field(
        default=None, description="folder of DensePose images; none: IUV of synthetic people only"
    )
    smplx_models: str | None = Field(default=None, description="folder of the SMPL-X model")
    splits: str | None = Field(default=None, description="CSV with item, subject, split")
    scans_per_shard: int = Field(default=1, ge=1)
    workers: int | None = Field(default=None, ge=1, description="processes; none: one a core")
    device: int | None = Field(default=None, ge=0, description="EGL device; none: chosen")
    accept_rejects: str = Field(default="0", description="rejected samples: a number or a share %")


class RerunRequest(BaseModel):
    """All of `scanmill rerun`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str = Field(description="folder of the data set")
    data: str | None = Field(default=None, description="data root; none: that of the last run")
    backgrounds: str | None = Field(default=None, description="none: those of the last run")
    densepose: str | None = Field(default=None, description="none: that of the last run")
    smplx_models: str | None = Field(default=None, description="none: that of the last run")
    rejects: bool = Field(default=False, description="redo rejected samples too")
    older_code: bool = Field(default=False, description="redo what older code made")
    deep: bool = Field(default=False, description="read every byte to find what is broken")
    workers: int | None = Field(default=None, ge=1, description="processes; none: one a core")
    device: int | None = Field(default=None, ge=0, description="EGL device; none: chosen")
    accept_rejects: str = Field(default="0", description="rejected samples: a number or a share %")


class ValidateRequest(BaseModel):
    """All of `scanmill validate`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uri: str = Field(description="folder of the data set, or of anybody's in a published layout")
    layout: PublishedLayout | None = Field(
        default=None, description="published layout; none: a scanmill data set"
    )
    workers: int | None = Field(default=None, ge=1, description="threads; none: one a core")


class ExportRequest(BaseModel):
    """All of `scanmill export`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: PublishedLayout = Field(description="published layout to write")
    uris: tuple[str, ...] = Field(min_length=1, description="data sets")
    to: str = Field(description="new or empty folder")
    allow_other_resolution: bool = Field(
        default=False, description="2k2k: export images of fewer than 2048 pixels too"
    )
    workers: int | None = Field(default=None, ge=1, description="threads; none: one a core")


class ImportRequest(BaseModel):
    """All of `scanmill import`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layout: PublishedLayout = Field(description="published layout to read")
    source: str = Field(description="folder in that layout")
    out: str = Field(description="folder of the data set to make or to add to")
    workers: int | None = Field(default=None, ge=1, description="threads; none: one a core")


class ReportRequest(BaseModel):
    """All of `scanmill report`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    uris: tuple[str, ...] = Field(min_length=1, description="data sets and training folders")
    out: str = Field(description="path of the page")


class ReportAnswer(BaseModel):
    """Where the page stands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str


def resolve(request: RenderRequest) -> RenderRequest:
    """Put what given folders decide into the settings: the body model, and whether IUV is read.

    Raises RequestError when settings ask for a folder that is not given, or holds no model.
    """
    request = resolve_model(request)
    if request.densepose is not None:
        settings = request.settings.model_copy(update={"iuv_files": True})
        return request.model_copy(update={"settings": settings})
    if request.settings.iuv_files:
        raise RequestError(
            "--densepose", found="no folder",
            expected="the DensePose images that IUV is taken from",
            hint="Give --densepose, or leave out the setting iuv_files.",
        )  # fmt: skip
    return request


def resolve_model(request: RenderRequest) -> RenderRequest:
    """Put the digest of the SMPL-X model into the settings: its content decides bytes.

    Raises RequestError when the folder holds no model, or fits are required and there is none.
    """
    if request.smplx_models is not None:
        digest = digest_model(Path(request.smplx_models))
        settings = request.settings.model_copy(update={"smplx_model": digest})
        return request.model_copy(update={"settings": settings})
    if request.settings.smplx_model or request.settings.require_fit:
        raise RequestError(
            "--smplx-models", found="no folder",
            expected="the SMPL-X model that fits are checked with",
            hint="Give --smplx-models or SCANMILL_SMPLX_MODELS; without it, no --require-fit.",
        )  # fmt: skip
    return request


def check_render(request: RenderRequest) -> None:
    """Refuse what can't be done; raises RequestError naming the option at fault."""
    check_folder("--data", request.data)
    if request.densepose is not None:
        check_folder("--densepose", request.densepose)
    if request.backgrounds is not None:
        check_folder("--backgrounds", request.backgrounds)
    elif request.background_list is not None:
        raise RequestError(
            "--background-list", found="no --backgrounds",
            expected="the folder that the list's images stand below", hint="Give --backgrounds.",
        )  # fmt: skip
    for option, path in (
        ("--splits", request.splits), ("--background-list", request.background_list)
    ):  # fmt: skip
        if path is not None:
            check_file(option, path)
    Tolerance.parse(request.accept_rejects)
    folder = DatasetFolder.at(request.out)
    check_writable("--out", folder.root)
    if folder.description_path.exists():
        described = folder.read_description()
        if described.renders:  # else begun with videos, which leave the settings open
            refuse_difference(request.out, stored=described.settings, asked=request.settings)


def check_rerun(request: RerunRequest) -> None:
    """Refuse what can't be done; raises RequestError naming what is at fault."""
    folder = DatasetFolder.at(request.uri)
    folder.read_description()
    check_writable("URI", folder.root)
    Tolerance.parse(request.accept_rejects)
    for option, path in (
        ("--data", request.data), ("--backgrounds", request.backgrounds),
        ("--smplx-models", request.smplx_models), ("--densepose", request.densepose),
    ):  # fmt: skip
        if path is not None:
            check_folder(option, path)


def check_folder(option: str, path: str) -> None:
    """Refuse a folder that is not there, is no folder, or is empty."""
    folder = Path(path)
    if not folder.is_dir():
        found = f"{path} is no folder" if folder.exists() else f"no folder {path}"
        raise RequestError(
            option, found=found, expected="a folder that can be read",
            hint="Check the spelling; relative paths count from where the command runs.",
        )  # fmt: skip
    if not os.access(folder, os.R_OK | os.X_OK):
        raise RequestError(
            option, found=f"{path} may not be read", expected="a folder that can be read",
            hint="Give this user the right to read it.",
        )  # fmt: skip
    if next(folder.iterdir(), None) is None:
        raise RequestError(
            option, found=f"{path} is empty", expected="a folder with files in it",
            hint="Give the folder that holds the files, or `scanmill synth` some.",
        )  # fmt: skip


def check_file(option: str, path: str) -> None:
    """Refuse a file that is not there or can't be read."""
    if not Path(path).is_file() or not os.access(path, os.R_OK):
        raise RequestError(
            option, found=f"no readable file {path}", expected="a file that can be read",
            hint="Check the spelling; relative paths count from where the command runs.",
        )  # fmt: skip


def check_writable(option: str, path: Path) -> None:
    """Refuse a folder that can't be made or written to."""
    absolute = path.absolute()
    stands = next(parent for parent in (absolute, *absolute.parents) if parent.exists())
    if not stands.is_dir():
        raise RequestError(
            option, found=f"{stands} is a file", expected="a folder, or a place for a new one",
            hint="Give another folder.",
        )  # fmt: skip
    if not os.access(stands, _FOLDER_ACCESS):
        raise RequestError(
            option, found=f"{stands} can't be written to",
            expected="a folder that can be written to",
            hint="Give another folder, or this user the right to write there.",
        )  # fmt: skip
