"""`scanmill import`."""

import typer

from flows.cli.answers import SHOWN, Json, Verbose, print_list, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from schemas.requests import ImportRequest
from tasks.formats.outcomes import ImportOutcome

EXAMPLES = (
    "scanmill import 2k2k published --out sets/published",
    "scanmill import 2k2k published --out sets/published --json",
    "scanmill import hdnet published --out sets/dances",
)


@request_command(ImportRequest)
def import_(request: ImportRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Make a data set of a folder in a published layout.

    2k2k: normals are worked out from depth. hdnet: the labelled set, which has no back surface, the
    videos, or both. Ends with 1 when something could not be read.
    """
    outcome = answer_flow(
        "import_", request, answer=ImportOutcome, show=_show, json=json, verbose=verbose
    )
    raise typer.Exit(0 if outcome.passed else 1)


def _show(outcome: ImportOutcome) -> None:
    rows = [(one.sample_id, one.message) for one in outcome.failures]
    print_list("views could not be imported", ("sample", "why"), rows)
    for line in outcome.warnings[:SHOWN]:
        say(f"warning  {line}")
    for line in outcome.unfinished[:SHOWN]:
        say(f"left to do  {line}")
    say(outcome.sentence)
