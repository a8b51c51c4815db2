"""`scanmill validate`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from flows.cli.answers import format_bytes, print_json, print_table, say, style_of
from flows.cli.flow_runs import run_flow
from flows.cli.options import Json, Uri, Verbose, Workers, layout_of
from flows.run_requests import ValidateRequest, check_folder
from schemas.dataset_folder import DatasetFolder
from tasks.checks.validation import Finding, Validation
from tasks.hdnet.checker import LayoutCheck, check_hdnet
from tasks.published.checker import PublishedCheck, check_2k2k

EXAMPLES = (
    "scanmill validate sets/rp",
    "scanmill validate sets/rp --workers 4 --json",
    "scanmill validate --layout 2k2k published",
    "scanmill validate --layout hdnet published",
)
SHOWN = 50


def validate(
    uri: Uri,
    *,
    layout: Annotated[
        str | None,
        typer.Option(metavar="2k2k|hdnet", help="URI is a folder in this published layout."),
    ] = None,
    workers: Workers = None,
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Read every byte of a data set back and check it against its records and the columns.

    With --layout: hold anybody's folder to the rules of the published reader.
    Ends with 1 when something does not hold.
    """
    if layout is not None:
        check_layout(layout, uri, json=json)
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


def check_layout(layout: str, path: str, *, json: bool) -> NoReturn:
    """Check a folder in a published layout, print what was found, and exit with 0 or 1."""
    known = layout_of(layout)
    check_folder("DIR", path)
    found = check_2k2k(Path(path)) if known == "2k2k" else check_hdnet(Path(path))
    if json:
        print_json(found)
        raise typer.Exit(0 if found.passed else 1)
    _show_findings(found.findings)
    if isinstance(found, PublishedCheck):
        say(f"validate: {found.views} views, {found.listed} of them listed for training.")
    else:
        _show_hdnet(found)
    if found.passed:
        say("Everything holds.")
    raise typer.Exit(0 if found.passed else 1)


def _show_hdnet(found: LayoutCheck) -> None:
    for note in found.notes:
        say(f"note  {note}")
    say(f"validate: {found.frames} frames, {found.pairs} pairs, {found.samples} labelled samples.")


def _show_findings(findings: Sequence[Finding]) -> None:
    if findings:
        rows = [(one.where, one.what, one.met, one.wanted) for one in findings[:SHOWN]]
        say(f"{len(findings)} things do not hold:")
        print_table(("where", "what", "met", "wanted"), rows)
        say("")


def _show(found: Validation) -> None:
    _show_findings(found.findings)
    size = format_bytes(found.bytes)
    if found.shards or not found.videos:
        say(f"validate: {found.samples} samples of {found.shards} shards read, {size}.")
    if found.videos:
        read = f"{found.frames} frames and {found.pairs} pairs of {found.videos} videos"
        say(f"validate: {read} read.")
    if found.passed:
        say("Everything holds.")
    else:
        say(f"Redo what is broken with: scanmill rerun {found.uri} --deep")
