"""`scanmill import`."""

import typer

from flows.cli.answers import print_json, print_table, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Verbose
from flows.cli.request_options import request_command
from flows.cli.run_answers import answer
from flows.hdnet_answer import HdnetImport
from schemas.requests import ImportRequest
from tasks.dataset.imported import ImportSummary

EXAMPLES = (
    "scanmill import 2k2k published --out sets/published",
    "scanmill import 2k2k published --out sets/published --json",
    "scanmill import hdnet published --out sets/dances",
)
SHOWN = 50


@request_command(ImportRequest)
def import_(request: ImportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Make a data set of a folder in a published layout.

    2k2k: normals are worked out from depth. hdnet: the labelled set, which has no back surface, the
    videos, or both. Ends with 1 when something could not be read.
    """
    style = style_of(json=json)
    if request.layout == "hdnet":
        made = run_flow("import_", request, answer=HdnetImport, style=style, verbose=verbose)
        _show_hdnet(made, json=json)
        raise typer.Exit(0 if made.passed else 1)
    summary = run_flow("import_", request, answer=ImportSummary, style=style, verbose=verbose)
    if json:
        print_json(summary)
    else:
        _show(summary)
    raise typer.Exit(0 if summary.passed else 1)


def _show_hdnet(made: HdnetImport, *, json: bool) -> None:
    if json:
        print_json(made)
        return
    if made.samples is not None:
        _show(made.samples, unit="labelled frames")
    if made.videos is not None:
        answer(made.videos, json=False, profile=False)


def _show(summary: ImportSummary, *, unit: str = "scans") -> None:
    if summary.failures:
        rows = [(one.sample_id, one.message) for one in summary.failures[:SHOWN]]
        say(f"{len(summary.failures)} views could not be imported:")
        print_table(("sample", "why"), rows)
        say("")
    say(f"import: {summary.samples} samples of {summary.scans} {unit} in {summary.uri}.")
