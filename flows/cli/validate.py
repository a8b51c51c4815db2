"""`scanmill validate`."""

import typer

from flows.cli.answers import format_bytes, print_json, print_table, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Uri, Verbose, Workers
from flows.run_requests import ValidateRequest
from schemas.dataset_folder import DatasetFolder
from tasks.validation import Validation

EXAMPLES = ("scanmill validate sets/rp", "scanmill validate sets/rp --workers 4 --json")
SHOWN = 50


def validate(
    uri: Uri, *, workers: Workers = None, json: Json = False, verbose: Verbose = False
) -> None:
    """Read every byte of a data set back and check it against its records and the columns.

    Ends with 1 when something does not hold.
    """
    DatasetFolder.at(uri).read_description()
    request = ValidateRequest(uri=uri, workers=workers)
    found = run_flow(
        "validate", request, answer=Validation, style=style_of(json=json), verbose=verbose
    )
    if json:
        print_json(found)
    else:
        _show(found)
    raise typer.Exit(0 if found.passed else 1)


def _show(found: Validation) -> None:
    if found.findings:
        rows = [(one.where, one.what, one.met, one.wanted) for one in found.findings[:SHOWN]]
        say(f"{len(found.findings)} things do not hold:")
        print_table(("where", "what", "met", "wanted"), rows)
        say("")
    size = format_bytes(found.bytes)
    say(f"validate: {found.samples} samples of {found.shards} shards read, {size}.")
    if found.passed:
        say("Everything holds.")
    else:
        say(f"Redo what is broken with: scanmill rerun {found.uri} --deep")
