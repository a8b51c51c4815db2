"""`scanmill validate`."""

from collections.abc import Callable, Sequence
from typing import Any

import typer

from flows.cli.answers import format_bytes, print_json, print_table, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Verbose
from flows.cli.request_options import request_command
from schemas.requests import PublishedLayout, ValidateRequest
from tasks.checks.findings import Finding
from tasks.checks.validation import Validation
from tasks.formats.hdnet.hdnet_check import LayoutCheck
from tasks.formats.twok2k.twok2k_check import PublishedCheck

EXAMPLES = (
    "scanmill validate sets/rp",
    "scanmill validate sets/rp --workers 4 --json",
    "scanmill validate --layout 2k2k published",
    "scanmill validate --layout hdnet published",
)
SHOWN = 50
HOLDS = "Everything holds."


@request_command(ValidateRequest)
def validate(request: ValidateRequest, *, json: Json = False, verbose: Verbose = False) -> None:
    """Read every byte of a data set back and check it against its records and the columns.

    With --layout: hold anybody's folder to the rules of the published reader.
    Ends with 1 when something does not hold.
    """
    answer, show = _ANSWERS[request.layout]
    found = run_flow("validate", request, answer=answer, style=style_of(json=json), verbose=verbose)
    if json:
        print_json(found)
    else:
        _show_findings(found.findings)
        show(found)
    raise typer.Exit(0 if found.passed else 1)


def _show_2k2k(found: PublishedCheck) -> None:
    say(f"validate: {found.views} views, {found.listed} of them listed for training.")
    if found.passed:
        say(HOLDS)


def _show_hdnet(found: LayoutCheck) -> None:
    for note in found.notes:
        say(f"note  {note}")
    say(f"validate: {found.frames} frames, {found.pairs} pairs, {found.samples} labelled samples.")
    if found.passed:
        say(HOLDS)


def _show_findings(findings: Sequence[Finding]) -> None:
    if findings:
        rows = [(one.where, one.what, one.found, one.expected) for one in findings[:SHOWN]]
        say(f"{len(findings)} things do not hold:")
        print_table(("where", "what", "found", "expected"), rows)
        say("")


def _show_dataset(found: Validation) -> None:
    size = format_bytes(found.bytes)
    if found.shards or not found.videos:
        say(f"validate: {found.samples} samples of {found.shards} shards read, {size}.")
    if found.videos:
        read = f"{found.frames} frames and {found.pairs} pairs of {found.videos} videos"
        say(f"validate: {read} read.")
    if found.passed:
        say(HOLDS)
    else:
        say(f"Redo what is broken with: scanmill rerun {found.uri} --deep")


_ANSWERS: dict[PublishedLayout | None, tuple[type[Any], Callable[[Any], None]]] = {
    None: (Validation, _show_dataset),
    "2k2k": (PublishedCheck, _show_2k2k),
    "hdnet": (LayoutCheck, _show_hdnet),
}
