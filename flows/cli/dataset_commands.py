"""The commands on whole data sets: `scanmill validate`, `export`, `import`, `report`."""

import typer

from flows.cli.answers import SHOWN, Json, Verbose, print_list, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from schemas.requests import (
    ExportRequest,
    ImportRequest,
    ReportAnswer,
    ReportRequest,
    ValidateRequest,
)
from tasks.checks.findings import Checked
from tasks.formats.outcomes import ExportOutcome, ImportOutcome

EXAMPLES = {
    "validate": (
        "scanmill validate sets/rp",
        "scanmill validate sets/rp --workers 4 --json",
        "scanmill validate --layout 2k2k published",
        "scanmill validate --layout hdnet published",
    ),
    "export": (
        "scanmill export 2k2k sets/rp --to published",
        "scanmill export 2k2k sets/rp sets/thuman --to published",
        "scanmill export hdnet sets/dances sets/rp --to published",
        "scanmill export 2k2k sets/small --to published --allow-other-resolution",
    ),
    "import": (
        "scanmill import 2k2k published --out sets/published",
        "scanmill import 2k2k published --out sets/published --json",
        "scanmill import hdnet published --out sets/dances",
    ),
    "report": (
        "scanmill report sets/rp",
        "scanmill report sets/rp runs/normal --out report.html",
    ),
}


@request_command(ValidateRequest)
def validate(request: ValidateRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Read every byte of a data set back and check it against its records and the columns.

    With --layout: hold anybody's folder to the rules of the published reader.
    Ends with 1 when something does not hold.
    """
    found = answer_flow(
        "validate", request, answer=Checked, show=_show_findings, json=json, verbose=verbose
    )
    raise typer.Exit(0 if found.passed else 1)


def _show_findings(found: Checked) -> None:
    rows = [(one.where, one.what, one.found, one.expected) for one in found.findings]
    print_list("things do not hold", ("where", "what", "found", "expected"), rows)
    for line in found.lines:
        say(line)
    if found.passed:
        say("Everything holds.")


@request_command(ExportRequest)
def export(request: ExportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Write data sets in the published folder layout, file for file.

    The lists come last. Ends with 1 when samples could not be written.
    """
    outcome = answer_flow(
        "export", request, answer=ExportOutcome, show=_show_export, json=json, verbose=verbose
    )
    raise typer.Exit(0 if outcome.passed else 1)


def _show_export(outcome: ExportOutcome) -> None:
    for title, reasons in outcome.reasons.items():
        print_list(title, ("sample", "why"), [(one.sample_id, one.message) for one in reasons])
    missing = "planned shards are missing; run scanmill rerun first"
    print_list(missing, ("shard",), [(name,) for name in outcome.missing])
    for warning in outcome.warnings[:SHOWN]:
        say(f"warning  {warning}")
    say(outcome.sentence)


@request_command(ImportRequest)
def import_(request: ImportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Make a data set of a folder in a published layout.

    2k2k: normals are worked out from depth. hdnet: the labelled set, which has no back surface, the
    videos, or both. Ends with 1 when something could not be read.
    """
    outcome = answer_flow(
        "import_", request, answer=ImportOutcome, show=_show_import, json=json, verbose=verbose
    )
    raise typer.Exit(0 if outcome.passed else 1)


def _show_import(outcome: ImportOutcome) -> None:
    rows = [(one.sample_id, one.message) for one in outcome.failures]
    print_list("views could not be imported", ("sample", "why"), rows)
    for line in outcome.warnings[:SHOWN]:
        say(f"warning  {line}")
    for line in outcome.unfinished[:SHOWN]:
        say(f"left to do  {line}")
    say(outcome.sentence)


@request_command(ReportRequest)
def report(request: ReportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Write one self-contained HTML page: totals, contact sheet, failures, trainings."""
    answer_flow(
        "report", request, answer=ReportAnswer, show=_show_report, json=json, verbose=verbose
    )


def _show_report(made: ReportAnswer) -> None:
    say(f"The report is in {made.path}")
