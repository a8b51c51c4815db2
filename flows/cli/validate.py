"""`scanmill validate`."""

import typer

from flows.cli.answers import Json, Verbose, print_list, say
from flows.cli.flow_runs import answer_flow
from flows.cli.request_options import request_command
from schemas.requests import ValidateRequest
from tasks.checks.findings import Checked

EXAMPLES = (
    "scanmill validate sets/rp",
    "scanmill validate sets/rp --workers 4 --json",
    "scanmill validate --layout 2k2k published",
    "scanmill validate --layout hdnet published",
)


@request_command(ValidateRequest)
def validate(request: ValidateRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Read every byte of a data set back and check it against its records and the columns.

    With --layout: hold anybody's folder to the rules of the published reader.
    Ends with 1 when something does not hold.
    """
    found = answer_flow("validate", request, answer=Checked, show=_show, json=json, verbose=verbose)
    raise typer.Exit(0 if found.passed else 1)


def _show(found: Checked) -> None:
    rows = [(one.where, one.what, one.found, one.expected) for one in found.findings]
    print_list("things do not hold", ("where", "what", "found", "expected"), rows)
    for line in found.lines:
        say(line)
    if found.passed:
        say("Everything holds.")
