"""`scanmill demo`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli.answers import print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Verbose, Workers
from flows.demonstration import DemoRequest, DemoSummary, find_finished_demo
from flows.progress import format_seconds
from flows.run_requests import check_writable

EXAMPLES = ("scanmill demo", "scanmill demo --out /data/demo --size full")


def demo(
    *,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for everything that it makes.")
    ] = Path("out/demo"),
    size: Annotated[Literal["small", "full"], typer.Option(help="How much of it.")] = "small",
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Make people, render, pair, validate, export, train, report: the main job end to end."""
    check_writable("--out", out)
    request = DemoRequest(out=str(out), size=size, workers=workers)
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
