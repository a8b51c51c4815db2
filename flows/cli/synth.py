"""`scanmill synth`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli.answers import print_json, say, style_of
from flows.cli.options import Json, Workers
from flows.progress import say as say_progress
from flows.progress import showing
from flows.run_requests import BACKGROUNDS_FOLDER, Detail, SynthRequest, check_writable
from flows.synthesis import make_people

Layouts = Literal["RP", "THuman2", "2K2K", "all"]
EXAMPLES = (
    "scanmill synth --out people",
    "scanmill synth --out people --videos 2 --frames 60",
    "scanmill synth --out people --subjects 60 --detail fast --texture 512",
    "scanmill synth --out people --subjects 20 --seed 7 --texture 4096 --dataset all",
)


def synth(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Data root to make or to fill up.")],
    *,
    subjects: Annotated[int, typer.Option(min=1, help="People to make.")] = 4,
    backgrounds: Annotated[int, typer.Option(min=0, help="Rooms to make.")] = 8,
    videos: Annotated[int, typer.Option(min=0, help="Dances to make, with their truth.")] = 0,
    frames: Annotated[int, typer.Option(min=1, help="Of each dance, 30 a second.")] = 24,
    texture: Annotated[int, typer.Option(min=64, help="Texels a side, in steps of 16.")] = 2048,
    dataset: Annotated[
        Layouts, typer.Option(metavar="NAME", help="Layout: RP, THuman2, 2K2K or all.")
    ] = "RP",
    detail: Annotated[
        Detail,
        typer.Option(help="full: 100,000 triangles, as bought scans; fast: 26,000."),
    ] = "full",
    seed: Annotated[int, typer.Option(min=0, help="Other seeds give other people.")] = 0,
    workers: Workers = None,
    json: Json = False,
) -> None:
    """Make a licence-free data root: people in the published layouts, rooms, dances.

    What an equal call has made already is kept.
    """
    check_writable("--out", out)
    request = SynthRequest(
        out=str(out), subjects=subjects, backgrounds=backgrounds, videos=videos, frames=frames,
        texture=texture, dataset=dataset, detail=detail, seed=seed, workers=workers,
    )  # fmt: skip
    with showing(style_of(json=json)):
        made = make_people(request, on_item=say_progress)
    if json:
        print_json(made)
        return
    say(f"In {out}: {len(made.people)} scans of {subjects} people, {backgrounds} rooms.")
    say("Render them with:")
    first = "RP" if dataset == "all" else dataset
    behind = f" --backgrounds {out / BACKGROUNDS_FOLDER}" if backgrounds else ""
    say(f"scanmill render --data {out} --dataset {first} --out sets/people{behind}")
    if made.videos:
        say(f"{len(made.videos)} dances of {frames} frames stand there too. Pair them with:")
        say(f"scanmill pair --data {out} --out sets/dances")
