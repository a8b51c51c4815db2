"""`scanmill synth`."""

from pathlib import Path

from flows.cli.answers import Json, print_json, say, style_of
from flows.cli.request_options import request_command
from flows.progress import say as say_progress
from flows.progress import showing
from flows.synthesis import make_people
from schemas.requests import BACKGROUNDS_FOLDER, SynthRequest

EXAMPLES = (
    "scanmill synth --out people",
    "scanmill synth --out people --videos 2 --frames 60",
    "scanmill synth --out people --subjects 60 --detail fast --texture 512",
    "scanmill synth --out people --subjects 20 --seed 7 --texture 4096 --dataset all",
)


@request_command(SynthRequest)
def synth(request: SynthRequest, *, json: Json = False) -> None:
    """Make a licence-free data root: people in the published layouts, rooms, dances.

    What an equal call has made already is kept.
    """
    with showing(style_of(json=json)):
        made = make_people(request, on_item=say_progress)
    if json:
        print_json(made)
        return
    out, rooms = request.out, request.backgrounds
    say(f"In {out}: {len(made.people)} scans of {request.subjects} people, {rooms} rooms.")
    say("Render them with:")
    first = "RP" if request.dataset == "all" else request.dataset
    behind = f" --backgrounds {Path(out) / BACKGROUNDS_FOLDER}" if rooms else ""
    say(f"scanmill render --data {out} --dataset {first} --out sets/people{behind}")
    if made.videos:
        say(f"{len(made.videos)} dances of {request.frames} frames are there too. Pair them with:")
        say(f"scanmill pair --data {out} --out sets/dances")
