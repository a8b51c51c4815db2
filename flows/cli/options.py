"""Options that several commands share: one meaning, one help text."""

from typing import Annotated, TypeVar, get_args

import typer
from pydantic import BaseModel, ValidationError

from flows.run_requests import PublishedLayout
from schemas.errors import RequestError
from schemas.scan import DATASET_NAMES, DatasetName
from schemas.settings import RenderSettings
from schemas.views import parse_angles

M = TypeVar("M", bound=BaseModel)

Uri = Annotated[
    str, typer.Argument(help="Folder of a data set.", metavar="URI", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show Prefect's log too.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Processes that work at once.  [default: one a core]"),
]
Device = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="EGL device to draw on, by the number that `scanmill doctor` shows.  "
        "[default: the GPU of CUDA_VISIBLE_DEVICES, another GPU, or software]",
    ),
]
AcceptRejects = Annotated[
    str,
    typer.Option(
        "--accept-rejects", metavar="N|P%",
        help="Rejected samples (a number or a share) with which a run still counts as done.",
    ),
]  # fmt: skip
Backgrounds = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Images to put behind the person.  [default: black]"),
]

Densepose = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="DensePose images of the views, DATASET/ITEM/YAW.png, for the column iuv.  "
        "[default: synthetic people have their own]",
    ),
]
DataRoot = Annotated[
    str | None, typer.Option(metavar="DIR", help="Data root in the published layout.")
]
Dataset = Annotated[str | None, typer.Option(metavar="NAME", help="RP, THuman2 or 2K2K.")]
Yaws = Annotated[
    str | None,
    typer.Option(help="Degrees: a list, or start:stop:step, stop included.  [default: -30:30:10]"),
]
Splits = Annotated[
    str | None,
    typer.Option(metavar="FILE.csv", help="Columns item, subject, split: overrides the hash."),
]
BodyModels = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", envvar="SCANMILL_SMPLX_MODELS",
        help="Folder of SMPLX_MALE.npz: fills missing joints, checks fits.  [default: without]",
    ),
]  # fmt: skip


def dataset_of(name: str) -> DatasetName:
    """Take the name of a published data set; raises RequestError with the names that exist."""
    for known in DATASET_NAMES:
        if name == known:
            return known
    similar = [known for known in DATASET_NAMES if known.lower() == name.lower()]
    raise RequestError(
        "--dataset", found=repr(name), expected=" or ".join(DATASET_NAMES),
        hint=f"Write {similar[0]}." if similar else "Choose one of these.",
    )  # fmt: skip


def layout_of(name: str) -> PublishedLayout:
    """Take the name of a published layout; raises RequestError with the names that exist."""
    for known in get_args(PublishedLayout):
        if name.lower() == known:
            layout: PublishedLayout = known
            return layout
    raise RequestError(
        "the layout", found=repr(name), expected=" or ".join(get_args(PublishedLayout)),
        hint="Write it before the data sets, as in scanmill export 2k2k URI --to DIR.",
    )  # fmt: skip


def fill(kind: type[M], values: dict[str, object], *, source: str) -> M:
    """Make settings from options or a file; raises RequestError naming the key at fault."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        place = [str(part) for part in first["loc"] if not isinstance(part, int)]
        option = "--" + "-".join(place[-1:]).replace("_", "-") if place else "the settings"
        found = f"{first['input']!r}" if place else "values that exclude each other"
        raise RequestError(
            f"{source}: {option}" if source else option,
            found=found,
            expected=first["msg"].removeprefix("Value error, "),
            hint="See --help for what is possible.",
        ) from error  # fmt: skip


def render_settings(values: dict[str, object], *, source: str = "") -> RenderSettings:
    """Make settings of what was given; yaws and pitches as lists or in their written form."""
    angles = {
        key: parse_angles(text, setting=f"--{key}")
        for key in ("yaws", "pitches")
        if isinstance(text := values.get(key), str)
    }
    return fill(RenderSettings, {**values, **angles}, source=source)
