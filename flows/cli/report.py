"""`scanmill report`."""

from typing import Annotated

import typer

from flows.cli.answers import print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Verbose
from flows.run_requests import ReportAnswer, ReportRequest, check_folder

EXAMPLES = (
    "scanmill report sets/rp",
    "scanmill report sets/rp runs/normal --out report.html",
)


def report(
    uris: Annotated[
        list[str],
        typer.Argument(
            metavar="URI...", help="Data sets and training folders.", show_default=False
        ),
    ],
    *,
    out: Annotated[str, typer.Option(metavar="FILE", help="The page to write.")] = "report.html",
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Write one self-contained HTML page: totals, contact sheet, failures, trainings."""
    for uri in uris:
        check_folder("URI", uri)
    made = run_flow(
        "report",
        ReportRequest(uris=tuple(uris), out=out),
        answer=ReportAnswer,
        style=style_of(json=json),
        verbose=verbose,
    )
    if json:
        print_json(made)
    else:
        say(f"The report stands in {made.path}")
