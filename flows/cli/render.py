"""`scanmill render`."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from flows.cli.options import (
    AcceptRejects,
    Backgrounds,
    BodyModels,
    DataRoot,
    Dataset,
    Densepose,
    Device,
    Json,
    Splits,
    Verbose,
    Workers,
    Yaws,
    dataset_of,
    fill,
    render_settings,
)
from flows.cli.run_answers import run_and_answer
from flows.render_steps import find_nothing_to_do
from flows.run_requests import RenderRequest, check_file, check_render, resolve
from schemas.errors import RequestError
from schemas.settings import RenderSettings

EXAMPLES = (
    "scanmill render --data DIR --dataset RP --out sets/rp",
    "scanmill render --data DIR --dataset RP --out sets/rp --yaws 0:350:10 --resolution 1024",
    "scanmill render --data DIR --dataset RP --out sets/labelled --camera hdnet",
    "scanmill render --config night.yaml --workers 8 --accept-rejects 2%",
    "night.yaml: lines such as  data: DIR   dataset: RP   out: sets/rp   yaws: -30:30:10",
)
SETTINGS = frozenset(RenderSettings.model_fields)
OPTIONS = frozenset(RenderRequest.model_fields) - {"settings"}
REQUIRED = ("data", "dataset", "out")


def render(
    *,
    data: DataRoot = None,
    dataset: Dataset = None,
    out: Annotated[
        str | None, typer.Option(metavar="URI", help="Folder of the data set to make or add to.")
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option(metavar="2k2k|hdnet", help="What the scans are seen by.  [default: 2k2k]"),
    ] = None,
    resolution: Annotated[
        int | None,
        typer.Option(
            help="Pixels a side.  [default: 2048; 256 for hdnet, and no other]", show_default=False
        ),
    ] = None,
    yaws: Yaws = None,
    pitches: Annotated[str | None, typer.Option(help="As --yaws.  [default: 0]")] = None,
    orthographic: Annotated[
        bool | None, typer.Option("--orthographic", help="Add orthographic views.")
    ] = None,
    backgrounds: Backgrounds = None,
    background_list: Annotated[
        str | None,
        typer.Option(metavar="FILE.txt", help="Use these of them: one folder/image a line."),
    ] = None,
    refresh_backgrounds: Annotated[
        bool | None,
        typer.Option("--refresh-backgrounds", help="Look at them again; redo what used others."),
    ] = None,
    max_enlargement: Annotated[
        float | None,
        typer.Option(min=1, help="Most that a background is enlarged.  [default: 2]"),
    ] = None,
    lights: Annotated[
        str | None,
        typer.Option(metavar="spots|harmonics", help="How people are lit.  [default: spots]"),
    ] = None,
    densepose: Densepose = None,
    smplx_models: BodyModels = None,
    require_fit: Annotated[
        bool | None,
        typer.Option("--require-fit", help="Fail scans whose fit is missing or lies elsewhere."),
    ] = None,
    fronting: Annotated[
        str | None,
        typer.Option(
            metavar="true_yaw|published", help="How a fit's turn is read.  [default: true_yaw]"
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of lights and backgrounds.  [default: 0]")
    ] = None,
    splits: Splits = None,
    scans_per_shard: Annotated[
        int | None, typer.Option(min=1, help="Scans in a new shard.  [default: 1]")
    ] = None,
    workers: Workers = None,
    device: Device = None,
    accept_rejects: AcceptRejects = "0",
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.yaml",
            help="Options and all other settings by name; the command line wins.",
        ),
    ] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Show seconds by stage.")] = False,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Render scans into shards of training samples; only what is not done yet.

    Ends with 1 when samples failed; they are listed with their reasons.
    """
    given: dict[str, object] = {
        "data": data, "dataset": dataset, "out": out, "camera": camera,
        "resolution": resolution, "yaws": yaws, "pitches": pitches, "orthographic": orthographic,
        "backgrounds": backgrounds, "background_list": background_list,
        "refresh_backgrounds": refresh_backgrounds, "max_enlargement": max_enlargement,
        "lights": lights, "densepose": densepose, "smplx_models": smplx_models,
        "require_fit": require_fit, "fronting": fronting, "seed": seed, "splits": splits,
        "scans_per_shard": scans_per_shard, "workers": workers,
        "device": device, "accept_rejects": None if accept_rejects == "0" else accept_rejects,
    }  # fmt: skip
    stored = read_config(config) if config else {}
    request = make_request(
        stored | {key: value for key, value in given.items() if value is not None},
        source=str(config or ""),
    )
    request = resolve(request)
    check_render(request)
    run_and_answer(
        "render", request, resolved=lambda: find_nothing_to_do(request),
        json=json, profile=profile, verbose=verbose,
    )  # fmt: skip


def read_config(path: Path) -> dict[str, object]:
    """Read options from YAML; raises RequestError naming the file and the key at fault."""
    check_file("--config", str(path))
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise _refuse_config(path, " ".join(str(error).split())) from error
    if not isinstance(values, dict):
        raise _refuse_config(path, f"a {type(values).__name__}")
    plain = {str(key).replace("-", "_"): value for key, value in values.items()}
    unknown = sorted(set(plain) - SETTINGS - OPTIONS)
    if unknown:
        raise _refuse_config(path, f"the unknown name {unknown[0]!r}")
    return plain


def make_request(values: dict[str, object], *, source: str = "") -> RenderRequest:
    """Make the request of option values; raises RequestError naming the option at fault."""
    missing = [name for name in REQUIRED if not values.get(name)]
    if missing:
        raise RequestError(
            f"--{missing[0]}", found="it is not given", expected="--data, --dataset and --out",
            hint="Give it, here or in --config; see scanmill render --help.",
        )  # fmt: skip
    settings = {key: value for key, value in values.items() if key in SETTINGS}
    options = {key: value for key, value in values.items() if key in OPTIONS}
    name = dataset_of(str(options.pop("dataset")))
    rendered = render_settings(settings, source=source)
    return fill(RenderRequest, {**options, "dataset": name, "settings": rendered}, source=source)


def _refuse_config(path: Path, found: str) -> RequestError:
    return RequestError(
        f"--config {path}", found=found, expected="lines of `name: value` with names of options",
        hint=f"Known names: {', '.join(sorted(SETTINGS | OPTIONS))}.",
    )  # fmt: skip
