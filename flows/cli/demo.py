"""`scanmill demo`."""

from flows.cli.answers import Json, Verbose, print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.request_options import request_command
from flows.demonstration import DemoSummary, find_finished_demo
from flows.progress import format_seconds
from schemas.requests import DemoRequest

EXAMPLES = ("scanmill demo", "scanmill demo --out /data/demo --size full")


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
        say(
            f"  training    {trained.out}  ({trained.steps} steps, "
            f"loss {trained.first_loss:.4g} -> {trained.last_loss:.4g})"
        )
    say(f"  report      {summary.report}")
    say("Look at the report first.")
