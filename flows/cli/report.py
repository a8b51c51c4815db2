"""`scanmill report`."""

from flows.cli.answers import Json, Verbose, print_json, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.request_options import request_command
from schemas.requests import ReportAnswer, ReportRequest

EXAMPLES = (
    "scanmill report sets/rp",
    "scanmill report sets/rp runs/normal --out report.html",
)


@request_command(ReportRequest)
def report(request: ReportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Write one self-contained HTML page: totals, contact sheet, failures, trainings."""
    made = run_flow(
        "report", request, answer=ReportAnswer, style=style_of(json=json), verbose=verbose
    )
    if json:
        print_json(made)
    else:
        say(f"The report is in {made.path}")
