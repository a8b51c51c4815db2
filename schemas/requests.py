"""What the commands and flows on data sets are asked to do, and whether that can be.

Each field is an option of the command line, of --config files, of SCANMILL_ variables and of the
Prefect flow of the same name. `check` refuses what can't be done, in a command and in a flow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from schemas.addresses import is_address
from schemas.camera import LayoutName
from schemas.dataset_folder import DatasetFolder
from schemas.errors import RequestError
from schemas.options import Part, Shown
from schemas.pairing import PairSettings
from schemas.path_checks import check_file, check_folder, check_writable
from schemas.request_base import Request
from schemas.scan import DATASET_NAMES, ScannedName
from schemas.settings import RenderSettings
from schemas.tolerance import Tolerance
from schemas.worker_limits import WorkerLimits

BACKGROUNDS_FOLDER = "IndoorCVPR09"
"""Where the published layout keeps background images.

Source: docs/2k2k-dataset.md, "Input folders".
"""

PublishedLayout = Annotated[
    LayoutName,
    BeforeValidator(lambda name: name.lower() if isinstance(name, str) else name),
]
"""Published folder layouts that data sets are written to and read from."""

Detail = Literal["full", "fast"]
"""How finely people are meshed."""


DemoSize = Literal["tiny", "small", "full"]


def _refuse_no_tolerance(text: str) -> str:
    Tolerance.parse(text)
    return text


DataRoot = Annotated[
    str, Field(min_length=1, description="Data root in the published layout."), Shown("DIR")
]
Scans = Annotated[
    ScannedName,
    Field(description=f"{', '.join(DATASET_NAMES[:-1])} or {DATASET_NAMES[-1]}."),
    Shown("NAME"),
]
NewSet = Annotated[
    str, Field(min_length=1, description="Folder of the data set to make or add to."), Shown("URI")
]
Workers = Annotated[
    int | None,
    Field(ge=1, description="Processes that work at once."),
    Shown(unset="one a core"),
]
LOCAL = "local"
RUNNER_NAMES = (LOCAL, "dask", "ray")
RUNNER_SCHEMES = {"tcp": "dask", "tls": "dask", "ray": "ray"}
"""Scheme of an address -> the engine that listens there."""

Runner = Annotated[
    str,
    Field(
        pattern=rf"^({'|'.join(RUNNER_NAMES)}|({'|'.join(RUNNER_SCHEMES)})://[^/\s]+:\d+)$",
        description="Where the work runs: local, processes here; dask or ray, a cluster of "
        "--workers processes here; tcp://HOST:PORT, the scheduler of another Dask cluster; "
        "ray://HOST:PORT, the server of another Ray cluster.",
    ),
    Shown("local|dask|ray|ADDRESS"),
]
Device = Annotated[
    int | None,
    Field(ge=0, description="EGL device to draw on, by the number that `scanmill doctor` shows."),
    Shown(unset="the GPU of CUDA_VISIBLE_DEVICES, another GPU, or software"),
]
AcceptRejects = Annotated[
    str,
    AfterValidator(_refuse_no_tolerance),
    Field(
        coerce_numbers_to_str=True,
        description="Rejected samples (a number or a share) with which a run still counts as done.",
    ),
    Shown("N|P%"),
]
Limits = Annotated[WorkerLimits, Part()]
Profiled = Annotated[
    bool, Field(description="Show where the time goes, step by step; kept in the run's record.")
]
LAYOUT = Shown(word="the layout")
_BACKGROUNDS = "Images to put behind the person."
_DENSEPOSE = "DensePose images of the views, DATASET/ITEM/YAW.png, for the column iuv."
_SMPLX_MODELS = "Folder of SMPLX_MALE.npz: fills missing joints, checks fits."
_LAST_RUN = Shown("DIR", unset="of the last run")


def engine_of(runner: str) -> str:
    """Return which engine a runner is: one of RUNNER_NAMES."""
    return RUNNER_SCHEMES[runner.partition(":")[0]] if "://" in runner else runner


class RenderRequest(Request):
    """All of `scanmill render`."""

    data: DataRoot
    dataset: Scans
    out: NewSet
    settings: Annotated[RenderSettings, Part()] = Field(default_factory=RenderSettings)
    backgrounds: Annotated[str | None, Shown("DIR", unset="black")] = Field(
        default=None, description=_BACKGROUNDS
    )
    background_list: Annotated[str | None, Shown("FILE.txt")] = None
    """Use these of them: one folder/image a line."""
    refresh_backgrounds: bool = False
    """Look at them again; redo what used others."""
    densepose: Annotated[str | None, Shown("DIR", unset="synthetic people have their own")] = Field(
        default=None, description=_DENSEPOSE
    )
    smplx_models: Annotated[str | None, Shown("DIR", unset="without", has_variable=True)] = Field(
        default=None, description=_SMPLX_MODELS
    )
    splits: Annotated[str | None, Shown("FILE.csv")] = None
    """Columns item, subject, split: overrides the hash."""
    scans_per_shard: int = Field(default=1, ge=1)
    """Scans in a new shard."""
    workers: Workers = None
    runner: Runner = LOCAL
    device: Device = None
    limits: Limits = Field(default_factory=WorkerLimits)
    profile: Profiled = False
    accept_rejects: AcceptRejects = "0"

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the folders of inputs by their fields."""
        return {"data": self.data, "backgrounds": self.backgrounds, "densepose": self.densepose}

    def check(self) -> None:
        """Refuse folders and files that can't serve; raises RequestError naming the option."""
        _check_folders(self, "data", "densepose", "backgrounds")
        if self.backgrounds is None and self.background_list is not None:
            raise RequestError(
                "--background-list", found="no --backgrounds",
                expected="the folder that the list's images are in", hint="Give --backgrounds.",
            )  # fmt: skip
        for option, path in (
            ("--splits", self.splits), ("--background-list", self.background_list)
        ):  # fmt: skip
            if path is not None:
                check_file(option, path)
        check_output("--out", self.out)


class RerunRequest(Request):
    """All of `scanmill rerun`."""

    uri: Annotated[str, Shown("URI", word="URI")] = Field(min_length=1)
    """Folder of a data set."""
    data: Annotated[str | None, _LAST_RUN] = None
    """Data root."""
    backgrounds: Annotated[str | None, _LAST_RUN] = Field(default=None, description=_BACKGROUNDS)
    densepose: Annotated[str | None, _LAST_RUN] = Field(default=None, description=_DENSEPOSE)
    smplx_models: Annotated[
        str | None, Shown("DIR", unset="of the last run", has_variable=True)
    ] = Field(default=None, description=_SMPLX_MODELS)
    rejects: bool = False
    """Redo rejected samples too."""
    older_code: bool = False
    """Redo what older code made."""
    deep: bool = False
    """Read every byte to find what is broken."""
    workers: Workers = None
    runner: Runner = LOCAL
    device: Device = None
    limits: Limits = Field(default_factory=WorkerLimits)
    profile: Profiled = False
    accept_rejects: AcceptRejects = "0"

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the folders of inputs by their fields."""
        return {"data": self.data, "backgrounds": self.backgrounds, "densepose": self.densepose}

    def check(self) -> None:
        """Refuse what is no data set, and folders that can't serve; raises RequestError."""
        folder = DatasetFolder.at(self.uri)
        folder.read_description()
        check_output("URI", self.uri)
        _check_folders(self, "data", "backgrounds", "smplx_models", "densepose")


class PairRequest(Request):
    """All of `scanmill pair`."""

    data: Annotated[str, Shown("DIR")] = Field(min_length=1)
    """Folder above the videos, or a video's own folder."""
    out: NewSet
    settings: Annotated[PairSettings, Part()] = Field(default_factory=PairSettings)
    workers: Workers = None
    runner: Runner = LOCAL
    limits: Limits = Field(default_factory=WorkerLimits)
    profile: Profiled = False
    accept_rejects: AcceptRejects = "0"

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the folders of inputs by their fields."""
        return {"data": self.data}

    def check(self) -> None:
        """Refuse folders that can't serve; raises RequestError naming the option at fault."""
        check_folder("--data", self.data)
        check_output("--out", self.out)


class ValidateRequest(Request):
    """All of `scanmill validate`."""

    uri: Annotated[str, Shown("URI", word="URI")] = Field(min_length=1)
    """Folder of a data set, or of anybody's in a published layout."""
    layout: Annotated[PublishedLayout | None, Shown(unset="a scanmill data set")] = None
    """URI is a folder in this published layout."""
    workers: Workers = None
    runner: Runner = LOCAL

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the published folder, if it is one: its files are read like those of an import."""
        return {"uri": self.uri} if self.layout else {}

    def check(self) -> None:
        """Refuse what is no such folder; raises RequestError."""
        if self.layout:
            check_folder("DIR", self.uri)
        else:
            DatasetFolder.at(self.uri).read_description()


class ExportRequest(Request):
    """All of `scanmill export`."""

    layout: Annotated[PublishedLayout, LAYOUT]
    """Published layout to write."""
    uris: Annotated[tuple[str, ...], Shown("URI...", word="URI")] = Field(min_length=1)
    """Data sets."""
    to: Annotated[str, Shown("DIR")] = Field(min_length=1)
    """New or empty folder."""
    allow_other_resolution: bool = False
    """Export images of fewer than 2048 pixels, for readers that know better."""
    workers: Workers = None
    runner: Runner = LOCAL

    def check(self) -> None:
        """Refuse what is no data set, and a place that can't be written to."""
        check_output("--to", self.to)
        if is_address(self.to) and DatasetFolder.at(self.to).store.list_names(""):
            raise RequestError(
                "--to", found=f"objects below {self.to}", expected="a place where nothing is",
                hint="Give another place.",
            )  # fmt: skip
        for uri in self.uris:
            DatasetFolder.at(uri).read_description()


class ImportRequest(Request):
    """All of `scanmill import`."""

    layout: Annotated[PublishedLayout, LAYOUT]
    """Published layout to read."""
    source: Annotated[str, Shown("DIR", word="DIR")] = Field(min_length=1)
    """Folder in that layout."""
    out: NewSet
    workers: Workers = None
    runner: Runner = LOCAL

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the folders of inputs by their fields."""
        return {"source": self.source}

    def check(self) -> None:
        """Refuse folders that can't serve; raises RequestError."""
        check_folder("DIR", self.source)
        check_output("--out", self.out)


class ReportRequest(Request):
    """All of `scanmill report`."""

    uris: Annotated[tuple[str, ...], Shown("URI...", word="URI")] = Field(min_length=1)
    """Data sets and training folders."""
    out: Annotated[str, Shown("FILE")] = Field(default="report.html", min_length=1)
    """The page to write."""

    def check(self) -> None:
        """Refuse folders that are missing or empty; raises RequestError."""
        if is_address(self.out):
            check_output("--out", self.out.rpartition("/")[0])
        for uri in self.uris:
            if is_address(uri):
                DatasetFolder.at(uri).store.require()
            else:
                check_folder("URI", uri)


class ReportAnswer(BaseModel):
    """Where the page is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str


class SynthRequest(Request):
    """All of `scanmill synth`."""

    out: Annotated[str, Shown("DIR")] = Field(min_length=1)
    """Data root to make or to fill up."""
    subjects: int = Field(default=4, ge=1)
    """People to make."""
    backgrounds: int = Field(default=8, ge=0)
    """Rooms to make."""
    videos: int = Field(default=0, ge=0)
    """Dances to make, in TikTok's layout."""
    frames: int = Field(default=24, ge=1)
    """Of each dance, 30 a second."""
    texture: int = Field(default=2048, ge=64)
    """Texels a side, in steps of 16."""
    dataset: Literal["RP", "THuman2", "2K2K", "all"] = "RP"
    """Layout to write the people in."""
    detail: Detail = "full"
    """full: 100,000 triangles, as bought scans; fast: 26,000."""
    figures: Literal["lifelike", "sculpted"] = "lifelike"
    """lifelike: MakeHuman's bodies in draped clothes; sculpted: the older kind of people."""
    raw: bool = False
    """As raw as bought scans: meshed again, with small holes, noise and texture seams."""
    seed: int = Field(default=0, ge=0)
    """Other seeds give other people."""
    workers: Workers = None

    def check(self) -> None:
        """Refuse a place that can't be written to; raises RequestError."""
        check_output("--out", self.out)


class DemoRequest(Request):
    """All of `scanmill demo`."""

    out: Annotated[str, Shown("DIR")] = Field(default="out/demo", min_length=1)
    """Folder for everything that it makes."""
    size: DemoSize = "small"
    """How much of it."""
    workers: Workers = None

    def check(self) -> None:
        """Refuse a place that can't be written to; raises RequestError."""
        check_writable("--out", Path(self.out))


class ServeRequest(Request):
    """All of `scanmill serve`."""

    file: Annotated[str, Shown("FILE.yaml")] = "prefect.yaml"
    """Deployments; their relative paths count from its folder."""
    port: int = Field(default=4200, ge=1, le=65535)
    """Of the page, on loopback."""
    limit: int = Field(default=2, ge=1)
    """Runs at once: a rerun need not wait for a training."""

    def check(self) -> None:
        """Refuse a file of deployments that can't be read; raises RequestError."""
        check_file("--file", self.file)


class InspectRequest(Request):
    """All of `scanmill inspect`."""

    data: DataRoot
    dataset: Scans
    settings: Annotated[RenderSettings, Part(only=frozenset({"resolution", "yaws"}))] = Field(
        default_factory=RenderSettings
    )
    decode: bool = False
    """Read every image to its last pixel; slower."""

    @property
    def inputs(self) -> Mapping[str, str | None]:
        """Return the folders of inputs by their fields."""
        return {"data": self.data}

    def check(self) -> None:
        """Refuse a folder that is missing or empty; raises RequestError."""
        check_folder("--data", self.data)


def check_output(option: str, uri: str) -> None:
    """Refuse a folder that can't be made or written to, or a store that can't be written to."""
    if is_address(uri):
        DatasetFolder.at(uri).store.require_writable()
    else:
        check_writable(option, DatasetFolder.at(uri).root)


def _check_folders(request: Request, *names: str) -> None:
    for name in names:
        path = getattr(request, name)
        if path is not None:
            check_folder("--" + name.replace("_", "-"), path)
