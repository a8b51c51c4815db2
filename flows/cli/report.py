"""`scanmill report`."""

from flows.cli.answers import Json, Verbose, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from schemas.requests import ReportAnswer, ReportRequest

EXAMPLES = (
    "scanmill report sets/rp",
    "scanmill report sets/rp runs/normal --out report.html",
)


@request_command(ReportRequest)
def report(request: ReportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Write one self-contained HTML page: totals, contact sheet, failures, trainings."""
    answer_flow("report", request, answer=ReportAnswer, show=_show, json=json, verbose=verbose)


def _show(made: ReportAnswer) -> None:
    say(f"The report is in {made.path}")
