"""The commands that make their own input: `scanmill demo`, `synth`."""

from flows.cli.answers import Json, Verbose, print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.request_options import request_command
from flows.demonstration import DemoSummary, find_finished_demo
from flows.progress import format_seconds, showing
from flows.progress import say as say_progress
from flows.synthesis import make_people
from schemas.requests import BACKGROUNDS_FOLDER, DemoRequest, SynthRequest
from tasks.launching.training_results import TrainSummary

EXAMPLES = {
    "demo": ("scanmill demo", "scanmill demo --out /data/demo --size full"),
    "synth": (
        "scanmill synth --out people",
        "scanmill synth --out people --videos 2 --frames 60",
        "scanmill synth --out people --subjects 60 --detail fast --texture 512",
        "scanmill synth --out people --subjects 20 --seed 7 --texture 4096 --dataset all",
    ),
}


@request_command(DemoRequest)
def demo(request: DemoRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Make people, render, pair, validate, export, train, report: the main job end to end."""
    finished = find_finished_demo(request)
    summary = finished or run_flow(
        "demo", request, answer=DemoSummary, style=style_of(json=json), verbose=verbose
    )
    if json:
        print_json(summary)
        return
    if finished is not None:
        say("demo: everything is done already.")
    else:
        say(f"demo: done in {format_seconds(summary.seconds)}.")
    _show(summary)


def _show(summary: DemoSummary) -> None:
    say(f"  people      {summary.data}")
    say(
        f"  data set    {summary.dataset}  ({summary.samples} samples, "
        f"{summary.frames} frames, {summary.pairs} pairs)"
    )
    say(f"  for HDNet   {summary.hdnet}")
    for trained in summary.trainings:
        if isinstance(trained, TrainSummary):
            loss = f"loss {trained.first_loss:.4g} -> {trained.last_loss:.4g}"
            say(f"  training    {trained.out}  ({trained.steps} steps, {loss})")
        else:
            say(f"  predicted   normals of {trained.steps} frames of the videos, into the data set")
    if summary.evaluation is not None:
        for line in summary.evaluation.lines:
            say(f"  evaluation  {line}")
    say(f"  report      {summary.report}")
    say("Look at the report first.")


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
    behind = f" --backgrounds {out.rstrip('/')}/{BACKGROUNDS_FOLDER}" if rooms else ""
    say(f"scanmill render --data {out} --dataset {first} --out sets/people{behind}")
    if made.videos:
        say(f"{len(made.videos)} dances of {request.frames} frames are there too. Pair them with:")
        say(f"scanmill pair --data {out} --out sets/dances")
