"""`scanmill export`."""

import typer

from flows.cli.answers import SHOWN, Json, Verbose, print_list, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from schemas.requests import ExportRequest
from tasks.formats.outcomes import ExportOutcome

EXAMPLES = (
    "scanmill export 2k2k sets/rp --to published",
    "scanmill export 2k2k sets/rp sets/thuman --to published",
    "scanmill export hdnet sets/dances sets/rp --to published",
    "scanmill export 2k2k sets/small --to published --allow-other-resolution",
)


@request_command(ExportRequest)
def export(request: ExportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Write data sets in the published folder layout, file for file.

    The lists come last. Ends with 1 when samples could not be written.
    """
    outcome = answer_flow(
        "export", request, answer=ExportOutcome, show=_show, json=json, verbose=verbose
    )
    raise typer.Exit(0 if outcome.passed else 1)


def _show(outcome: ExportOutcome) -> None:
    for title, reasons in outcome.reasons.items():
        print_list(title, ("sample", "why"), [(one.sample_id, one.message) for one in reasons])
    missing = "planned shards are missing; run scanmill rerun first"
    print_list(missing, ("shard",), [(name,) for name in outcome.missing])
    for warning in outcome.warnings[:SHOWN]:
        say(f"warning  {warning}")
    say(outcome.sentence)
